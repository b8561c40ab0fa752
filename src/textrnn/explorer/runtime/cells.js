// One step of each cell; docs/equations.md has the equations. Every step reads `from_input` [gates * hidden], which is
// W x + b, and the state before, and writes gates and states at `step`.

import { sigmoid, softplus } from "./products.js";

/** What a cell has: its gates in the order of the rows, and whether it reads the state before, with a bias. */
export const CELLS = {
  elman: { gates: ["candidate"], recurrent: true, step: elmanStep },
  elman_relu: { gates: ["candidate"], recurrent: true, step: elmanStep },
  gru: { gates: ["reset", "update", "candidate"], recurrent: true, step: gruStep },
  lstm: { gates: ["input", "forget", "proposal", "output"], recurrent: true, memory: true, step: lstmStep },
  mingru: { gates: ["update", "candidate"], recurrent: false, step: minGRUStep },
  minlstm: { gates: ["forget", "input", "candidate"], recurrent: false, step: minLSTMStep },
};

// In all steps: x, g are where the step's inputs and gates begin, h where its new state, p where the state before.

function elmanStep({ cell, size, states, inputs, gates, fromHidden }, x, g, h) {
  for (let k = 0; k < size; k++) {
    const sum = inputs[x + k] + fromHidden[k];
    states[h + k] = gates[g + k] = cell === "elman" ? Math.tanh(sum) : Math.max(0, sum);
  }
}

function gruStep({ size, states, inputs, gates, fromHidden }, x, g, h, p) {
  for (let k = 0; k < size; k++) {
    const reset = sigmoid(inputs[x + k] + fromHidden[k]);
    const update = sigmoid(inputs[x + size + k] + fromHidden[size + k]);
    const candidate = Math.tanh(inputs[x + 2 * size + k] + reset * fromHidden[2 * size + k]);
    gates[g + k] = reset;
    gates[g + size + k] = update;
    gates[g + 2 * size + k] = candidate;
    states[h + k] = candidate + update * (states[p + k] - candidate);
  }
}

function lstmStep({ size, states, memories, inputs, gates, fromHidden }, x, g, h, p) {
  for (let k = 0; k < size; k++) {
    const into = sigmoid(inputs[x + k] + fromHidden[k]);
    const forget = sigmoid(inputs[x + size + k] + fromHidden[size + k]);
    const proposal = Math.tanh(inputs[x + 2 * size + k] + fromHidden[2 * size + k]);
    const output = sigmoid(inputs[x + 3 * size + k] + fromHidden[3 * size + k]);
    gates[g + k] = into;
    gates[g + size + k] = forget;
    gates[g + 2 * size + k] = proposal;
    gates[g + 3 * size + k] = output;
    const memory = forget * memories[p + k] + into * proposal;
    memories[h + k] = memory;
    states[h + k] = output * Math.tanh(memory);
  }
}

function minGRUStep({ size, states, inputs, gates }, x, g, h, p) {
  for (let k = 0; k < size; k++) {
    const update = sigmoid(inputs[x + k]);
    const candidate = inputs[x + size + k];
    gates[g + k] = update;
    gates[g + size + k] = candidate;
    states[h + k] = (1 - update) * states[p + k] + update * candidate;
  }
}

function minLSTMStep({ size, states, inputs, gates }, x, g, h, p) {
  for (let k = 0; k < size; k++) {
    // f / (f + i) = sigmoid(ln f - ln i), and ln sigmoid(x) = -softplus(-x): both near 0 give no 0 / 0.
    const ratio = softplus(-inputs[x + size + k]) - softplus(-inputs[x + k]);
    const [forget, into] = [sigmoid(ratio), sigmoid(-ratio)];
    const candidate = inputs[x + 2 * size + k];
    gates[g + k] = forget;
    gates[g + size + k] = into;
    gates[g + 2 * size + k] = candidate;
    states[h + k] = forget * states[p + k] + into * candidate;
  }
}
