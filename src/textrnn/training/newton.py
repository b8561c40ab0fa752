"""Logistic regressions of several "inside or not" problems on the same sparse matrix, all at once.

For problem k, with h_d the row of text d, y_dk = 1 inside and -1 outside, a_dk the text's weight:

    minimise over u, b    sum_f u_f^2 / (2 r_fk^2) + b^2 / 2 + C sum_d a_dk log(1 + exp(-y_dk (b + h_d u)))

which is L2-regularised logistic regression on the columns times r_k, with coefficients u / r_k. Newton's method, its
steps solved by conjugate gradients with a diagonal preconditioner and shortened until the loss falls enough: algorithm
7.1 of Nocedal and Wright (2006), "Numerical Optimization"; for this problem Lin, Weng and Keerthi (2008), JMLR 9,
627-650. One product with the matrix serves many problems; that is what makes it fast (docs/benchmarks.md).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.errors import TextRNNError
from textrnn.native.sparse import sparse_product

Floats = NDArray[np.float32]

ENOUGH = 1e-4
"""A problem is solved when a step promises to lower its loss by no more than this part of it."""
STEPS, DIRECTIONS, HALVINGS = 50, 50, 30
"""At most: steps of Newton's method, directions of conjugate gradients for one, halvings of one."""
ROUGHLY = 0.3
"""Part of the gradient that may be left where a step is solved."""
SUFFICIENT = 1e-4
"""Part of the promised decrease that a step must bring."""
LEAST_RATIO = 1e-6
"""Nearer to 0 a column says nothing."""
MOST_NUMBERS, MOST_PROBLEMS = 4_000_000, 16
"""Of a block of problems: an array of features times problems has 16 MB, its row is a cache line."""


class Columns:
    """A sparse matrix in both directions, for products with few vectors at a time.

    Args:
        matrix: compressed rows of 32-bit floats. [texts, features]
    """

    def __init__(self, matrix: Any) -> None:
        self._rows, self._transposed = matrix, matrix.T.tocsr()
        self._ones = np.ones((matrix.shape[0], 1), np.float32)

    def forward(self, weights: Floats) -> Floats:
        """Scores from weights and, below them, the biases. [features + 1, problems] -> [texts, problems]"""
        scores: Floats = sparse_product(self._rows, weights[:-1])
        scores += self._ones @ weights[-1:]
        return scores

    def backward(self, errors: Floats) -> Floats:
        """Gradient over weights and biases. [texts, problems] -> [features + 1, problems]"""
        return _above(sparse_product(self._transposed, errors), errors.sum(axis=0))

    def diagonal(self, curvatures: Floats) -> Floats:
        """That of the Hessian. [texts, problems] -> [features + 1, problems]"""
        return _above(sparse_product(self._transposed, curvatures, squared=True), curvatures.sum(axis=0))


