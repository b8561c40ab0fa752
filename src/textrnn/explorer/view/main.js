// The page: one text, one model or two.

import { Classifier, tensorsOf } from "../runtime/classifier.js";
import { codePointKinds } from "../runtime/text.js";
import { palettes } from "./charts.js";
import { el, set, size } from "./format.js";
import { Panel } from "./panel.js";

const QUIET = 600; // milliseconds without a keystroke before the prediction is read out
const THEMES = ["auto", "light", "dark"];

const data = JSON.parse(document.getElementById("data").textContent);
const kinds = codePointKinds(data.kinds);
const box = document.getElementById("text");
const status = document.getElementById("status");
const spoken = document.getElementById("spoken");
const panels = [];
let drawing = false;
let quiet;

/** The weights of a model: from the page itself, or from where they are served. */
async function weightsOf(record) {
  if (record.base64 !== undefined) {
    const text = atob(record.base64);
    record.base64 = "";
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
    return bytes.buffer;
  }
  const response = await fetch(record.path);
  if (!response.ok) throw new Error(`the model could not be loaded (${response.status})`);
  return response.arrayBuffer();
}

function factsOf({ header, bytes }) {
  const { model, text, task, labels, vocabulary } = header;
  const members = model.members > 1 ? `${model.members} × ` : "";
  const network = `${members}${model.bidirectional ? "bidirectional " : ""}${model.cell} ${model.hidden_size}`;
  const layers = model.layers > 1 ? `, ${model.layers} layers` : "";
  const ngrams = [
    ...(model.ngrams ? [`${model.ngrams} words`] : []),
    ...(model.character_ngrams ? [`${model.character_ngrams} letters of a word`] : []),
  ];
  const counted = labels.length ? `${labels.length} labels` : "a number";
  return [
    `${network}${layers}, ${model.pooling} pooling${model.padding === "through" ? ", reads padding" : ""}`,
    ...(ngrams.length ? [`n-grams of up to ${ngrams.join(" and ")}`] : []),
    `${task.task.replace("_", " ")}: ${counted}`,
    `${vocabulary.length.toLocaleString("en")} tokens (${text.tokenizer}), reads ${text.max_length}`,
    size(bytes),
  ].join(" · ");
}

function update() {
  drawing = false;
  const began = performance.now();
  const text = box.value;
  for (const panel of panels) panel.read(text);
  const computed = performance.now();
  for (const panel of panels) panel.draw();
  performance.measure("textrnn:read", { start: began, end: computed });
  performance.measure("textrnn:draw", { start: computed, end: performance.now() });
  clearTimeout(quiet);
  quiet = setTimeout(speak, QUIET);
}

function speak() {
  const told = panels.map((panel, k) => `${panels.length > 1 ? `Model ${k + 1}. ` : ""}${panel.summary}`);
  set(spoken, "textContent", told.join(". "));
}

/** One reading a frame, however fast the keys come. */
function soon() {
  if (!drawing) requestAnimationFrame(update);
  drawing = true;
}

function coloured() {
  const colours = palettes(getComputedStyle(document.documentElement));
  for (const panel of panels) panel.colours = colours;
}

function themed() {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const apply = (theme) => {
    root.dataset.theme = theme;
    set(button, "textContent", `Theme: ${theme}`);
    coloured();
    for (const panel of panels) panel.drawInside();
  };
  button.addEventListener("click", () => apply(THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length]));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply(root.dataset.theme));
}

async function begin() {
  const place = document.getElementById("models");
  for (const [k, record] of data.models.entries()) {
    set(status, "textContent", `Loading ${record.name} (${size(record.bytes)}) …`);
    const tensors = tensorsOf(record.tensors, await weightsOf(record));
    const fresh = () => new Classifier(record.header, tensors, kinds);
    panels.push(new Panel(`m${k}`, record.name, factsOf(record), fresh(), fresh));
  }
  if (panels.length > 1) place.classList.add("two");
  for (const panel of panels) panel.beside = panels.filter((other) => other !== panel);
  coloured();
  box.addEventListener("input", soon);
  update();
  place.append(...panels.map((panel) => panel.element));
  themed();
  set(status, "textContent", "");
  document.documentElement.dataset.ready = "yes";
}

begin().catch((error) => {
  set(status, "textContent", `This page does not work here: ${error.message}`);
});
