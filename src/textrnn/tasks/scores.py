"""From scores to probabilities, in double precision."""

import numpy as np
from numpy.typing import NDArray


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probabilities in double precision; each row sums to 1. [batch, classes]"""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=1, keepdims=True)
    return shifted


def sigmoid(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)) of every number, without overflow."""
    scores = logits.astype(np.float64)
    small = np.exp(-np.abs(scores))
    found: NDArray[np.float64] = np.where(scores >= 0, 1.0, small) / (1 + small)
    return found


def log_sigmoid(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """The logarithm of `sigmoid`, exact where that is all but 0."""
    scores = logits.astype(np.float64)
    found: NDArray[np.float64] = np.minimum(scores, 0) - np.log1p(np.exp(-np.abs(scores)))
    return found
