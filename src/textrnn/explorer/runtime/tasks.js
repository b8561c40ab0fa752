// From scores to answers and decisions: textrnn/tasks.

import { sigmoid, softplus } from "./products.js";

export function softmax(scores) {
  const largest = Math.max(...scores);
  const raised = Array.from(scores, (score) => Math.exp(score - largest));
  const sum = raised.reduce((total, value) => total + value, 0);
  return raised.map((value) => value / sum);
}

/** The first of the largest. */
const argmax = (row) => row.reduce((best, value, k) => (value > row[best] ? k : best), 0);

/** Levels: P(y = k) = P(y > k - 1) P(no further), from products of conditional probabilities. */
function levels(scores) {
  let above = 0;
  return Array.from({ length: scores.length + 1 }, (_, k) => {
    if (k) above -= softplus(-scores[k - 1]);
    return Math.exp(above) * (k < scores.length ? sigmoid(-scores[k]) : 1);
  });
}

/** By a task's name: `answers` of scores [outputs], and which answers are decided for, as places. */
export const TASKS = {
  single_label: {
    answers: softmax,
    decided({ threshold, weights }, answers) {
      const weighed = weights && weights.length ? answers.map((value, k) => value * weights[k]) : answers.slice();
      if (!threshold) return [argmax(weighed)];
      weighed[threshold.label] = -1;
      return [answers[threshold.label] >= threshold.value ? threshold.label : argmax(weighed)];
    },
  },
  multi_label: {
    answers: (scores) => Array.from(scores, sigmoid),
    decided({ thresholds }, answers) {
      const limits = thresholds && thresholds.length ? thresholds : answers.map(() => 0.5);
      return answers.flatMap((value, k) => (value >= limits[k] ? [k] : []));
    },
  },
  ordinal: {
    answers: levels,
    decided(task, answers) {
      let below = 0;
      let level = 0;
      for (const probability of answers.slice(0, -1)) {
        below += probability;
        if (1 - below >= 0.5) level++;
      }
      return [level];
    },
  },
  regression: {
    answers: (scores, { mean, std }) => Array.from(scores, (score) => (mean ?? 0) + (std ?? 1) * score),
    decided: () => [],
  },
};

/** The direction of the scores that speaks for a label, [outputs]: with a softmax its score minus the mean of the
 * others', since what all have in common changes nothing; with levels the steps up to it count for it, the one above against it;
 * of several labels and of a number the score itself. */
export function contrast(task, label, outputs) {
  if (task.task === "ordinal") return Array.from({ length: outputs }, (_, k) => (k < label ? 1 : k === label ? -1 : 0));
  const others = task.task === "single_label" ? -1 / (outputs - 1) : 0;
  return Array.from({ length: outputs }, (_, k) => (k === label ? 1 : others));
}
