// The curve of the answers and the heat map of the states: one column a word in both, which stand under each other.

import { el, number, set, setAttribute, short, svg } from "./format.js";

const HEIGHT = 100; // of the curve, in its own units
const MARGIN = 6; // above 1 and below 0, so that the line is whole there
const DASHES = ["", "5 4", "1.5 4", "9 4 2 4"];

export class Curve {
  constructor(chosen) {
    const unscaled = { fill: "none", "vector-effect": "non-scaling-stroke" };
    this.lines = DASHES.map((dash, at) => svg("path", { class: `line line-${at}`, "stroke-dasharray": dash, ...unscaled }));
    this.half = svg("line", { class: "half", x1: 0, x2: 1, y1: HEIGHT / 2, y2: HEIGHT / 2, ...unscaled });
    this.picture = svg("svg", { class: "curve", preserveAspectRatio: "none", role: "img" }, this.half, ...this.lines);
    this.cursor = el("div", { class: "cursor", "aria-hidden": "true" });
    this.top = el("span", { class: "tick top" });
    this.bottom = el("span", { class: "tick bottom" });
    this.frame = el("div", { class: "chart" }, this.picture, this.cursor, this.top, this.bottom);
    this.legend = el("ul", { class: "legend", "aria-hidden": "true" });
    this.frame.addEventListener("click", (event) => {
      const box = this.picture.getBoundingClientRect();
      if (this.count) chosen(cellAt(event.clientX - box.left, box.width, this.count));
    });
  }

  /** rows: answers after each word [time][answers]; which: the answers to draw; names of all; step: the chosen word. */
  draw(rows, which, names, step, bounded) {
    this.count = rows.length;
    let [low, high] = [0, 1];
    if (!bounded) {
      const values = rows.map((row) => row[0]);
      [low, high] = [Math.min(...values), Math.max(...values)];
      if (!(high > low)) [low, high] = [low - 1, low + 1];
    }
    const width = Math.max(1, rows.length);
    setAttribute(this.picture, "viewBox", `0 0 ${width} ${HEIGHT}`);
    setAttribute(this.half, "x2", width);
    setAttribute(this.half, "visibility", bounded ? "visible" : "hidden");
    this.lines.forEach((line, at) => {
      const answer = which[at];
      if (answer === undefined || !rows.length) return setAttribute(line, "d", "");
      let path = "";
      rows.forEach((row, t) => {
        const y = (MARGIN + (HEIGHT - 2 * MARGIN) * (1 - (row[answer] - low) / (high - low))).toFixed(2);
        path += t ? `L${t + 0.5} ${y}` : `M${rows.length === 1 ? 0 : 0.5} ${y}`;
      });
      if (rows.length === 1) path += "h1";
      setAttribute(line, "d", path);
    });
    set(this.top, "textContent", bounded ? "1" : number(high, 2));
    set(this.bottom, "textContent", bounded ? "0" : number(low, 2));
    place(this.cursor, step, rows.length);
    const last = rows[rows.length - 1];
    const end = last && which.length ? `; ${names[which[0]]} ends at ${number(last[which[0]])}` : "";
    setAttribute(this.picture, "aria-label", `Curve over ${rows.length} words${end}`);
    const shownNames = which.map((answer) => short(names[answer], 24)).join("\n");
    if (this.named !== shownNames) {
      this.named = shownNames;
      this.legend.replaceChildren(
        ...which.map((answer, at) => {
          const line = svg("path", { class: `line line-${at}`, d: "M0 3h26", "stroke-dasharray": DASHES[at] });
          const sample = svg("svg", { viewBox: "0 0 26 6", class: "sample" }, line);
          return el("li", {}, sample, el("span", { text: short(names[answer], 24) }));
        }),
      );
    }
  }
}

/** Which of so many equal cells of a length a point lies in. */
const cellAt = (point, length, count) => Math.min(count - 1, Math.max(0, Math.floor((point / length) * count)));

