// The equation of a cell with the numbers of one unit at one step, as docs/equations.md writes it.

import { added, el, number } from "./format.js";
import { sigmoid } from "../runtime/products.js";

const n = number;
const bracketed = (value) => (value < 0 ? `(${n(value)})` : n(value));

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
        `tanh(${n(candidate.fromInput)} + ${n(reset.value)} · ${bracketed(candidate.fromState)}) = ${n(candidate.value)}`,
      ],
      [
        "state",
        "h = (1 − z)·n + z·h₋₁",
        `(1 − ${n(update.value)}) · ${bracketed(candidate.value)} + ${n(update.value)} · ${bracketed(before)} = ${n(after)}`,
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
        `${n(forget.value)} · ${bracketed(memoryBefore)} + ${n(input.value)} · ${bracketed(proposal.value)} = ${n(memory)}`,
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
        `(1 − ${n(update.value)}) · ${bracketed(before)} + ${n(update.value)} · ${bracketed(candidate.value)} = ${n(after)}`,
      ],
    ];
  }
  const { forget, input, candidate } = gate;
  const [f, i] = [sigmoid(forget.fromInput), sigmoid(input.fromInput)];
  return [
    ["forget", "f = σ(W_f·x + b_f),  f′ = f / (f + i)", `σ(${n(forget.fromInput)}) = ${n(f)},  f′ = ${n(forget.value)}`],
    ["input", "i = σ(W_i·x + b_i),  i′ = i / (f + i)", `σ(${n(input.fromInput)}) = ${n(i)},  i′ = ${n(input.value)}`],
    ["candidate", "c = W_c·x + b_c", n(candidate.value)],
    ["state", "h = f′·h₋₁ + i′·c", `${n(forget.value)} · ${bracketed(before)} + ${n(input.value)} · ${bracketed(candidate.value)} = ${n(after)}`],
  ];
}

export function equations(cell, numbers) {
  const lines = equationLines(cell, numbers).map(([name, symbols, values]) =>
    el("li", {}, el("span", { class: "name", text: name }), el("span", { class: "symbols", text: symbols }), el("span", { class: "values", text: values })),
  );
  return el("ol", { class: "equations" }, ...lines);
}
