// One model on the page: what it says of the text, and why.

import { Reading } from "../runtime/classifier.js";
import { along } from "../runtime/products.js";
import { contrast } from "../runtime/tasks.js";
import { Curve, HeatMap } from "./charts.js";
import { equations } from "./equations.js";
import { el, number, set, setAttribute, short, shown, signed } from "./format.js";
import { built } from "./layout.js";
import { Words } from "./marks.js";
import { answerTable, ngramTable, tellingUnits, unitTable } from "./tables.js";

const MOST_LABELS = 5;
const SLICE = 8; // milliseconds of rereading before the page may do something else

export class Panel {
  /** fresh(): another classifier of the same weights, for reading beginnings of the text anew. */
  constructor(id, name, facts, classifier, fresh) {
    Object.assign(this, { id, classifier, fresh, spare: null, beside: [] });
    const { model, task, labels } = classifier.header;
    this.place = this.unit = this.member = this.layer = this.way = 0;
    this.what = "state";
    this.atEnd = true;
    this.unitChosen = false;
    this.bounded = task.task !== "regression";
    this.names = this.bounded ? labels.map(String) : ["number"];
    this.kept = model.padding === "masked" && !model.bidirectional;
    this.words = new Words(id, (place) => this.choose(place), (place) => this.tell(place));
    this.curve = new Curve((step) => this.choose(this.reading.places[step]));
    this.heat = new HeatMap(
      (step, unit) => this.choose(this.reading.places[step], unit),
      (step, unit) => this.tellState(step, unit),
    );
    this.element = built(this, name, facts);
  }

  /** Compute; `draw` shows it. The last word is chosen as long as nobody chose another one. */
  read(text) {
    this.reading = this.classifier.read(text);
    const count = this.reading.all.length;
    this.atEnd = this.atEnd || this.place >= count;
    if (this.atEnd) this.place = Math.max(0, count - 1);
    this.curveRows = this.reading.soFar();
    this.rereadIfWanted();
  }

  /** The label that is explained. */
  get label() {
    return this.explain.value === "" ? this.best()[0] : Number(this.explain.value);
  }

  /** The answers that are decided for; where there are none the most probable one. */
  best() {
    const { decided, answers } = this.reading;
    const order = answers.map((_, k) => k).sort((one, other) => answers[other] - answers[one]);
    return [...order.filter((k) => decided.includes(k)), ...order.filter((k) => !decided.includes(k))];
  }

  /** What the numbers speak for, as it is written. */
  explained() {
    if (!this.bounded) return "the number, in standard deviations";
    const quoted = (k) => `“${short(this.names[k], 24)}”`;
    if (this.classifier.task.task !== "single_label") return quoted(this.label);
    const others = this.names.length > 2 ? "the mean of the others" : quoted(1 - this.label);
    return `${quoted(this.label)} against ${others}`;
  }

  /** Choose a word, here and where another model reads as many, and perhaps a unit here. */
  choose(place, unit) {
    const count = this.reading.all.length;
    if (!count) return;
    this.at(Math.min(count - 1, Math.max(0, place)));
    for (const other of this.beside) {
      if (other.reading.all.length === count && other.place !== this.place) {
        other.at(this.place);
        other.draw();
      }
    }
    if (unit !== undefined) [this.unit, this.unitChosen] = [unit, true];
    this.draw();
  }

  at(place) {
    this.place = place;
    this.atEnd = place === this.reading.all.length - 1;
  }

  show(what) {
    Object.assign(this, what);
    this.drawInside();
  }

