"""One text read token by token, in NumPy and in memory that does not grow."""

import copy
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textrnn.runtime.pooling import Pool
from textrnn.runtime.steps import Array, State

if TYPE_CHECKING:
    from textrnn.runtime.network import NumpyNetwork


class NumpyTokenStream:
    """The states of every layer after the tokens so far, and their pool; see `textrnn.runtime.engines.TokenStream`."""

    def __init__(self, network: "NumpyNetwork") -> None:
        self._network = network
        self.reset()

    def reset(self) -> None:
        """Forget all tokens."""
        self._states: list[State] = [self._network.new_state(1) for _ in self._network.layers]
        self._pool: Pool = self._network.new_pool(1)
        self._steps = 0

    def push(self, ids: NDArray[np.int32]) -> None:
        """Read some tokens. [time]"""
        self._states = self._read(ids, self._states, self._pool)
        self._steps += len(ids)

    def logits(self) -> NDArray[np.float32]:
        """Scores after the tokens so far. [classes]

        With `padding="through"` the padding up to the maximal length is read anew each time, on a copy.
        """
        pool, steps = self._pool, max(self._steps, self._network.pad_to)
        if padding := steps - self._steps:
            pool = copy.deepcopy(pool)
            self._read(np.zeros(padding, dtype=np.int32), self._states, pool)
        with self._network.calculating():
            logits: Array = self._network.head(pool.result(np.array([steps])))[0]
        return logits

    def _read(self, ids: NDArray[np.int32], states: list[State], pool: Pool) -> list[State]:
        """The states after the ids; `states` stays as it is, `pool` does not."""
        with self._network.calculating():
            self._network.prepared(ids)
            for at in range(len(ids)):
                inputs: NDArray[np.int32] | Array = ids[at : at + 1]
                after = []
                for [cell], before in zip(self._network.layers, states, strict=True):
                    after.append(cell.step(cell.inputs(inputs), before, cell.recurrence))
                    inputs = after[-1].hidden
                states = after
                pool.add(after[-1].hidden)
        return states
