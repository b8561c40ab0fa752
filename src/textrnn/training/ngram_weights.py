"""The n-gram part: a linear model over the different n-grams of a text, scaled by how much each tells on its own.

Paper: S. Wang and C. D. Manning (2012), "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification",
ACL 2012, 90-94. For class k and n-gram f, with p_fk = 1 + texts of class k that hold f, q_fk = 1 + other texts that do:

    r_fk  = log (p_fk / sum_g p_gk) - log (q_fk / sum_g q_gk)
    score_k(text) = bias_k + sum over its different n-grams f of r_fk v_fk

v and bias_k minimise the log loss of "class k or not" over the texts, summed, plus |v|^2 / (2 C). What is kept is r v,
one number for each n-gram and class. The strength C is chosen on validation texts. Which problems of this kind there
are, the task says; see `textrnn.tasks.task.Problem`.

For a number of each text r_f = 1, and v and the bias minimise the squared error, summed and halved, plus |v|^2 / (2 C):
scaled by the mean number of the texts that hold f, sums of sentences of sst2 were told worse (an error of 0.63 instead
of 0.57 of the variance).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.data import EncodedTexts
from textrnn.runtime.ngram_scores import NgramScores
from textrnn.tasks import SINGLE_LABEL, Problem, Task
from textrnn.text.ngrams import ngram_keys

STRENGTHS = (1.0, 0.1)
"""Values of C that are tried: short texts want the first, long ones the second."""


@dataclass(frozen=True)
class NgramPart:
    """What the n-gram part has learned: a row for each n-gram that several training texts hold."""

    keys: NDArray[np.int32]
    """Ascending. [n-grams]"""
    weight: NDArray[np.float32]
    """r v. [n-grams, classes]"""
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
    texts: EncodedTexts,
    targets: NDArray[Any],
    validation: EncodedTexts | None,
    validation_targets: NDArray[Any] | None,
    *,
    longest: int,
    classes: int,
    task: Task = SINGLE_LABEL,
    balanced: bool = False,
) -> NgramPart:
    """Learn the weights.

    Args:
        texts, targets: the training texts and what they have, see `LabelledTexts.targets`.
        validation, validation_targets: the same of the texts that choose C; else it is the first of `STRENGTHS`.
        longest: tokens of the longest n-gram.
        classes: numbers that come out, the task's outputs.
        task: says which linear models there are.
        balanced: whether classes weigh the same in the loss.
    """
    problems = task.problems(targets, classes, balanced=balanced)
    keys, starts = ngram_keys(texts.ids, texts.offsets, longest)
    known, columns, counts = np.unique(keys, return_inverse=True, return_counts=True)
    matrix = csr_of(columns, starts, len(known))
    shared = counts > 1
    parts = []
    for strength in STRENGTHS if validation is not None else STRENGTHS[:1]:
        weight = np.zeros((len(known), classes), dtype=np.float32)
        bias = np.zeros(classes, dtype=np.float32)
        for problem in problems:
            solve = _inside_or_not if problem.values.dtype.kind == "b" else _number
            solution, shift = solve(matrix if problem.rows is None else matrix[problem.rows], problem, strength)
            for k, factor in problem.columns:
                weight[:, k], bias[k] = solution * np.float32(factor), shift * factor
        parts.append(NgramPart(known[shared], weight[shared], bias, strength))
    if validation is None or validation_targets is None:
        return parts[0]

    def loss(part: NgramPart) -> float:
        scores = NgramScores(part.tensors(), longest).logits_of(validation.ids, validation.offsets)
        return task.loss_and_slope(validation_targets, scores)[0]

    return min(parts, key=loss)


def csr_of(columns: NDArray[np.int64], starts: NDArray[np.int64], width: int) -> Any:
    """Rows of ones at some columns. [len(starts) - 1, width]"""
    from scipy.sparse import csr_array

    # scikit-learn wants indices of 32 bits
    indices, starts = columns.astype(np.int32), starts.astype(np.int32)
    return csr_array((np.ones(len(indices), dtype=np.float32), indices, starts), shape=(len(starts) - 1, width))


def _inside_or_not(matrix: Any, problem: Problem, strength: float) -> tuple[NDArray[np.float32], float]:
    """r v [n-grams] and the bias of one class."""
    from sklearn.linear_model import LogisticRegression

    inside = problem.values
    if inside.all() or not inside.any():  # nothing to tell apart: the odds of one text more on either side
        yes = float(inside.sum())
        return np.zeros(matrix.shape[1], dtype=np.float32), float(np.log((yes + 1) / (len(inside) - yes + 1)))
    p, q = 1 + matrix.T @ inside.astype(np.float64), 1 + matrix.T @ (~inside).astype(np.float64)
    ratios = np.log(p / p.sum()) - np.log(q / q.sum())
    model = LogisticRegression(C=strength, solver="liblinear", random_state=0, max_iter=100)
    model.fit(_scaled(matrix, ratios), inside, sample_weight=problem.weights)
    return (ratios * model.coef_[0]).astype(np.float32), float(model.intercept_[0])


def _number(matrix: Any, problem: Problem, strength: float) -> tuple[NDArray[np.float32], float]:
    """v [n-grams] and the bias of a number."""
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=1 / strength, solver="sparse_cg", tol=1e-5, max_iter=1000)
    model.fit(matrix, problem.values, sample_weight=problem.weights)
    return model.coef_.astype(np.float32), float(model.intercept_)


def _scaled(matrix: Any, factors: NDArray[np.float64]) -> Any:
    """A matrix of ones with its columns times these; in place of the ones, so that indices keep their 32 bits."""
    scaled = matrix.copy()
    scaled.data = factors[matrix.indices]
    return scaled
