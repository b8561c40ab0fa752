"""The forward pass without PyTorch by the native kernels: ids to logits, on all threads."""

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.config import ModelConfig
from textrnn.modelfile import CELL_TENSORS, Weights, directions, prefix
from textrnn.native import Plan, available_threads, library
from textrnn.native.interface import CELLS, POOLINGS, PRECISIONS, TABLE_TYPES, LayerRecord, ScanRecord, padded
from textrnn.native.products import product_record
from textrnn.runtime.inputs import TokenInput
from textrnn.runtime.network import NumpyNetwork
from textrnn.runtime.steps import MIXES
from textrnn.runtime.token_stream import NumpyTokenStream

Array = NDArray[np.float32]
Ids = NDArray[np.int32]

ROWS_AN_ITEM = 24
"""Texts that a thread reads together: whole register blocks of 8 or 6 rows, little enough for its caches."""
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
        self._arguments = config, weights, max_length, compress
        self._width = padded(config.hidden_size)
        weights = _with_summed_biases(config, weights)
        names = directions(config)
        # int8 keeps one scale a row, which z and a do not share; there the kernels make them of the gates at each step.
        mix = MIXES.get(config.cell) if config.layers == 1 and compress != "int8" else None
        self._tokens = [
            TokenInput(
                weights,
                prefix(0, name),
                directions=len(names),
                compress=compress,
                size=config.hidden_size,
                padded=self._width,
                mix=mix,
            )
            for name in names
        ]
        self._scans = mix is not None and self._tokens[0].folded
        self._layers = [_Layer(kernels, config, weights, number, precision) for number in range(config.layers)]
        self._vocabulary_size = len(weights["embedding.weight"])
        head = weights["head.weight"].reshape(-1, len(names), config.hidden_size)
        self._head = np.zeros((len(head), len(names), self._width), dtype=np.float32)
        self._head[:, :, : config.hidden_size] = head
        self._head_bias = np.ascontiguousarray(weights["head.bias"])

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
        if ids.size and not 0 <= int(ids.min()) <= int(ids.max()) < self._vocabulary_size:
            raise IndexError("an id lies outside the vocabulary")
        for tokens in self._tokens if self._tokens[0].folded else self._tokens[:1]:
            tokens.prepare(ids)
        batch = len(offsets) - 1
        pooled = np.empty((batch, len(self._tokens) * self._width), dtype=np.float32)
        if self._scans:
            self._scan(ids, offsets, pooled)
        else:
            for first, end in self._portions(offsets):
                part = slice(offsets[first], offsets[end])
                self._read(ids[part], offsets[first : end + 1] - offsets[first], pooled[first:end])
        logits = np.empty((batch, len(self._head)), dtype=np.float32)
        record, _held = product_record(pooled, self._head.reshape(len(self._head), -1).T, logits, self._head_bias)
        if self._kernels.textrnn_products(ctypes.byref(record), 1, self._threads(len(ids))):
            raise MemoryError("out of memory in the native kernels")
        return logits

    def stream(self) -> NumpyTokenStream:
        """See `textrnn.runtime.engines.Network`. Word by word NumPy is as good: a step is one small product."""
        config, weights, max_length, compress = self._arguments
        return NumpyNetwork(config, weights, max_length=max_length, compress=compress).stream()

    def _threads(self, tokens: int) -> int:
        """A text or two are read sooner by one thread than it takes to wake another."""
        return available_threads() if tokens * len(self._tokens) * self._width > SMALL else 1

    def _portions(self, offsets: NDArray[np.int64]) -> list[tuple[int, int]]:
        """Texts first to end that are computed together: all, unless something is kept for each of their tokens."""
        batch = len(offsets) - 1
        if self.config.layers == 1 and self._tokens[0].folded:
            return [(0, batch)]
        portions, first = [], 0
        while first < batch:
            end = int(np.searchsorted(offsets, offsets[first] + TOKENS_AT_ONCE, side="right")) - 1
            end = min(max(end, first + 1), batch)
            portions.append((first, end))
            first = end
        return portions

    def _read(self, ids: Ids, offsets: NDArray[np.int64], pooled: Array) -> None:
        """All layers; the last one's pooled states go to `pooled` [batch, directions * padded]."""
        batch, threads = len(offsets) - 1, self._threads(len(ids))
        items = max(-(-batch // ROWS_AN_ITEM), min(-(-threads // len(self._tokens)), -(-batch // 4)))
        plan = Plan(np.diff(offsets), rows_an_item=-(-batch // max(items, 1)) or 1, contiguous=items > 2 * threads)
        index = ids[offsets[:-1][plan.source_row] + plan.source_time]
        inputs: Array | None = None if self._tokens[0].folded else self._tokens[0].table.read(index)
        for depth, layer in enumerate(self._layers):
            outputs = None
            if depth < len(self._layers) - 1:
                outputs = np.empty((plan.positions, len(self._tokens), self._width), dtype=np.float32)
            layer.run(
                plan,
                None if depth else self._tokens,
                index,
                inputs,
                outputs,
                None if outputs is not None else pooled,
                threads,
            )
            if outputs is not None:
                inputs = outputs[:, :, : self.config.hidden_size].reshape(
                    plan.positions, len(self._tokens) * self.config.hidden_size
                )

    def _scan(self, ids: Ids, offsets: NDArray[np.int64], pooled: Array) -> None:
        """A single layer of a minimal cell."""
        offsets = np.ascontiguousarray(offsets, dtype=np.int64)
        ids = np.ascontiguousarray(ids, dtype=np.int32)
        record = ScanRecord(
            batch=len(offsets) - 1,
            ids=ids.ctypes.data,
            offsets=offsets.ctypes.data,
            padded=self._width,
            directions=len(self._tokens),
            pooling=POOLINGS[self.config.pooling],
            threads=self._threads(len(ids)),
            pooled=pooled.ctypes.data,
        )
        for d, side in enumerate(self._tokens):
            numbers, _ = side.table.arrays
            record.table_type, record.table[d] = TABLE_TYPES[str(numbers.dtype)], numbers.ctypes.data
        self._kernels.textrnn_scan(ctypes.byref(record))


class _Layer:
    """One layer: its weights as the kernels read them."""

    def __init__(
        self, kernels: ctypes.CDLL, config: ModelConfig, weights: Weights, number: int, precision: str | None
    ) -> None:
        self._kernels = kernels
        self._config = config
        parts, size, width = CELL_TENSORS[config.cell], config.hidden_size, padded(config.hidden_size)
        gates = len(parts.gates)
        self._gates = gates
        self._record = LayerRecord(
            cell=CELLS[config.cell],
            hidden=size,
            padded=width,
            directions=len(directions(config)),
            threads=1,
            precision=PRECISIONS[precision],
        )
        self._held: list[Any] = []
        for d, name in enumerate(directions(config)):
            place, way = prefix(number, name), self._record.direction[d]
            weight = np.ascontiguousarray(weights[f"{place}from_input.weight"])
            bias = np.ascontiguousarray(weights[f"{place}from_input.bias"])
            panels = np.empty(gates * width * width, dtype=np.float32)
            self._held += [weight, bias, panels]
            if parts.hidden_bias:
                candidate = np.zeros(width, dtype=np.float32)
                candidate[:size] = weights[f"{place}from_hidden.bias"][2 * size :]
                self._held.append(candidate)
                way.candidate_bias = candidate.ctypes.data
            way.from_input, way.input_bias, way.panels = weight.ctypes.data, bias.ctypes.data, panels.ctypes.data
            if parts.from_hidden:
                recurrent = np.ascontiguousarray(weights[f"{place}from_hidden.weight"])
                way.from_hidden = recurrent.ctypes.data
                self._held.append(recurrent)
        if parts.from_hidden:
            kernels.textrnn_pack(ctypes.byref(self._record))
        for way in self._record.direction:
            way.from_hidden = None

    def run(
        self,
        plan: Plan,
        tokens: Sequence[TokenInput] | None,
        index: Ids,
        inputs: Array | None,
        outputs: Array | None,
        pooled: Array | None,
        threads: int,
    ) -> None:
        """Read a batch.

        Args:
            plan: of the batch.
            tokens: the tables of the first layer, a row for each id, if its embedding is folded.
            index: the id at each position. [positions]
            inputs: of each position where there are no tables. [positions, features]
            outputs: where the states go, [positions, directions, padded]; None if they are not wanted.
            pooled: where the pooled states go, [batch, directions * padded]; None if they are not wanted.
            threads: at most so many work.
        """
        record = LayerRecord.from_buffer_copy(self._record)
        record.plan, record.threads = plan.address, threads
        record.pooling = POOLINGS[self._config.pooling] if pooled is not None else 0
        record.outputs = None if outputs is None else outputs.ctypes.data
        record.pooled = None if pooled is None else pooled.ctypes.data
        held: list[Any] = []
        width = record.padded
        if tokens and inputs is None:
            index = np.ascontiguousarray(index, dtype=np.int32)
            record.index = index.ctypes.data
            _set_tables(record, tokens)
        elif inputs is not None:
            inputs = np.ascontiguousarray(inputs, dtype=np.float32)
            record.inputs, record.features = inputs.shape
            record.input = inputs.ctypes.data
        memory = self._config.cell == "lstm"
        for d in range(record.directions):
            final = np.empty((2 if memory else 1, plan.batch, width), dtype=np.float32)
            held.append(final)
            way = record.direction[d]
            way.final_hidden = final[0].ctypes.data
            way.final_memory = final[1].ctypes.data if memory else None
            if not record.table[d]:
                projected = np.empty((len(inputs) if inputs is not None else 0, self._gates * width), dtype=np.float32)
                held.append(projected)
                way.projected = projected.ctypes.data
        if self._kernels.textrnn_forward(ctypes.byref(record)):
            raise MemoryError("out of memory in the native kernels")


def _with_summed_biases(config: ModelConfig, weights: Weights) -> Weights:
    """Of the GRU's reset and update both biases add up; only the candidate's acts inside the reset."""
    if not CELL_TENSORS[config.cell].hidden_bias:
        return weights
    summed, apart = dict(weights), 2 * config.hidden_size
    for number in range(config.layers):
        for name in directions(config):
            place = prefix(number, name)
            bias = weights[f"{place}from_input.bias"].copy()
            bias[:apart] += weights[f"{place}from_hidden.bias"][:apart]
            summed[f"{place}from_input.bias"] = bias
    return summed


def _set_tables(record: LayerRecord, tokens: Sequence[TokenInput]) -> None:
    for d, side in enumerate(tokens):
        numbers, scales = side.table.arrays
        record.table_type = TABLE_TYPES[str(numbers.dtype)]
        record.table[d] = numbers.ctypes.data
        record.table_scale[d] = None if scales is None else scales.ctypes.data


def _filled_up(ids: Ids, offsets: NDArray[np.int64], time: int) -> tuple[Ids, NDArray[np.int64]]:
    """Every text filled up with id 0 to at least `time` tokens."""
    lengths = np.diff(offsets)
    longer = np.maximum(lengths, time)
    filled_offsets = np.zeros(len(longer) + 1, dtype=np.int64)
    np.cumsum(longer, out=filled_offsets[1:])
    filled = np.zeros(filled_offsets[-1], dtype=np.int32)
    filled[np.arange(len(ids)) + np.repeat(filled_offsets[:-1] - offsets[:-1], lengths)] = ids
    return filled, filled_offsets
