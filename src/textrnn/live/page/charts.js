"use strict";
// Line charts as SVG. Every text goes in as a text node, so nothing that a file or a label holds can become markup.

const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function drawn(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Round numbers between two values, about `count` of them. */
function ticks(low, high, count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + step * 1e-9; value += step) found.push(value);
  return found;
}

/** 1, 2 and 5 times powers of ten between two powers of ten; only the powers where these are many. */
function logTicks(low, high) {
  const factors = high - low > 2.5 ? [1] : [1, 2, 5], found = [];
  for (let power = Math.floor(low); power <= high; power += 1) {
    for (const factor of factors) {
      const value = Number(`${factor}e${power}`);
      if (Math.log10(value) >= low && Math.log10(value) <= high) found.push(value);
    }
  }
  return found;
}

function short(value, kind, whole = false) {
  if (value === null || value === undefined) return "-";
  if (kind === "share") return `${(100 * value).toFixed(1)} %`.replace(whole ? ".0" : "", "");
  const size = Math.abs(value);
  if (size >= 1e6) return `${(value / 1e6).toFixed(1)}M`;
  if (size >= 1e4) return `${Math.round(value / 1e3)}k`;
  if (size >= 1e3) return value.toFixed(0);
  return size !== 0 && size < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(4)));
}

const WIDTH = 460, LEFT = 58, RIGHT = 12, TOP = 10, BOTTOM = 24;

/**
 * A figure with one line for each series.
 * @param series [{name, points: [[x, y]], style: class names}]
 * @param options {title, note, kind: "share" or none, log, zero: the axis begins there, whole: it shows 0 to 1, height}
 */
function lineChart(series, options) {
  const HEIGHT = options.height || 200;
  const shown = series.filter((one) => one.points.length);
  const scale = options.log ? (y) => Math.log10(Math.max(y, 1e-12)) : (y) => y;
  const values = shown.flatMap((one) => one.points.map((point) => scale(point[1]))).filter(Number.isFinite);
  let low = Math.min(...values), high = Math.max(...values);
  if (!values.length) [low, high] = [0, 1];
  if (options.zero) low = Math.min(low, 0);
  const room = (high - low) * 0.06 || 0.05 * Math.abs(high) || 0.5;
  [low, high] = [options.zero ? low : low - room, high + room];
  if (options.kind === "share") [low, high] = [Math.max(0, low), Math.min(1, high)];
  if (options.whole) [low, high] = [0, 1];
  const last = Math.max(1, ...shown.map((one) => one.points.at(-1)[0]));
  const x = (value) => LEFT + (value / last) * (WIDTH - LEFT - RIGHT);
  const y = (value) => TOP + (1 - (scale(value) - low) / (high - low || 1)) * (HEIGHT - TOP - BOTTOM);

  const newest = shown.map((one) => `${one.name} ${short(one.points.at(-1)[1], options.kind)}`).join(", ");
  const picture = drawn("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img",
    "aria-label": `${options.title} by epoch; newest: ${newest || "nothing yet"}`});
  const marks = options.log ? logTicks(low, high) : ticks(low, high, HEIGHT > 120 ? 4 : 2);
  for (const value of marks) {
    const at = y(value).toFixed(1);
    picture.append(drawn("line", {class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: at, y2: at}),
      drawn("text", {x: LEFT - 6, y: at, dy: "0.32em", "text-anchor": "end"}, short(value, options.kind, true)));
  }
  for (const tick of ticks(0, last, 6).filter((value) => last < 2 || Number.isInteger(Number(value.toFixed(6))))) {
    picture.append(drawn("text", {x: x(tick).toFixed(1), y: HEIGHT - 7, "text-anchor": "middle"}, short(tick)));
  }
  picture.append(drawn("line", {class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM}));
  for (const one of shown) {
    const places = one.points.map((point) => `${x(point[0]).toFixed(1)},${y(point[1]).toFixed(1)}`);
    picture.append(drawn("polyline", {class: `curve ${one.style}`, points: places.join(" ")}));
    if (!one.style.includes("thin") && one.points.length <= 40) {
      for (const place of places) {
        const [cx, cy] = place.split(",");
        picture.append(drawn("circle", {class: `dot ${one.style}`, cx, cy, r: 2.5}));
      }
    }
  }
  const legend = element("ul", {class: "legend"});
  for (const one of shown) {
    legend.append(element("li", {},
      drawn("svg", {viewBox: "0 0 26 10", "aria-hidden": "true"},
        drawn("line", {class: `curve ${one.style}`, x1: 0, x2: 26, y1: 5, y2: 5})),
      `${one.name} ${short(one.points.at(-1)[1], options.kind)}`));
  }
  const caption = element("figcaption", {}, element("h3", {}, options.title));
  if (options.note) caption.append(element("p", {}, options.note));
  return element("figure", {}, caption, picture, legend);
}
