// What a panel is made of, in the order in which it is read.

import { CELLS } from "../runtime/cells.js";
import { el, short } from "./format.js";

/** The section of a panel: its parts become the panel's, listeners call its methods. */
export function built(panel, name, facts) {
  controls(panel);
  texts(panel);
  const left = el("div", { class: "column" }, answerCard(panel), wordsCard(panel), panel.ngramCard);
  const right = el("div", { class: "column" }, timeCard(panel), stepCard(panel));
  panel.error = el("p", { class: "error", role: "alert", hidden: true });
  panel.columns = el("div", { class: "columns" }, left, right);
  const title = el("h2", { text: name });
  const below = el("p", { class: "note", text: facts });
  return el("section", { class: "panel", "aria-label": name }, title, below, panel.error, panel.columns);
}

function select(panel, label, options, change) {
  const id = `${panel.id}-${label}`;
  const field = el("select", { id, on: { change: (event) => change(event.target.value) } });
  field.append(...options.map(([value, text]) => el("option", { value, text })));
  return [field, el("div", { class: "field" }, el("label", { for: id, text: label }), field)];
}

function slider(panel, label, change) {
  const id = `${panel.id}-${label}`;
  const input = (event) => change(Number(event.target.value));
  const field = el("input", { id, type: "range", min: 0, step: 1, on: { input } });
  return [field, el("div", { class: "field wide" }, el("label", { for: id, text: label }), field)];
}

function controls(panel) {
  const { model } = panel.classifier;
  const kind = CELLS[model.cell];
  const numbered = (count, word) => Array.from({ length: count }, (_, k) => [k, `${word} ${k + 1}`]);
  const show = (name) => (value) => panel.show({ [name]: Number(value) });
  const labels = panel.names.map((text, k) => [k, short(text, 40)]);
  const ways = [[0, "left to right"], [1, "right to left"]];
  // What an Elman cell computes on its way is the state itself.
  const gates = model.cell.startsWith("elman") ? [] : kind.gates;
  const whats = ["state", ...(kind.memory ? ["memory"] : []), ...gates].map((what) => [what, what]);
  const explained = [["", "what is predicted"], ...labels];
  [panel.explain, panel.explainField] = select(panel, "Explain", explained, () => panel.draw());
  const fields = [
    select(panel, "Network", numbered(model.members, "network"), show("member")),
    select(panel, "Layer", numbered(model.layers, "layer"), show("layer")),
    select(panel, "Direction", ways, show("way")),
    select(panel, "Show", whats, (what) => panel.show({ what })),
  ].map(([, field]) => field);
  [model.members < 2, model.layers < 2, !model.bidirectional, whats.length < 2].forEach((hidden, k) => {
    fields[k].hidden = hidden;
  });
  panel.insideFields = el("div", { class: "fields" }, ...fields);
  [panel.wordSlider, panel.wordField] = slider(panel, "Word", (place) => panel.choose(place));
  [panel.unitSlider, panel.unitField] = slider(panel, "Unit", (unit) => panel.choose(panel.place, unit));
}

/** What is filled in with each text. */
function texts(panel) {
  const scroll = (label) => el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label });
  panel.headline = el("p", { class: "headline" });
  panel.bars = el("ul", { class: "bars" });
  [panel.about, panel.stateReadout] = [el("p", { class: "readout" }), el("p", { class: "readout" })];
  [panel.rest, panel.curveNote] = [el("p", { class: "note" }), el("p", { class: "note" })];
  panel.stepTitle = el("h3", { id: `${panel.id}-h-step` });
  panel.stepBody = el("div");
  panel.units = scroll("Units that weigh most");
  panel.ngrams = scroll("n-grams");
  panel.answers = scroll("Answers after each word");
  panel.ngramCard = card(panel, "ngrams", "n-grams", panel.ngrams);
  panel.ngramCard.hidden = !panel.classifier.ngrams;
}

/** A section under a title. */
function card(panel, name, title, ...children) {
  const id = `${panel.id}-h-${name}`;
  return el("section", { class: "card", "aria-labelledby": id }, el("h3", { id, text: title }), ...children);
}

const answerCard = (panel) => card(panel, "answer", "Prediction", panel.headline, panel.bars);

function wordsCard(panel) {
  const key = (kind, text) => el("span", { class: `word ${kind} key`, text });
  const keys = [key("for", "speaks for"), " ", key("against", "speaks against"), " ", key("unknown", "unknown")];
  const legend = el("p", { class: "legend-words" }, ...keys);
  const { words, about, rest } = panel;
  const found = card(panel, "words", "What each word adds", words.list, words.empty, about, legend, rest);
  const row = el("div", { class: "row" });
  found.prepend(row);
  row.append(found.querySelector("h3"), panel.explainField);
  return found;
}

function timeCard(panel) {
  const id = `${panel.id}-anew`;
  panel.anew = el("input", { type: "checkbox", id, on: { change: () => panel.rereadIfWanted() } });
  const label = el("label", { for: id, text: "read each beginning anew (exact, slower)" });
  const anew = el("div", { class: "check", hidden: panel.kept }, panel.anew, label);
  const summary = el("summary", { text: "The curve as a table" });
  panel.answersDetails = el("details", { on: { toggle: () => panel.drawAnswers() } }, summary, panel.answers);
  const { curve, heat } = panel;
  const above = [curve.legend, curve.frame, panel.curveNote, anew, panel.answersDetails];
  const below = [panel.insideFields, heat.frame, heat.scale, panel.stateReadout];
  return card(panel, "time", "Word by word", ...above, el("h4", { text: "Inside the network" }), ...below);
}

function stepCard(panel) {
  const step = (text, label, by) =>
    el("button", { type: "button", text, "aria-label": label, on: { click: () => panel.choose(panel.place + by) } });
  const buttons = el("div", { class: "buttons" }, step("←", "Word before", -1), step("→", "Next word", 1));
  const head = el("div", { class: "row" }, panel.stepTitle, buttons);
  const fields = el("div", { class: "fields" }, panel.wordField, panel.unitField);
  const labelled = { class: "card step", "aria-labelledby": panel.stepTitle.id };
  return el("section", labelled, head, fields, panel.stepBody, panel.units);
}
