"""The forward pass without PyTorch by the native kernels: ids to logits in one call, on all threads."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.config import ModelConfig
from textrnn.modelfile import Weights, directions, prefix
from textrnn.native import available_threads, library
from textrnn.native.interface import (
    CELLS,
    LANES,
    NO_SUCH_ID,
    POOLINGS,
    ROWS_MISSING,
    TABLE_TYPES,
    LayerRecord,
    NetworkRecord,
    padded,
)
from textrnn.native.memory import aligned_zeros
from textrnn.runtime.inputs import TokenInput
from textrnn.runtime.native_layers import NativeProjection, fill_layer, with_summed_biases
from textrnn.runtime.native_stream import NativeTokenStream
from textrnn.runtime.steps import MIXES

Array = NDArray[np.float32]
Ids = NDArray[np.int32]

SMALL = 50_000
"""Units times tokens up to which one thread does it all."""
TOKENS_AT_ONCE = 32_768
"""Tokens whose states are held at once between layers."""


class NativeNetwork:
    """Embedding, layers, pooling and head on given weights: the engine that is used where the kernels are.

    The bits of a text's scores depend on nothing but the text: not on its batch-mates, not on the number of threads.
    """

    def __init__(
        self,
        config: ModelConfig,
        weights: Weights,
        *,
        max_length: int,
        compress: str | None = None,
        precision: str | None = None,
    ) -> None:
        """See `textrnn.runtime.engines.Engine`."""
        kernels = library()
        if kernels is None:
            raise ImportError("the native kernels were not built or do not load")
        if config.cell not in CELLS:
            raise ImportError(f"there is no native kernel of the cell {config.cell!r}")
        self._kernels = kernels
        self.config = config
        self.pad_to = max_length if config.padding == "through" else 0
        width = padded(config.hidden_size)
        weights = with_summed_biases(config, weights)
        names = directions(config)
        # int8 keeps one scale a row, which z and a do not share; there the kernels make them of the gates at each step.
        mix = MIXES.get(config.cell) if config.layers == 1 and compress != "int8" else None
        tokens = [
            TokenInput(
                weights,
                prefix(0, name),
                directions=len(names),
                compress=compress,
                size=config.hidden_size,
                padded=width,
                mix=mix,
                project=NativeProjection(kernels, weights, prefix(0, name)),
            )
            for name in names
        ]
        self._folded = tokens[0].folded
        self._tokens = tokens if self._folded else tokens[:1]
        self._units = len(names) * width
        self._held: list[Any] = []
        self._layers = (LayerRecord * config.layers)()
        for number, layer in enumerate(self._layers):
            projects = number > 0 or not self._folded
            self._held += fill_layer(layer, kernels, config, weights, number, projects=projects, precision=precision)
        self.classes = len(weights["head.bias"])
        self.network = NetworkRecord(
            layers=config.layers,
            pooling=POOLINGS[config.pooling],
            classes=self.classes,
            scans=mix is not None and self._folded,
            vocabulary=len(weights["embedding.weight"]),
            features=weights["embedding.weight"].shape[1],
            layer=self._layers,
            tokens_at_once=TOKENS_AT_ONCE,
        )
        self._fill_head(weights, len(names), width)
        self._fill_tables()

    def _fill_head(self, weights: Weights, sides: int, width: int) -> None:
        """The head turned, with zeros for what the kernels add: units beyond `hidden_size`, classes up to LANES."""
        size, wide = self.config.hidden_size, -(-self.classes // LANES) * LANES
        head = aligned_zeros((sides, width, wide))
        head[:, :size, : self.classes] = weights["head.weight"].reshape(-1, sides, size).transpose(1, 2, 0)
        bias = aligned_zeros((wide,))
        bias[: self.classes] = weights["head.bias"]
        self._held += [head, bias]
        self.network.head, self.network.head_bias = head.ctypes.data, bias.ctypes.data

    def _fill_tables(self) -> None:
        for d, side in enumerate(self._tokens):
            numbers, scales = side.table.arrays
            kind, address = TABLE_TYPES[str(numbers.dtype)], numbers.ctypes.data
            scale = None if scales is None else scales.ctypes.data
            self.network.written[d] = side.written.ctypes.data
            if self._folded:
                first = self._layers[0]
                first.table_type, first.table[d], first.table_scale[d] = kind, address, scale
            else:
                self.network.embedding_type, self.network.embedding = kind, address
                self.network.embedding_scale = scale

    def logits(self, texts: Sequence[Ids]) -> Array:
        """See `textrnn.runtime.engines.Network`."""
        offsets = np.zeros(len(texts) + 1, dtype=np.int64)
        np.cumsum([len(ids) for ids in texts], out=offsets[1:])
        flat = np.concatenate([np.empty(0, dtype=np.int32), *texts])
        return self.logits_of(flat.astype(np.int32, copy=False), offsets)

    def logits_of(self, ids: Ids, offsets: NDArray[np.int64]) -> Array:
        """See `textrnn.runtime.engines.Network`."""
        if self.pad_to:
            ids, offsets = _filled_up(ids, offsets, self.pad_to)
        ids, offsets = np.ascontiguousarray(ids, dtype=np.int32), np.ascontiguousarray(offsets, dtype=np.int64)
        batch = len(offsets) - 1
        if batch and (offsets[0] < 0 or offsets[-1] > len(ids)):
            raise IndexError(f"the offsets end at {offsets[-1]}, there are {len(ids)} ids")
        scores = np.empty((batch, self.classes), dtype=np.float32)
        # A text or two are read sooner by one thread than it takes to wake another.
        threads = available_threads() if len(ids) * self._units > SMALL else 1
        self.call("textrnn_scores", ids, batch, ids.ctypes.data, offsets.ctypes.data, threads, scores.ctypes.data)
        return scores

    def stream(self) -> NativeTokenStream:
        """See `textrnn.runtime.engines.Network`."""
        return NativeTokenStream(self)

    def call(self, name: str, ids: Ids, *arguments: Any) -> None:
        """A function of `network.h` on the network, again once the tables hold these ids.

        Raises:
            IndexError: an id lies outside the vocabulary.
            MemoryError: memory is short.
        """
        function = getattr(self._kernels, name)
        status = function(self.network, *arguments)
        if status == ROWS_MISSING:
            for tokens in self._tokens:
                tokens.prepare(ids)
            status = function(self.network, *arguments)
        if status == NO_SUCH_ID:
            raise IndexError("an id lies outside the vocabulary, or the offsets fall")
        if status:
            raise MemoryError("out of memory in the native kernels")


def _filled_up(ids: Ids, offsets: NDArray[np.int64], time: int) -> tuple[Ids, NDArray[np.int64]]:
    """Every text filled up with id 0 to at least `time` tokens."""
    lengths = np.diff(offsets)
    longer = np.maximum(lengths, time)
    filled_offsets = np.zeros(len(longer) + 1, dtype=np.int64)
    np.cumsum(longer, out=filled_offsets[1:])
    filled = np.zeros(filled_offsets[-1], dtype=np.int32)
    filled[np.arange(len(ids)) + np.repeat(filled_offsets[:-1] - offsets[:-1], lengths)] = ids
    return filled, filled_offsets