  /** All of the text as it was read last. */
  draw() {
    const { reading } = this;
    set(this.error, "hidden", reading.finite);
    set(this.columns, "hidden", !reading.finite);
    if (!reading.finite) {
      return set(this.error, "textContent", "The states overflow on this text: the scores are no finite numbers.");
    }
    this.along = contrast(this.classifier.task, this.label, this.classifier.outputs);
    this.split = reading.shares([this.along]);
    this.stepOf = new Map(reading.places.map((place, step) => [place, step]));
    this.drawAnswer();
    const read = reading.all.map((_, place) => this.stepOf.has(place));
    const known = reading.all.map((token) => this.classifier.ids.has(token));
    this.words.draw(reading.all, this.split.total.subarray(0, reading.all.length), read, known, this.place);
    this.tell(null);
    const [bias, padding] = [this.split.bias[0], this.split.total[reading.all.length]];
    const cut = reading.all.length - reading.places.length;
    const all = signed(along(this.along, reading.scores, 0, 1));
    const more = cut ? ` ${cut} words in the middle or at an end are cut off from the networks.` : "";
    const padded = padding ? `; padding: ${signed(padding)}` : "";
    set(this.rest, "textContent", `Without any word: ${signed(bias)}${padded}; in all ${all}.${more}`);
    this.drawCurve();
    if (this.classifier.ngrams) this.ngrams.replaceChildren(ngramTable(reading.ngrams, this.along, this.explained()));
    this.drawInside();
  }

  drawAnswer() {
    const { answers, decided, tokens } = this.reading;
    if (!this.bounded) {
      set(this.headline, "textContent", number(answers[0], 4));
      this.summary = `Predicted number: ${number(answers[0])}`;
      return;
    }
    const several = this.classifier.task.task === "multi_label";
    const named = decided.map((k) => short(this.names[k], 60));
    set(this.headline, "textContent", named.length ? named.join(", ") : "no label");
    const order = this.best().slice(0, MOST_LABELS);
    const told = decided.map((k) => `${this.names[k]}, probability ${number(answers[k], 2)}`);
    this.summary = `Predicted: ${told.join("; ") || "no label"}${tokens.length ? "" : " (empty text)"}`;
    while (this.bars.childElementCount < order.length) {
      const bar = el("span", { class: "bar", "aria-hidden": "true" }, el("span"));
      this.bars.append(el("li", {}, el("span", { class: "label" }), bar, el("span", { class: "value" })));
    }
    order.forEach((answer, at) => {
      const [label, bar, value] = this.bars.children[at].children;
      set(label, "textContent", short(this.names[answer], 40));
      set(value, "textContent", answers[answer].toFixed(3));
      bar.firstChild.style.width = `${(100 * answers[answer]).toFixed(2)}%`;
      set(this.bars.children[at], "className", decided.includes(answer) ? "decided" : "");
      value.dataset.label = this.names[answer];
    });
    setAttribute(this.bars, "aria-label", several ? "Probability of each label" : "Probabilities of the labels");
  }

  drawCurve() {
    const first = this.label;
    const others = this.best().filter((answer) => answer !== first);
    const enough = this.names.length <= 2 && this.classifier.task.task !== "multi_label"; // the other is 1 minus it
    this.which = enough ? [first] : [first, ...others.slice(0, 3)];
    const step = this.stepOf.get(this.place) ?? -1;
    this.curve.draw(this.curveRows, this.which, this.names, step, this.bounded);
    const exact = this.kept || this.reread;
    const answer = this.bounded ? "Probability" : "Number";
    const how = exact
      ? "if the text ended after each word."
      : "from the states up to each word, read with the whole text in view; the last is the answer.";
    set(this.curveNote, "textContent", `${answer} ${how}`);
    this.drawAnswers();
  }

  drawAnswers() {
    if (!this.answersDetails.open) return;
    this.answers.replaceChildren(answerTable(this.reading.tokens, this.curveRows, this.which, this.names));
  }

  /** Read the text's beginnings one after the other, in slices, until it changes. */
  rereadIfWanted() {
    clearTimeout(this.timer);
    this.reread = false;
    if (!this.anew.checked) {
      if (this.curveRows !== this.reading.pooled && this.reading.pooled) [this.curveRows] = [this.reading.pooled];
      return this.stepOf && this.drawCurve();
    }
    const { reading } = this;
    reading.pooled = this.curveRows;
    this.spare ??= this.fresh();
    const rows = [];
    const slice = () => {
      const end = performance.now() + SLICE;
      while (rows.length < reading.tokens.length && performance.now() < end) {
        rows.push(Reading.ofPrefix(reading, this.spare, rows.length + 1));
      }
      if (rows.length < reading.tokens.length) this.timer = setTimeout(slice);
      else {
        [this.curveRows, this.reread] = [rows, true];
        this.drawCurve();
      }
    };
    this.timer = setTimeout(slice);
  }

