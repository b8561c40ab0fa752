"""The states of a text to one vector, step by step, so that states need not be kept."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class Pool(Protocol):
    """Sees the states of a block of texts step by step, the longest text first."""

    def __init__(self, rows: int, hidden_size: int) -> None: ...

    def add(self, hidden: Array) -> None:
        """The states of the rows that still read, which come first. [alive, hidden]"""

    def result(self, lengths: NDArray[np.int64]) -> Array:
        """One vector a row, given the steps of each; zeros for a text without steps. [rows, hidden]"""


class LastPool:
    """The state after the last step that was read."""

    def __init__(self, rows: int, hidden_size: int) -> None:
        self._last = np.zeros((rows, hidden_size), dtype=np.float32)

    def add(self, hidden: Array) -> None:
        self._last[: len(hidden)] = hidden

    def result(self, lengths: NDArray[np.int64]) -> Array:
        return self._last


class MeanPool:
    """The mean of the states."""

    def __init__(self, rows: int, hidden_size: int) -> None:
        self._recent = np.zeros((rows, hidden_size), dtype=np.float32)
        # In double precision, since the error of a sum of a million 32-bit numbers would show; but not at each step,
        # since that takes nine times as long.
        self._sum = np.zeros((rows, hidden_size), dtype=np.float64)
        self._steps = 0

    def add(self, hidden: Array) -> None:
        self._recent[: len(hidden)] += hidden
        self._steps += 1
        if self._steps % 128 == 0:
            self._sum += self._recent
            self._recent[:] = 0

    def result(self, lengths: NDArray[np.int64]) -> Array:
        return ((self._sum + self._recent) / np.maximum(lengths, 1)[:, None]).astype(np.float32)


class MaxPool:
    """The largest value of each unit."""

    def __init__(self, rows: int, hidden_size: int) -> None:
        self._largest = np.full((rows, hidden_size), -np.inf, dtype=np.float32)

    def add(self, hidden: Array) -> None:
        largest = self._largest[: len(hidden)]
        np.maximum(largest, hidden, out=largest)

    def result(self, lengths: NDArray[np.int64]) -> Array:
        return np.where(lengths[:, None] > 0, self._largest, np.float32(0))


POOLS: dict[str, type[Pool]] = {"last": LastPool, "mean": MeanPool, "max": MaxPool}
"""Every pooling by the name it has in a configuration."""
