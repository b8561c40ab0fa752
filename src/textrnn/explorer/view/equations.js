// The equation of a cell with the numbers of one unit at one step, as docs/equations.md writes it.

import { added, el, number } from "./format.js";
import { sigmoid } from "../runtime/products.js";

const n = number;
const bracketed = (value) => (value < 0 ? `(${n(value)})` : n(value));

const times = (one, other) => `${n(one)} · ${bracketed(other)}`;

/** Lines of [name, equation, the same with numbers]. */
export function equationLines(cell, { gates, before, after, memoryBefore, memory }) {
  const gate = Object.fromEntries(gates.map((one) => [one.name, one]));
  const sum = ({ fromInput, fromState }) => (fromState === null ? n(fromInput) : `${n(fromInput)} ${added(fromState)}`);
  if (cell === "elman" || cell === "elman_relu") {
    const curve = cell === "elman" ? "tanh" : "relu";
    return [["state", `h = ${curve}(W·x + b + U·h₋₁)`, `${curve}(${sum(gate.candidate)}) = ${n(after)}`]];
  }
  if (cell === "gru") {
    const { reset, update, candidate } = gate;
    return [
      ["reset", "r = σ(W_r·x + b_r + U_r·h₋₁ + d_r)", `σ(${sum(reset)}) = ${n(reset.value)}`],
      ["update", "z = σ(W_z·x + b_z + U_z·h₋₁ + d_z)", `σ(${sum(update)}) = ${n(update.value)}`],
      [
        "candidate",
        "n = tanh(W_n·x + b_n + r·(U_n·h₋₁ + d_n))",
        `tanh(${n(candidate.fromInput)} + ${times(reset.value, candidate.fromState)}) = ${n(candidate.value)}`,
      ],
      [
        "state",
        "h = (1 − z)·n + z·h₋₁",
        `(1 − ${n(update.value)}) · ${bracketed(candidate.value)} + ${times(update.value, before)} = ${n(after)}`,
      ],
    ];
  }
  if (cell === "lstm") {
    const { input, forget, proposal, output } = gate;
    return [
      ["input", "i = σ(W_i·x + b_i + U_i·h₋₁)", `σ(${sum(input)}) = ${n(input.value)}`],
      ["forget", "f = σ(W_f·x + b_f + U_f·h₋₁)", `σ(${sum(forget)}) = ${n(forget.value)}`],
      ["proposal", "g = tanh(W_g·x + b_g + U_g·h₋₁)", `tanh(${sum(proposal)}) = ${n(proposal.value)}`],
      ["output", "o = σ(W_o·x + b_o + U_o·h₋₁)", `σ(${sum(output)}) = ${n(output.value)}`],
      [
        "memory",
        "c = f·c₋₁ + i·g",
        `${times(forget.value, memoryBefore)} + ${times(input.value, proposal.value)} = ${n(memory)}`,
      ],
      ["state", "h = o·tanh(c)", `${n(output.value)} · tanh(${n(memory)}) = ${n(after)}`],
    ];
  }
  if (cell === "mingru") {
    const { update, candidate } = gate;
    return [
      ["update", "z = σ(W_z·x + b_z)", `σ(${n(update.fromInput)}) = ${n(update.value)}`],
      ["candidate", "c = W_c·x + b_c", n(candidate.value)],
      [
        "state",
        "h = (1 − z)·h₋₁ + z·c",
        `(1 − ${n(update.value)}) · ${bracketed(before)} + ${times(update.value, candidate.value)} = ${n(after)}`,
      ],
    ];
  }
  const { forget, input, candidate } = gate;
  const opened = ({ fromInput }) => `σ(${n(fromInput)}) = ${n(sigmoid(fromInput))}`;
  return [
    ["forget", "f = σ(W_f·x + b_f),  f′ = f / (f + i)", `${opened(forget)},  f′ = ${n(forget.value)}`],
    ["input", "i = σ(W_i·x + b_i),  i′ = i / (f + i)", `${opened(input)},  i′ = ${n(input.value)}`],
    ["candidate", "c = W_c·x + b_c", n(candidate.value)],
    ["state", "h = f′·h₋₁ + i′·c", `${times(forget.value, before)} + ${times(input.value, candidate.value)} = ${n(after)}`],
  ];
}

export function equations(cell, numbers) {
  const classes = ["name", "symbols", "values"];
  const lines = equationLines(cell, numbers).map((line) =>
    el("li", {}, ...line.map((text, k) => el("span", { class: classes[k], text }))),
  );
  return el("ol", { class: "equations" }, ...lines);
}