  /** The states, the step and its equation. */
  drawInside() {
    const { reading, classifier } = this;
    const { model } = classifier;
    const member = classifier.members[this.member];
    const direction = member.layers[this.layer][this.way];
    const isLast = this.layer === model.layers - 1;
    const step = this.stepOf.get(this.place) ?? -1;
    const count = reading.tokens.length;
    const units = step < 0 ? [] : tellingUnits(member, direction, this.way, step, member.headAlong(this.along));
    if (!this.unitChosen && units.length) this.unit = units[0].unit;
    this.direction = direction;
    const isGate = !["state", "memory"].includes(this.what);
    const rising = isGate && !["candidate", "proposal"].includes(this.what);
    const values = direction.copied(this.what, count);
    this.heat.draw(values, count, model.hidden_size, step, this.unit, !rising, this.colours, this.what);
    setAttribute(this.wordSlider, "max", Math.max(0, reading.all.length - 1));
    setAttribute(this.unitSlider, "max", model.hidden_size - 1);
    this.wordSlider.value = this.place;
    this.unitSlider.value = this.unit;
    const token = reading.all.length ? shown(reading.all[this.place]) : "";
    setAttribute(this.wordSlider, "aria-valuetext", reading.all.length ? `${this.place + 1}, ${token}` : "no word");
    const words = reading.all.length;
    set(this.wordField.firstChild, "textContent", words ? `Word ${this.place + 1} of ${words}` : "Word");
    set(this.unitField.firstChild, "textContent", `Unit ${this.unit} (0 to ${model.hidden_size - 1})`);
    this.tellState(null);
    set(this.stepTitle, "textContent", reading.all.length ? `Step: “${short(token, 24)}”` : "Step");
    if (step < 0) {
      this.units.replaceChildren();
      const cut = "The networks do not read this word: the text is longer than they read.";
      this.stepBody.replaceChildren(el("p", { class: "note", text: words ? cut : "Nothing to read yet." }));
      return;
    }
    const numbers = direction.unit(step, this.unit);
    const before = this.way ? "at the word to the right, which is read before" : "after the word before";
    const x = this.layer ? "what the layer below gives" : "the word’s embedding";
    const note = `h₋₁ is the state ${before}. x is ${x}; σ(a) = 1 / (1 + exp(−a)).`;
    this.stepBody.replaceChildren(equations(model.cell, numbers), el("p", { class: "note", text: note }));
    this.units.replaceChildren(unitTable(units, isLast, short(token, 24), (unit) => this.choose(this.place, unit)));
  }

  /** The numbers of a word: of the one under the pointer, else of the chosen one. */
  tell(place) {
    const { reading, split } = this;
    const at = place ?? this.place;
    if (!reading.all.length) return set(this.about, "textContent", "");
    const [networks, ngrams] = [signed(split.networks[at]), signed(split.ngrams[at])];
    const parts = this.classifier.ngrams ? ` (networks ${networks}, n-grams ${ngrams})` : "";
    const unknown = this.classifier.ids.has(reading.all[at]) ? "" : ", not in the vocabulary";
    const adds = `“${short(shown(reading.all[at]), 40)}” adds ${signed(split.total[at])}`;
    set(this.about, "textContent", `${adds}${parts} for ${this.explained()}${unknown}.`);
  }

  /** State and gates of a unit at a step: under the pointer, else the chosen ones. */
  tellState(step, unit) {
    const chosen = step === null;
    const at = chosen ? (this.stepOf.get(this.place) ?? -1) : step;
    if (at < 0) return set(this.stateReadout, "textContent", "");
    const one = chosen ? this.unit : unit;
    const { gates, after, memory } = this.direction.unit(at, one);
    const named = gates.map(({ name, value }) => `${name} ${number(value)}`).join(", ");
    const remembered = memory === undefined ? "" : `, memory ${number(memory)}`;
    const where = `“${short(shown(this.reading.tokens[at]), 24)}”, unit ${one}`;
    set(this.stateReadout, "textContent", `${where}: state ${number(after)}${remembered}; ${named}`);
  }
}
