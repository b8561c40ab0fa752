"""The forward pass without PyTorch: ids to logits."""

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from textrnn.config import ModelConfig
from textrnn.modelfile import Weights
from textrnn.runtime.steps import STEPS

ROWS = 32
"""Texts that are computed together. The number is fixed, short batches are filled up: a matrix product sums in an order
that depends on its shape, so only equal shapes give a text the same bits whatever its batch-mates."""


LARGEST_FOLD = 16
"""The table of folded embeddings takes at most this many times the memory of the embedding itself."""


class Network:
    """Embedding, cell, pooling and head on given weights."""

    def __init__(self, config: ModelConfig, weights: Weights, *, max_length: int) -> None:
        """`max_length` in tokens; with `padding="through"` every text is padded to it."""
        self.config = config
        self.pad_to = max_length if config.padding == "through" else 0
        self._step = STEPS[config.cell]
        # The embedding is folded into the input projection: what is left of W_ih x + b is a row of this table. With
        # a narrow embedding a model file of 50 MB could ask for a table of 16 GB, so there it is left as it is.
        self._table = weights["embedding.weight"]  # [vocabulary, gates * hidden], or else [vocabulary, embedding]
        self._projection = np.ascontiguousarray(weights["cell.from_input.weight"].T)
        self._bias = weights["cell.from_input.bias"]
        self._folded = self._projection.shape[1] <= LARGEST_FOLD * self._projection.shape[0]
        if self._folded:
            self._table = self._project(self._table)
        self._recurrent = np.ascontiguousarray(weights["cell.from_hidden.weight"].T)
        self._head = np.ascontiguousarray(weights["head.weight"].T)
        self._head_bias = weights["head.bias"]

    def logits(self, texts: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Scores before the softmax. [batch, classes]

        Args:
            texts: the ids of each text, [time], of any lengths; an empty text is legal.
        """
        logits = np.empty((len(texts), len(self._head_bias)), dtype=np.float32)
        lengths = np.array([len(ids) for ids in texts], dtype=np.int64)
        by_length = np.argsort(-lengths, kind="stable")
        with _blas().limit(limits=1, user_api="blas"):
            for start in range(0, len(texts), ROWS):
                rows = by_length[start : start + ROWS]
                logits[rows] = self._block([texts[row] for row in rows])
        return logits

    def _block(self, texts: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Logits of at most ROWS texts, the longest first. [batch, classes]"""
        lengths = np.array([max(len(ids), self.pad_to) for ids in texts])
        time = int(lengths[0])
        ids = np.zeros((time, ROWS), dtype=np.int32)
        for row, text in enumerate(texts):
            ids[: len(text), row] = text
        alive_rows = (np.arange(time)[:, None] < lengths).sum(axis=1).tolist()  # [time]
        hidden = np.zeros((ROWS, self._recurrent.shape[0]), dtype=np.float32)
        pooled = hidden.copy()
        if self.config.pooling == "max" and time:
            pooled[: alive_rows[0]] = -np.inf
        for t, alive in enumerate(alive_rows):
            looked_up = self._table[ids[t]]
            stepped = self._step(looked_up if self._folded else self._project(looked_up), hidden, self._recurrent)
            hidden[:alive] = stepped[:alive]  # rows are sorted by length, so those still alive come first
            if self.config.pooling == "mean":
                pooled[:alive] += stepped[:alive]
            elif self.config.pooling == "max":
                np.maximum(pooled[:alive], stepped[:alive], out=pooled[:alive])
        if self.config.pooling == "mean":
            pooled[: len(texts)] /= np.maximum(lengths, 1).astype(np.float32)[:, None]
        elif self.config.pooling == "last":
            pooled = hidden
        logits: NDArray[np.float32] = (pooled @ self._head + self._head_bias)[: len(texts)]
        return logits

    def _project(self, embedded: NDArray[np.float32]) -> NDArray[np.float32]:
        """W_ih x + b. [rows, gates * hidden]"""
        projected: NDArray[np.float32] = embedded @ self._projection
        projected += self._bias
        return projected


@functools.cache
def _blas() -> ThreadpoolController:
    """Holds BLAS to one thread: the products are small, and two threads that wait for each other take 3 to 50 times
    as long as one.
    """
    return ThreadpoolController()


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities in double precision; each row sums to 1. [batch, classes]"""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=1, keepdims=True)
    return shifted
