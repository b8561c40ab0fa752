// One direction of one layer over one text. What a new text has in common with the one before, from the end at which
// this direction begins, is not computed again: a word at the end costs a step, one in the middle half the text.

import { CELLS } from "./cells.js";
import { dot } from "./products.js";
import { plainProductOf } from "./simd.js";

const MOST_ROWS = 20000;

export class Direction {
  /** tensors: those of a member; backwards: whether it reads from the end of the text; arena: where products are
   * computed by WebAssembly, or null. */
  constructor(config, tensors, layer, backwards, arena) {
    const place = `layers.${layer}.${backwards ? "right_to_left" : "left_to_right"}.`;
    [this.cell, this.size, this.layer, this.backwards] = [config.cell, config.hidden_size, layer, backwards];
    this.kind = CELLS[this.cell];
    this.width = this.kind.gates.length * this.size;
    this.inputWeight = tensors[`${place}from_input.weight`];
    this.inputBias = tensors[`${place}from_input.bias`];
    this.features = this.inputWeight.length / this.width;
    this.hiddenWeight = tensors[`${place}from_hidden.weight`];
    this.hiddenBias = tensors[`${place}from_hidden.bias`] || null;
    this.fromHidden = new Float64Array(this.width);
    const productOf = arena ? arena.productOf.bind(arena) : plainProductOf;
    if (this.kind.recurrent) this.recur = productOf(this.hiddenWeight, this.hiddenBias, this.width, this.size);
    this.project = productOf(this.inputWeight, this.inputBias, this.width, this.features);
    this.embedding = layer ? null : tensors["embedding.weight"];
    this.rows = new Map();
    this.capacity = this.steps = 0;
    this.ids = [];
  }

  /** Room for the states of so many steps; row 0 of `states` is the state before the first step. */
  reserve(steps) {
    if (steps <= this.capacity) return;
    this.capacity = Math.max(steps, 2 * this.capacity, 64);
    const grown = (before, rows, width) => {
      const array = new Float32Array(rows * width);
      if (before) array.set(before);
      return array;
    };
    this.inputs = grown(this.inputs, this.capacity, this.width);
    this.gates = grown(this.gates, this.capacity, this.width);
    this.states = grown(this.states, this.capacity + 1, this.size);
    if (this.kind.memory) this.memories = grown(this.memories, this.capacity + 1, this.size);
  }

  /** W x + b of a token: a row that is computed when the token is first met. */
  row(id) {
    let row = this.rows.get(id);
    if (!row) {
      if (this.rows.size >= MOST_ROWS) this.rows.clear();
      row = new Float32Array(this.width);
      this.project(this.embedding, id * this.features, row, 0);
      this.rows.set(id, row);
    }
    return row;
  }

  /** Read ids (first layer), or the outputs of the layer below, [time, features], of which the first `same` in the
   * order of reading are those of the last time. Returns how many steps were not computed again. */
  read(ids, below, same) {
    const steps = ids.length;
    this.reserve(steps);
    const placeOf = (step) => (this.backwards ? steps - 1 - step : step);
    let kept = Math.min(steps, this.steps, same);
    if (!this.layer) {
      kept = 0;
      while (kept < steps && kept < this.steps && this.ids[kept] === ids[placeOf(kept)]) kept++;
    }
    this.ids.length = steps;
    for (let step = kept; step < steps; step++) {
      const x = step * this.width;
      const id = (this.ids[step] = ids[placeOf(step)]);
      if (!this.layer) this.inputs.set(this.row(id), x);
      else this.project(below, placeOf(step) * this.features, this.inputs, x);
      this.recur?.(this.states, step * this.size, this.fromHidden, 0);
      this.kind.step(this, x, x, (step + 1) * this.size, step * this.size);
    }
    this.steps = steps;
    return kept;
  }

  /** Where the state after reading the token at a place of the text begins in `states`; -1 is the state before all. */
  stateAt(place) {
    return (this.backwards ? this.steps - place : place + 1) * this.size;
  }

  /** Where the gates of a place of the text begin in `gates` and `inputs`. */
  gatesAt(place) {
    return (this.backwards ? this.steps - 1 - place : place) * this.width;
  }

  /** A copy in the order of the text: [time * hidden] of "state", "memory" or a gate, of the first `count` places. */
  copied(what, count) {
    const found = new Float32Array(count * this.size);
    const gate = this.kind.gates.indexOf(what);
    for (let place = 0; place < count; place++) {
      const begin = gate < 0 ? this.stateAt(place) : this.gatesAt(place) + gate * this.size;
      const from = gate >= 0 ? this.gates : what === "memory" ? this.memories : this.states;
      found.set(from.subarray(begin, begin + this.size), place * this.size);
    }
    return found;
  }

  /** All numbers of one unit at one place: W x + b and U h + d of each gate, the gates, and the states around. */
  unit(place, unit) {
    const { size, states, memories } = this;
    const [at, x] = [this.stateAt(place) + unit, this.gatesAt(place) + unit];
    const before = at - size; // of the step before in the order of reading
    const gates = this.kind.gates.map((name, gate) => {
      const row = gate * size + unit;
      const bias = this.hiddenBias ? this.hiddenBias[row] : 0;
      const { recurrent } = this.kind;
      const fromState = recurrent ? dot(this.hiddenWeight, row * size, states, before - unit, size) + bias : null;
      return { name, fromInput: this.inputs[x + gate * size], fromState, value: this.gates[x + gate * size] };
    });
    const found = { gates, before: states[before], after: states[at] };
    return this.kind.memory ? { ...found, memoryBefore: memories[before], memory: memories[at] } : found;
  }
}
