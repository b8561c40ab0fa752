"""One text read token by token by the native kernels, in memory that does not grow."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textrnn.native.interface import StreamRecord, padded
from textrnn.native.memory import aligned

if TYPE_CHECKING:
    from textrnn.runtime.native_network import NativeNetwork


class NativeTokenStream:
    """The states of every layer after the tokens so far, and their pool; see `textrnn.runtime.engines.TokenStream`."""

    def __init__(self, network: "NativeNetwork") -> None:
        self._network = network
        size, layers = padded(network.config.hidden_size), network.config.layers
        self._states = aligned((2, layers, size))
        self._pool = aligned((size,), np.float64)
        self._record = StreamRecord(hidden=self._states[0].ctypes.data, pool=self._pool.ctypes.data)
        if network.config.cell == "lstm":
            self._record.memory = self._states[1].ctypes.data
        self._padding = np.zeros(1, dtype=np.int32)
        self.reset()

    def reset(self) -> None:
        """Forget all tokens."""
        self._states[...] = 0
        self._pool[...] = 0
        self._record.steps = 0

    def push(self, ids: NDArray[np.int32]) -> None:
        """Read some tokens. [time]"""
        ids = np.ascontiguousarray(ids, dtype=np.int32)
        self._network.call("textrnn_stream_read", ids, self._record, ids.ctypes.data, len(ids))

    def logits(self) -> NDArray[np.float32]:
        """Scores after the tokens so far. [classes]

        With `padding="through"` the padding up to the maximal length is read anew each time, on a copy.
        """
        scores = np.empty(self._network.classes, dtype=np.float32)
        padding = max(0, self._network.pad_to - self._record.steps)
        self._network.call("textrnn_stream_scores", self._padding, self._record, padding, scores.ctypes.data)
        return scores
