// What a panel is made of, in the order in which it is read.

import { CELLS } from "../runtime/cells.js";
import { el, short } from "./format.js";

/** The section of a panel: its parts become the panel's, listeners call its methods. */
export function built(panel, name, facts) {
  const { id } = panel;
  const { model } = panel.classifier;
  const select = (label, options, change) => {
    const field = el("select", { id: `${id}-${label.replace(/\W/g, "-")}`, on: { change: (event) => change(event.target.value) } });
    field.append(...options.map(([value, text]) => el("option", { value, text })));
    return [field, el("div", { class: "field" }, el("label", { for: field.id, text: label }), field)];
  };
  const slider = (label, change) => {
    const field = el("input", { id: `${id}-${label}`, type: "range", min: 0, step: 1, on: { input: (event) => change(Number(event.target.value)) } });
    return [field, el("div", { class: "field wide" }, el("label", { for: field.id, text: label }), field)];
  };
  const numbered = (count, word) => Array.from({ length: count }, (_, k) => [k, `${word} ${k + 1}`]);
  const [explain, explainField] = select("Explain", [["", "what is predicted"], ...panel.names.map((text, k) => [k, short(text, 40)])], () => panel.draw());
  const [member, memberField] = select("Network", numbered(model.members, "network"), (value) => panel.show({ member: Number(value) }));
  const [layer, layerField] = select("Layer", numbered(model.layers, "layer"), (value) => panel.show({ layer: Number(value) }));
  const [, wayField] = select("Direction", [[0, "left to right"], [1, "right to left"]], (value) => panel.show({ way: Number(value) }));
  const kind = CELLS[model.cell];
  const whats = ["state", ...(kind.memory ? ["memory"] : []), ...kind.gates.filter((gate) => !model.cell.startsWith("elman") || gate !== "candidate")];
  const [, whatField] = select("Show", whats.map((what) => [what, what]), (what) => panel.show({ what }));
  memberField.hidden = model.members < 2;
  layerField.hidden = model.layers < 2;
  wayField.hidden = !model.bidirectional;
  Object.assign(panel, { explain, memberSelect: member, layerSelect: layer });
  [panel.wordSlider, panel.wordField] = slider("Word", (place) => panel.choose(place));
  [panel.unitSlider, panel.unitField] = slider("Unit", (unit) => panel.choose(panel.place, unit));
  const step = (text, label, by) => el("button", { type: "button", text, "aria-label": label, on: { click: () => panel.choose(panel.place + by) } });
  panel.headline = el("p", { class: "headline" });
  panel.bars = el("ul", { class: "bars" });
  panel.about = el("p", { class: "readout", text: "" });
  panel.rest = el("p", { class: "note" });
  panel.curveNote = el("p", { class: "note" });
  panel.anew = el("input", { type: "checkbox", id: `${id}-anew`, on: { change: () => panel.rereadIfWanted() } });
  panel.anewField = el("div", { class: "check" }, panel.anew, el("label", { for: `${id}-anew`, text: "read each beginning anew (exact, slower)" }));
  panel.anewField.hidden = panel.kept;
  panel.stateReadout = el("p", { class: "readout" });
  panel.stepTitle = el("h3");
  panel.stepBody = el("div", {});
  panel.units = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Units that weigh most" });
  panel.ngrams = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "n-grams" });
  panel.answers = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Answers after each word" });
  panel.answersDetails = el("details", { on: { toggle: () => panel.drawAnswers() } }, el("summary", { text: "The curve as a table" }), panel.answers);
  const legend = el("p", { class: "legend-words" }, el("span", { class: "word for key", text: "speaks for" }), " ", el("span", { class: "word against key", text: "speaks against" }), " ", el("span", { class: "word unknown key", text: "unknown" }));
  panel.ngramCard = el("section", { class: "card", "aria-labelledby": `${id}-h-ngrams` }, el("h3", { id: `${id}-h-ngrams`, text: "n-grams" }), panel.ngrams);
  panel.ngramCard.hidden = !panel.classifier.ngrams;
  const left = el(
    "div",
    { class: "column" },
    el("section", { class: "card", "aria-labelledby": `${id}-h-answer` }, el("h3", { id: `${id}-h-answer`, text: "Prediction" }), panel.headline, panel.bars),
    el("section", { class: "card", "aria-labelledby": `${id}-h-words` }, el("div", { class: "row" }, el("h3", { id: `${id}-h-words`, text: "What each word adds" }), explainField), panel.words.list, panel.words.empty, panel.about, legend, panel.rest),
    panel.ngramCard,
  );
  const right = el(
    "div",
    { class: "column" },
    el(
      "section",
      { class: "card", "aria-labelledby": `${id}-h-time` },
      el("h3", { id: `${id}-h-time`, text: "Word by word" }),
      panel.curve.legend,
      panel.curve.frame,
      panel.curveNote,
      panel.anewField,
      panel.answersDetails,
      el("h4", { text: "Inside the network" }),
      el("div", { class: "fields" }, memberField, layerField, wayField, whatField),
      panel.heat.frame,
      panel.heat.scale,
      panel.stateReadout,
    ),
    el(
      "section",
      { class: "card step", "aria-labelledby": `${id}-h-step` },
      el("div", { class: "row" }, panel.stepTitle, el("div", { class: "buttons" }, step("←", "Word before", -1), step("→", "Next word", 1))),
      el("div", { class: "fields" }, panel.wordField, panel.unitField),
      panel.stepBody,
      panel.units,
    ),
  );
  panel.stepTitle.id = `${id}-h-step`;
  panel.error = el("p", { class: "error", role: "alert", hidden: true });
  panel.columns = el("div", { class: "columns" }, left, right);
  return el("section", { class: "panel", "aria-label": name }, el("h2", { text: name }), el("p", { class: "note", text: facts }), panel.error, panel.columns);
}
