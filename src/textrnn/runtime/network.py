"""The forward pass without PyTorch: ids to logits, in NumPy."""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textrnn.config import ModelConfig
from textrnn.modelfile import CELL_TENSORS, Weights, directions, prefix
from textrnn.runtime.inputs import ROWS, StateInput, TokenInput
from textrnn.runtime.packing import Packing
from textrnn.runtime.pooling import POOLS, Pool
from textrnn.runtime.steps import STEPS, Array, Recurrence, State, initial_state
from textrnn.runtime.token_stream import NumpyTokenStream

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

_NOTHING = np.zeros((1, 0), dtype=np.float32)


class Direction:
    """One direction of one layer: a cell that reads every text from one end."""

    def __init__(self, cell: str, weights: Weights, place: str, inputs: Callable[[Any], Array]) -> None:
        """`inputs`: W_ih x + b of ids or of the states below; `place`: what the names of its tensors begin with."""
        self.inputs = inputs
        self.step = STEPS[cell]
        parts = CELL_TENSORS[cell]
        self.recurrence = Recurrence(
            np.ascontiguousarray(weights[f"{place}from_hidden.weight"].T) if parts.from_hidden else _NOTHING,
            weights[f"{place}from_hidden.bias"] if parts.hidden_bias else _NOTHING[0],
        )


class NumpyNetwork:
    """Embedding, layers, pooling and head on given weights: an engine that runs everywhere."""

    def __init__(
        self,
        config: ModelConfig,
        weights: Weights,
        *,
        max_length: int,
        compress: str | None = None,
        precision: str | None = None,
    ) -> None:
        """See `textrnn.runtime.engines.Engine`; all products are in 32 bits."""
        self.config = config
        self.pad_to = max_length if config.padding == "through" else 0
        names = directions(config)
        self.tokens = [TokenInput(weights, prefix(0, name), directions=len(names), compress=compress) for name in names]
        self.layers: list[list[Direction]] = []
        for layer in range(config.layers):
            places = [prefix(layer, name) for name in names]
            inputs: Sequence[Callable[[Any], Array]] = self.tokens
            if layer:
                inputs = [StateInput(weights, place) for place in places]
            self.layers.append(
                [Direction(config.cell, weights, place, read) for place, read in zip(places, inputs, strict=True)]
            )
        self._head = np.ascontiguousarray(weights["head.weight"].T)
        self._head_bias = weights["head.bias"]

    def logits(self, texts: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """See `textrnn.runtime.engines.Network`."""
        logits = np.empty((len(texts), len(self._head_bias)), dtype=np.float32)
        lengths = np.array([len(ids) for ids in texts], dtype=np.int64)
        by_length = np.argsort(-lengths, kind="stable")
        with self.calculating():
            for start in range(0, len(texts), ROWS):
                rows = by_length[start : start + ROWS]
                logits[rows] = self._block([texts[row] for row in rows])
        return logits

    def logits_of(self, ids: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `textrnn.runtime.engines.Network`."""
        return self.logits([ids[begin:end] for begin, end in pairwise(offsets.tolist())])

    def stream(self) -> NumpyTokenStream:
        """See `textrnn.runtime.engines.Network`."""
        return NumpyTokenStream(self)

    @contextmanager
    def calculating(self) -> Iterator[None]:
        """Around all computing.

        Holds BLAS to one thread: the products are small, and two threads that wait for each other take 3 to 50 times
        as long as one. What overflows is told once, by the scores that come out.
        """
        with _blas().limit(limits=1, user_api="blas"), np.errstate(over="ignore", invalid="ignore"):
            yield

    def prepared(self, ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """The ids themselves, the first layer being ready for them."""
        for tokens in self.tokens:
            tokens.prepare(ids)
        return ids

    def head(self, pooled: Array) -> Array:
        """[rows, directions * hidden] -> [rows, classes]"""
        logits: Array = pooled @ self._head
        logits += self._head_bias
        return logits

    def new_pool(self, rows: int) -> Pool:
        """For the states of one direction of the last layer."""
        return POOLS[self.config.pooling](rows, self.config.hidden_size)

    def new_state(self, rows: int) -> State:
        """The initial state of one direction of one layer."""
        return initial_state(self.config.cell, rows, self.config.hidden_size)

    def _block(self, texts: Sequence[NDArray[np.int32]]) -> Array:
        """Logits of at most ROWS texts, the longest first. [batch, classes]"""
        lengths = np.zeros(ROWS, dtype=np.int64)
        lengths[: len(texts)] = [max(len(ids), self.pad_to) for ids in texts]
        packing = Packing(lengths)
        inputs: NDArray[np.int32] | Array = self.prepared(packing.lay(texts))
        size = self.config.hidden_size
        for cells in self.layers[:-1]:
            states = np.empty((packing.tokens, len(cells) * size), dtype=np.float32)
            for index, cell in enumerate(cells):
                columns = slice(index * size, (index + 1) * size)
                self._read(cell, inputs, packing, backwards=index == 1, states=states[:, columns])
            inputs = states
        pools = [self.new_pool(ROWS) for _ in self.layers[-1]]
        for index, (cell, pool) in enumerate(zip(self.layers[-1], pools, strict=True)):
            self._read(cell, inputs, packing, backwards=index == 1, pool=pool)
        return self.head(np.concatenate([pool.result(lengths) for pool in pools], axis=1))[: len(texts)]

    def _read(
        self,
        cell: Direction,
        inputs: NDArray[np.int32] | Array,
        packing: Packing,
        *,
        backwards: bool,
        states: Array | None = None,
        pool: Pool | None = None,
    ) -> None:
        """Unroll one direction over [tokens, …] inputs; its states go to [tokens, hidden] `states` or to `pool`."""
        state = self.new_state(ROWS)
        here = np.zeros((ROWS, *inputs.shape[1:]), dtype=inputs.dtype)
        for step, alive in enumerate(packing.alive.tolist()):
            places = packing.places(step, backwards=backwards)
            here[:alive] = inputs[places]
            # A finished row goes on with its last input; nobody looks at its states.
            state = cell.step(cell.inputs(here), state, cell.recurrence)
            if states is not None:
                states[places] = state.hidden[:alive]
            if pool is not None:
                pool.add(state.hidden[:alive])


@functools.cache
def _blas() -> "ThreadpoolController":
    from threadpoolctl import ThreadpoolController  # the native engine does without

    return ThreadpoolController()