/** Put a cursor over a column; hidden where there is none. */
function place(cursor, step, count) {
  set(cursor, "hidden", step < 0 || !count);
  cursor.style.left = `${(100 * step) / Math.max(1, count)}%`;
  cursor.style.width = `${100 / Math.max(1, count)}%`;
}

export class HeatMap {
  /** chosen(step, unit), hovered(step, unit) or hovered(null). */
  constructor(chosen, hovered) {
    this.canvas = el("canvas", { role: "img", class: "heat" });
    this.column = el("div", { class: "cursor", "aria-hidden": "true" });
    this.row = el("div", { class: "cursor row", "aria-hidden": "true" });
    this.frame = el("div", { class: "chart heat-frame" }, this.canvas, this.column, this.row);
    this.low = el("span");
    this.high = el("span");
    const ramp = el("span", { class: "ramp" });
    this.scale = el("div", { class: "scale", "aria-hidden": "true" }, this.low, ramp, this.high);
    const at = (event) => {
      const box = this.canvas.getBoundingClientRect();
      const step = cellAt(event.clientX - box.left, box.width, this.steps);
      return [step, cellAt(event.clientY - box.top, box.height, this.units)];
    };
    this.frame.addEventListener("click", (event) => this.steps && chosen(...at(event)));
    this.frame.addEventListener("mousemove", (event) => this.steps && hovered(...at(event)));
    this.frame.addEventListener("mouseleave", () => hovered(null));
  }

  /** values: [time * units]; signedValues: whether 0 is the middle of the colours, else they go from 0 to 1. */
  draw(values, steps, units, step, unit, signedValues, colours, name) {
    [this.steps, this.units] = [steps, units];
    set(this.frame, "hidden", !steps);
    set(this.scale, "hidden", !steps);
    if (!steps) return;
    set(this.canvas, "width", steps);
    set(this.canvas, "height", units);
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(steps, units);
    let largest = signedValues ? 1e-9 : 1;
    if (signedValues) for (let at = 0; at < values.length; at++) largest = Math.max(largest, Math.abs(values[at]));
    const pixels = new Uint32Array(image.data.buffer);
    const palette = signedValues ? colours.diverging : colours.rising;
    const [offset, scale] = signedValues ? [128, 127 / largest] : [0, 255];
    for (let t = 0; t < steps; t++) {
      for (let k = 0; k < units; k++) pixels[k * steps + t] = palette[(offset + values[t * units + k] * scale) | 0];
    }
    context.putImageData(image, 0, 0);
    place(this.column, step, steps);
    this.row.style.top = `${(100 * unit) / units}%`;
    this.row.style.height = `${100 / units}%`;
    set(this.low, "textContent", signedValues ? number(-largest, 2) : "0");
    set(this.high, "textContent", signedValues ? number(largest, 2) : "1");
    setAttribute(this.scale, "class", `scale ${signedValues ? "diverging" : "rising"}`);
    const elsewhere = "the table below has the numbers of the chosen word";
    setAttribute(this.canvas, "aria-label", `${name} of ${units} units over ${steps} words; ${elsewhere}`);
  }
}

/** Palettes of 256 colours as the canvas takes them, from the page's own variables. */
export function palettes(style) {
  const [middle, negative, positive] = ["--heat-middle", "--heat-negative", "--heat-positive"].map((name) =>
    style.getPropertyValue(name).trim().split(/[ ,]+/).map(Number),
  );
  const mixed = (from, to, share) => {
    const [red, green, blue] = from.map((value, k) => Math.round(value + (to[k] - value) * share));
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  };
  const eased = (share) => share ** 0.8; // small states are seen, too
  const below = (k) => mixed(middle, negative, eased((128 - k) / 128));
  const above = (k) => mixed(middle, positive, eased((k - 128) / 127));
  return {
    diverging: Uint32Array.from({ length: 256 }, (_, k) => (k < 128 ? below(k) : above(k))),
    rising: Uint32Array.from({ length: 256 }, (_, k) => mixed(middle, positive, k / 255)),
  };
}
