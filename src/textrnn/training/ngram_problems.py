"""What texts hold of n-grams, and the linear problems on it that the n-gram part is made of; see ngram_weights.py."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.runtime.ngram_scores import kinds
from textrnn.tasks import Problem
from textrnn.text.native_words import Flat
from textrnn.training.newton import Columns, Floats, block_size, logistic

Solver = Callable[[float], Floats]
"""C -> r v of each n-gram, on the matrix of `Held`, and below them the biases. [n-grams + 1, problems]"""


@dataclass(frozen=True)
class Held:
    """What the training texts hold."""

    known: NDArray[np.int32]
    """Keys of the n-grams that several texts hold, ascending. [n-grams]"""
    matrix: Any
    """m / sqrt(n_d) where a text holds an n-gram. [texts, n-grams], sparse"""
    factors: NDArray[np.float64]
    """m of each n-gram's kind. [n-grams]"""

    @classmethod
    def of(cls, read: Flat) -> "Held":
        """From what a reader has found in the texts."""
        from scipy.sparse import csr_array

        keys, offsets = read
        texts = len(offsets) - 1
        owners = np.repeat(np.arange(texts, dtype=np.int32), np.diff(offsets))
        values, factor_of = np.zeros(len(keys), dtype=np.float32), np.zeros(2)
        for row, kind in enumerate(kinds(keys)):
            roots = np.sqrt(np.bincount(owners[kind], minlength=texts))
            factor_of[row] = roots.mean()
            values[kind] = (factor_of[row] / np.maximum(roots, 1))[owners[kind]]
        known, columns, counts = np.unique(keys, return_inverse=True, return_counts=True)
        shared = counts > 1
        places = np.cumsum(shared, dtype=np.int32) - np.int32(1)
        kept = shared[columns]
        # the native kernels and scikit-learn want indices of 32 bits
        ends = np.concatenate([[0], np.cumsum(kept)])[offsets].astype(np.int32)
        matrix = csr_array((values[kept], places[columns[kept]], ends), shape=(texts, int(shared.sum())))
        return cls(known[shared], matrix, factor_of[(kinds(known[shared])[1]).astype(int)])

    def ratios(self, problem: Problem, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """r of one problem, a text counting as many times as it weighs. [n-grams]"""
        if problem.values.dtype.kind != "b":
            return np.ones(len(self.known))
        matrix = self.of_rows(problem)
        if weights is not None and problem.rows is not None:
            weights = weights[problem.rows]
        inside = problem.values if weights is None else weights * problem.values
        entries = np.diff(matrix.indptr)
        everywhere, within = (
            np.bincount(
                matrix.indices, None if of_texts is None else np.repeat(of_texts, entries), minlength=len(self.known)
            )
            for of_texts in (weights, inside)
        )
        p, q = 1.0 + within, 1.0 + everywhere - within
        found = np.zeros(len(self.known))
        for kind in kinds(self.known):
            found[kind] = np.log(p[kind] / p[kind].sum()) - np.log(q[kind] / q[kind].sum())
        return found

    def of_rows(self, problem: Problem) -> Any:
        """The rows of the matrix that a problem is about."""
        return self.matrix if problem.rows is None else self.matrix[problem.rows]


class Logistic:
    """Several problems of "inside or not", solved together; each C begins where the one before has ended.

    Args:
        held, columns: what the texts hold.
        problems: with texts on both sides.
        weights: of the texts in the counts. [texts]
    """

    def __init__(
        self, held: Held, columns: Columns, problems: Sequence[Problem], weights: NDArray[np.float64] | None
    ) -> None:
        self._columns = columns
        self._ratios = np.stack([held.ratios(problem, weights) for problem in problems], axis=1).astype(np.float32)
        texts = held.matrix.shape[0]
        self._inside = np.zeros((texts, len(problems)), dtype=np.bool_)
        self._weights = np.zeros((texts, len(problems)), dtype=np.float32)  # of texts that a problem is not about: 0
        for k, problem in enumerate(problems):
            rows = slice(None) if problem.rows is None else problem.rows
            self._inside[rows, k] = problem.values
            self._weights[rows, k] = 1 if problem.weights is None else problem.weights
        self._found: Floats | None = None

    def __call__(self, strength: float) -> Floats:
        self._found = logistic(self._columns, self._ratios, self._inside, self._weights, strength, self._found)
        return self._found


def together(problems: Sequence[Problem], ngrams: int) -> list[list[Problem]]:
    """The problems in groups that are solved at once."""
    alike = [problem for problem in problems if ngrams and _two_sided(problem)]
    size = block_size(ngrams)
    blocks = [alike[first : first + size] for first in range(0, len(alike), size)]
    return blocks + [[problem] for problem in problems if not (ngrams and _two_sided(problem))]


def solver_of(held: Held, columns: Columns, problems: Sequence[Problem], weights: NDArray[np.float64] | None) -> Solver:
    """The solver of a group that `together` has made."""
    first = problems[0]
    if first.values.dtype.kind != "b":
        return lambda strength: _number(held, first, strength)
    if len(held.known) and _two_sided(first):
        return Logistic(held, columns, problems, weights)
    return lambda strength: _odds(held, first)


def _two_sided(problem: Problem) -> bool:
    inside = problem.values
    return inside.dtype.kind == "b" and bool(inside.any()) and not inside.all()


def _odds(held: Held, problem: Problem) -> Floats:
    """Nothing to tell by: the odds, with one text more on either side."""
    yes = float(problem.values.sum())
    found = np.zeros((len(held.known) + 1, 1), dtype=np.float32)
    found[-1] = np.log((yes + 1) / (len(problem.values) - yes + 1))
    return found


def _number(held: Held, problem: Problem, strength: float) -> Floats:
    """v and the bias of a number."""
    from sklearn.linear_model import Ridge

    found = np.zeros((len(held.known) + 1, 1), dtype=np.float32)
    if not len(held.known):
        found[-1] = np.average(problem.values, weights=problem.weights)
        return found
    model = Ridge(alpha=1 / strength, solver="sparse_cg", tol=1e-5, max_iter=1000)
    model.fit(held.of_rows(problem), problem.values, sample_weight=problem.weights)
    found[:-1, 0], found[-1] = model.coef_, model.intercept_
    return found
