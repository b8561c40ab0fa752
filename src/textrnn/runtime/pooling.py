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
        # In double precision: the error of a sum of a million 32-bit numbers would show.
        self._sum = np.zeros((rows, hidden_size), dtype=np.float64)

    def add(self, hidden: Array) -> None:
        self._sum[: len(hidden)] += hidden

    def result(self, lengths: NDArray[np.int64]) -> Array:
        return (self._sum / np.maximum(lengths, 1)[:, None]).astype(np.float32)


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
