"""The n-gram part: a linear model over the different n-grams of a text, scaled by how much each tells on its own.

Paper: S. Wang and C. D. Manning (2012), "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification",
ACL 2012, 90-94. For class k and n-gram f, with p_fk = 1 + texts of class k that hold f, q_fk = 1 + other texts that do,
the sums being over the n-grams of the same kind (tokens or characters), of which text d holds n_d:

    r_fk  = log (p_fk / sum_g p_gk) - log (q_fk / sum_g q_gk)
    x_fdk = r_fk m / sqrt(n_d)  where d holds f, else 0; m = mean of sqrt(n_d)
    score_k(d) = bias_k + sum over f of v_fk x_fdk

The division is not in the paper: without it long texts get surer scores than short ones. v and bias_k minimise the log
loss of "class k or not" over the texts, summed, plus (|v|^2 + bias_k^2) / (2 C); newton.py does that. What is kept is
r m v, one number for each n-gram and class. The strength C is chosen on validation texts. N-grams that one training
text only holds are left out. Which problems of this kind there are, the task says; see `textrnn.tasks.task.Problem`.

For a number of each text r_f = 1, and v and the bias minimise the squared error, summed and halved, plus |v|^2 / (2 C):
scaled by the mean number of the texts that hold f, sums of sentences of sst2 were told worse (an error of 0.63 instead
of 0.57 of the variance).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.native import available_threads
from textrnn.runtime.ngram_scores import NgramScores
from textrnn.tasks import SINGLE_LABEL, Problem, Task
from textrnn.text.ngram_reader import NgramReader
from textrnn.text.ngrams import NgramRule
from textrnn.training.newton import Columns
from textrnn.training.ngram_problems import Held, solver_of, together

STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Values of C."""
FIRST = 2
"""Where the search among them begins."""


@dataclass(frozen=True)
class NgramPart:
    """What the n-gram part has learned: a row for each n-gram that several training texts hold."""

    keys: NDArray[np.int32]
    """Ascending. [n-grams]"""
    weight: NDArray[np.float32]
    """r m v. [n-grams, classes]"""
    bias: NDArray[np.float32]
    """[classes]"""
    strength: float
    """The C that was chosen."""

    def tensors(self, scale: float = 1.0) -> dict[str, NDArray[Any]]:
        """As a model file holds them, the scores times `scale`."""
        return {
            "ngrams.key": self.keys,
            "ngrams.weight": (scale * self.weight).astype(np.float32),
            "ngrams.bias": (scale * self.bias).astype(np.float32),
        }


def fit_ngrams(
    texts: Sequence[str],
    targets: NDArray[Any],
    validation: Sequence[str] | None,
    validation_targets: NDArray[Any] | None,
    *,
    tokenizer: str,
    rule: NgramRule,
    classes: int,
    task: Task = SINGLE_LABEL,
    balanced: bool = False,
    strength: float = STRENGTHS[FIRST],
    weights: NDArray[np.float64] | None = None,
) -> NgramPart:
    """Learn the weights.

    Args:
        texts, targets: the training texts and what they have, see `LabelledTexts.targets`.
        validation, validation_targets: the same of the texts that choose C.
        tokenizer, rule: which n-grams there are.
        classes: numbers that come out, the task's outputs.
        task: says which linear models there are.
        balanced: whether classes weigh the same in the loss.
        strength: C where no validation texts choose it.
        weights: of the training texts in the counts and in the loss; None: all 1. [texts]
    """
    problems = [_weighted(problem, weights) for problem in task.problems(targets, classes, balanced=balanced)]
    reader = NgramReader(tokenizer, rule)
    held = Held.of(reader.keys(texts))
    columns = Columns(held.matrix)
    with ThreadPoolExecutor(available_threads()) as pool:
        begun = partial(solver_of, held, columns, weights=weights)
        blocks = together(problems, len(held.known))
        solvers = list(pool.map(begun, blocks))

        def part_of(strength: float) -> NgramPart:
            weight = np.zeros((len(held.known), classes), dtype=np.float32)
            bias = np.zeros(classes, dtype=np.float32)
            for block, found in zip(blocks, pool.map(lambda solve: solve(strength), solvers), strict=True):
                for problem, column in zip(block, found.T, strict=True):
                    for k, factor in problem.columns:
                        weight[:, k] = held.factors * column[:-1] * factor
                        bias[k] = column[-1] * factor
            return NgramPart(held.known, weight, bias, strength)

        if validation is None or validation_targets is None:
            return part_of(strength)
        read = reader.keys(validation)
        validated = validation_targets

        def loss(part: NgramPart) -> float:
            scores = NgramScores(part.tensors(), tokenizer, rule).scores_of(read).astype(np.float64)
            return _least_loss(scores, validated, task)

        return _climb(part_of, loss)


def _weighted(problem: Problem, weights: NDArray[np.float64] | None) -> Problem:
    """The problem with its texts weighing so much more or less."""
    if weights is None:
        return problem
    own = weights if problem.rows is None else weights[problem.rows]
    return problem._replace(weights=own if problem.weights is None else own * problem.weights)


def _climb(part_of: Callable[[float], NgramPart], loss: Callable[[NgramPart], float]) -> NgramPart:
    """The best of `STRENGTHS`, from `FIRST` downwards or upwards as long as it gets better."""
    best = part_of(STRENGTHS[FIRST])
    least = loss(best)
    for step in (1, -1):
        at = FIRST + step
        while 0 <= at < len(STRENGTHS):
            part = part_of(STRENGTHS[at])
            if (found := loss(part)) >= least:
                break
            best, least, at = part, found, at + step
        if best.strength != STRENGTHS[FIRST]:
            break
    return best


def _least_loss(scores: NDArray[np.float64], targets: NDArray[Any], task: Task) -> float:
    """The loss of the scores times the factor that makes it least: what the scales make of them later."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda power: task.loss_and_slope(targets, np.exp(power) * scores)[0], bounds=(-4, 4), method="bounded"
    )
    return float(found.fun)
