// Tables: the numbers behind the pictures.

import { el, number, short, shown, signed } from "./format.js";

/** A table with a header row; cells are strings or elements. */
export function table(caption, columns, rows) {
  const head = el("tr", {}, ...columns.map((name) => el("th", { scope: "col" }, name)));
  const cell = (content, at) => (at ? el("td", {}, content) : el("th", { scope: "row" }, content));
  const body = rows.map((row) => el("tr", {}, ...row.map(cell)));
  return el("table", {}, el("caption", { text: caption }), el("thead", {}, head), el("tbody", {}, ...body));
}

const MOST_NGRAMS = 12;

/** The n-grams of most worth along a direction of the scores, and how many of all there are known. */
export function strongest(reading, direction) {
  const known = reading.grams.filter((gram) => gram.place >= 0);
  const most = known
    .map((gram) => ({ gram, worth: reading.worth(gram, direction) }))
    .sort((one, other) => Math.abs(other.worth) - Math.abs(one.worth))
    .slice(0, MOST_NGRAMS);
  return { known: known.length, all: reading.grams.length, most };
}

export function ngramTable(reading, direction, label) {
  const { known, all, most } = strongest(reading, direction);
  if (!most.length) {
    return el("p", { class: "note", text: `None of the ${all} n-grams of this text is known to the model.` });
  }
  const rows = most.map(({ gram, worth }) => [
    short(shown(reading.written(gram)).replace(/U\+0020/g, " "), 40),
    signed(worth),
    gram.kind ? "letters" : "words",
    String(gram.occurrences.length),
  ]);
  const caption = `The ${most.length} that weigh most for ${label}, of ${known} known ones among ${all}`;
  return table(caption, ["n-gram", "adds", "of", "times"], rows);
}

const MOST_UNITS = 8;

/** The units that weigh most at a place: weight times state. weights: the head along a direction of the scores. */
export function tellingUnits(member, direction, way, place, weights) {
  const at = direction.stateAt(place);
  return Array.from({ length: member.size }, (_, unit) => {
    const [state, before] = [direction.states[at + unit], direction.states[at - member.size + unit]];
    return { unit, state, change: state - before, weight: weights[way * member.size + unit] };
  })
    .sort((one, other) => Math.abs(other.weight * other.state) - Math.abs(one.weight * one.state))
    .slice(0, MOST_UNITS);
}

/** isLast: whether the head reads this layer; below it only the states and their changes mean something. */
export function unitTable(units, isLast, word, chosen) {
  const rows = units.map(({ unit, state, change, weight }) => [
    el("button", { type: "button", class: "link", text: `unit ${unit}`, on: { click: () => chosen(unit) } }),
    signed(state),
    signed(change),
    ...(isLast ? [signed(weight), signed(weight * state)] : []),
  ]);
  return table(`Units at “${word}”`, ["unit", "state", "change", ...(isLast ? ["weight", "product"] : [])], rows);
}

/** The answers after each word. */
export function answerTable(tokens, rows, which, names) {
  const body = rows.map((row, at) => [`${at + 1} ${shown(tokens[at])}`, ...which.map((answer) => number(row[answer]))]);
  return table("After each word", ["word", ...which.map((answer) => short(names[answer], 24))], body);
}