def block_size(features: int) -> int:
    """How many problems are solved at once."""
    return int(np.clip(MOST_NUMBERS // max(features, 1), 1, MOST_PROBLEMS))


def logistic(
    columns: Columns,
    ratios: Floats,
    inside: NDArray[np.bool_],
    weights: Floats,
    strength: float,
    start: Floats | None = None,
) -> Floats:
    """u of every problem and, in the last row, b.

    Args:
        columns: what the texts hold.
        ratios: r. [features, problems]
        inside: [texts, problems]
        weights: a. [texts, problems]
        strength: C.
        start: where to begin, such as the result of another C; None: at 0. [features + 1, problems]

    Returns:
        [features + 1, problems]
    """
    squares: Floats = np.maximum(np.abs(ratios), np.float32(LEAST_RATIO)) ** 2
    penalty = _above(np.float32(1) / squares, np.ones(inside.shape[1]))
    signs = np.where(inside, np.float32(1), np.float32(-1))
    costs: Floats = np.float32(strength) * weights
    found = np.zeros_like(penalty) if start is None else start.copy()
    scores = columns.forward(found) if start is not None else np.zeros(inside.shape, np.float32)

    def loss_of(scores: Floats) -> NDArray[np.float64]:
        losses: NDArray[np.float64] = np.einsum("dk,dk->k", costs, np.logaddexp(0, -signs * scores), dtype=np.float64)
        return losses

    quadratic = _dot(found, penalty * found) / 2
    loss = loss_of(scores) + quadratic
    for _ in range(STEPS):
        # The probability of the other answer.
        wrong: Floats = np.reciprocal(1 + np.exp(np.clip(signs * scores, -80, 80)))
        gradient = penalty * found + columns.backward(-(signs * costs * wrong))
        curvatures: Floats = costs * wrong * (1 - wrong)
        step, its_scores = _newton_step(columns, penalty, curvatures, gradient)
        slope = _dot(gradient, step)
        length = _length(scores, its_scores, found, step, penalty, loss, quadratic, slope, loss_of)
        found += _times(step, length)
        scores += _times(its_scores, length)
        quadratic = _dot(found, penalty * found) / 2
        loss = loss_of(scores) + quadratic
        if not np.isfinite(loss).all():
            raise TextRNNError("the weights of the n-grams are no longer finite numbers")
        if ((-slope <= ENOUGH * loss) | (length == 0)).all():
            break
    return found


def _newton_step(columns: Columns, penalty: Floats, curvatures: Floats, gradient: Floats) -> tuple[Floats, Floats]:
    """Of each problem, and what it adds to the scores. [features + 1, problems], [texts, problems]"""
    preconditioner = penalty + columns.diagonal(curvatures)
    step, its_scores = np.zeros_like(gradient), np.zeros_like(curvatures)
    left = -gradient
    scaled = left / preconditioner
    direction = scaled.copy()
    size = first = _dot(left, scaled)
    for _ in range(DIRECTIONS):
        going_on = size > ROUGHLY**2 * first
        if not going_on.any():
            break
        forward = columns.forward(direction)
        image = penalty * direction + columns.backward(curvatures * forward)
        along = np.where(going_on, size / np.maximum(_dot(direction, image), 1e-30), 0)
        step += _times(direction, along)
        its_scores += _times(forward, along)
        left -= _times(image, along)
        scaled = left / preconditioner
        before, size = size, np.where(going_on, _dot(left, scaled), size)
        direction = scaled + _times(direction, size / np.maximum(before, 1e-30))
    return step, its_scores


def _length(
    scores: Floats,
    its_scores: Floats,
    found: Floats,
    step: Floats,
    penalty: Floats,
    loss: NDArray[np.float64],
    quadratic: NDArray[np.float64],
    slope: NDArray[np.float64],
    loss_of: Any,
) -> Floats:
    """How much of the step lowers the loss enough, of each problem: 1, a half, a quarter, ... or 0. [problems]"""
    penalized = penalty * step
    linear, own = _dot(found, penalized), _dot(step, penalized) / 2
    length = np.ones(len(loss), np.float32)
    for _ in range(HALVINGS):
        after = loss_of(scores + _times(its_scores, length)) + quadratic + length * linear + length**2 * own
        # What 32-bit floats cannot tell apart counts as enough.
        short = after > loss + SUFFICIENT * length * slope + 1e-7 * np.abs(loss)
        if not short.any():
            return length
        length[short] /= 2
    return np.where(short, np.float32(0), length)


def _dot(left: Floats, right: Floats) -> NDArray[np.float64]:
    """Of each column. [rows, problems] twice -> [problems]"""
    return (np.ones(len(left), np.float32) @ (left * right)).astype(np.float64)


def _times(matrix: Floats, factors: NDArray[Any]) -> Floats:
    """Every column times its factor; as a product of matrices, since NumPy is slow at stretching rows this short."""
    product: Floats = matrix @ np.diag(factors.astype(np.float32))
    return product


def _above(matrix: Floats, row: NDArray[Any]) -> Floats:
    """A matrix with one more row below it."""
    return np.concatenate([matrix, row[np.newaxis].astype(np.float32)])
