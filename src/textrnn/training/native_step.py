"""A step of training in one native call (native/training.cpp): nothing between the kernels but the kernels.

On short texts autograd, masks, clipping and the optimiser took as long as the recurrent layer. For models of one layer
without dropout of recurrent weights, whose embedding has sparse gradients; everything else goes by autograd.
"""

import ctypes
from collections.abc import Callable
from ctypes import POINTER, Structure, byref, c_double, c_int32, c_int64, c_void_p
from typing import Any

import numpy as np
import torch
from torch import Tensor

from textrnn.cells.native_function import threads
from textrnn.data import RaggedBatch
from textrnn.model import Mask, Noise, TextClassifier
from textrnn.model.native_words import by
from textrnn.native import library
from textrnn.native.interface import CELLS, POOLINGS, LayerRecord, MaskRecord, ReadingRecord, padded
from textrnn.training.lazy_adam import IMPLEMENTATIONS, LazyAdam, implementation_for
from textrnn.training.native_adam import (
    SettingsRecord,
    TableRecord,
    TensorRecord,
    is_plain,
    settings_record,
    table_record,
)

DONE, REFUSED, NO_MEMORY, DIVERGED = range(4)
"""What the native code answers."""


class StepRecord(Structure):
    """`textrnn_training_step`."""

    _fields_ = (
        ("layer", LayerRecord),
        ("recurrent_bias", c_void_p * 2),
        ("reading", ReadingRecord),
        ("pooled", MaskRecord),
        ("classes", c_int64),
        *((name, c_void_p) for name in ("head_weight", "head_bias", "class_weights")),
        ("largest_norm", c_double),
        ("r_drop", c_double),
        ("batch", c_int64),
        ("time", c_int64),
        *((name, c_void_p) for name in ("ids", "lengths", "targets", "text_weights", "stamp")),
        ("tensors", POINTER(TensorRecord)),
        ("tensor_count", c_int64),
        ("embedding", POINTER(TableRecord)),
        ("embedding_settings", SettingsRecord),
        ("loss", c_double),
        ("norm", c_double),
        ("correct", c_int64),
    )


def native_step_or_none(
    model: TextClassifier,
    optimizer: LazyAdam,
    noise: Noise,
    *,
    max_norm: float,
    class_weights: Tensor | None = None,
    pad_to: int | None = None,
    r_drop: float = 0.0,
) -> Callable[[RaggedBatch], tuple[float, float, int]] | None:
    """A function from a batch to loss, norm of the gradients and number of texts that were right.

    It learns as `by_autograd` does, up to rounding, but leaves no gradients behind; with `r_drop` the batch must hold
    every text twice, in two halves. None where it cannot do that.
    """
    simple = model.backend == "native" and len(model.stack) == 1 and model.embedding.sparse
    if not simple or noise.recurrent_dropout or model.config.cell not in CELLS or library() is None:
        return None
    tables = [model.embedding.weight]
    if not all(map(is_plain, model.parameters())) or implementation_for(tables[0]) is not IMPLEMENTATIONS["native"]:
        return None
    known = {parameter for group in optimizer.param_groups for parameter in group["params"]}
    if set(model.parameters()) != known or any(parameter.grad is not None for parameter in known):
        return None
    if len({int(optimizer.started(parameter)["step"]) for parameter in known}) != 1:
        return None
    return _NativeStep(model, optimizer, noise, max_norm, class_weights, pad_to, r_drop)


def _record(mask: Mask | None) -> MaskRecord:
    return MaskRecord() if mask is None else mask.record


class _NativeStep:
    """The record of a training; what lasts is filled in once."""

    def __init__(
        self,
        model: TextClassifier,
        optimizer: LazyAdam,
        noise: Noise,
        max_norm: float,
        class_weights: Tensor | None,
        pad_to: int | None,
        r_drop: float,
    ) -> None:
        self.model, self.optimizer, self.noise, self.pad_to = model, optimizer, noise, pad_to
        config, table, cells = model.config, model.embedding.weight, model.stack[0].directions
        self.class_weights = None if class_weights is None else class_weights.float().contiguous()
        self.stamp = np.full(len(table) * noise.readings_apart, -1, dtype=np.int32)
        self.record = record = StepRecord()
        layer, reading = record.layer, record.reading
        layer.cell, layer.pooling = CELLS[config.cell], POOLINGS[config.pooling]
        layer.hidden, layer.padded, layer.directions = config.hidden_size, padded(config.hidden_size), len(cells)
        layer.features = reading.features = config.embedding_size
        reading.table, reading.by, reading.readings = table.data_ptr(), by(noise), noise.readings_apart
        reading.silent = -1 if model.embedding.padding_idx is None else model.embedding.padding_idx
        learnt: list[Tensor] = [model.head.weight, model.head.bias]
        for d, cell in enumerate(cells):
            way = layer.direction[d]
            way.from_input, way.input_bias = cell.from_input.weight.data_ptr(), cell.from_input.bias.data_ptr()
            learnt += [cell.from_input.weight, cell.from_input.bias]
            if cell.from_hidden is not None:
                way.from_hidden = cell.from_hidden.weight.data_ptr()
                learnt.append(cell.from_hidden.weight)
                if cell.from_hidden.bias is not None:
                    record.recurrent_bias[d] = cell.from_hidden.bias.data_ptr()
                    learnt.append(cell.from_hidden.bias)
        record.classes = model.head.out_features
        record.head_weight, record.head_bias = model.head.weight.data_ptr(), model.head.bias.data_ptr()
        record.class_weights = None if self.class_weights is None else self.class_weights.data_ptr()
        record.largest_norm, record.r_drop = max_norm, r_drop
        record.stamp = self.stamp.ctypes.data
        self.groups = {parameter: group for group in optimizer.param_groups for parameter in group["params"]}
        states = [optimizer.started(parameter) for parameter in learnt]
        self.steps = [state["step"] for state in (*states, optimizer.started(table))]
        self.tensors = (TensorRecord * len(learnt))()
        self.places: dict[int, list[tuple[Tensor, TensorRecord]]] = {}
        """Parameters by their groups."""
        for parameter, place, state in zip(learnt, self.tensors, states, strict=True):
            place.count, place.weights = parameter.numel(), parameter.data_ptr()
            place.first, place.second = state["exp_avg"].data_ptr(), state["exp_avg_sq"].data_ptr()
            self.places.setdefault(id(self.groups[parameter]), []).append((parameter, place))
        record.tensors, record.tensor_count = self.tensors, len(learnt)
        self.function: Any = library().textrnn_train_step  # type: ignore[union-attr]
        self.function.argtypes, self.function.restype = [POINTER(StepRecord)], c_int32

    def __call__(self, batch: RaggedBatch) -> tuple[float, float, int]:
        record, optimizer, table = self.record, self.optimizer, self.model.embedding.weight
        assert batch.targets is not None
        ids, lengths, targets = (
            np.ascontiguousarray(array, dtype=dtype)
            for array, dtype in ((batch.ids, np.int32), (batch.lengths, np.int64), (batch.targets, np.int64))
        )
        if len(ids) != lengths.sum():
            raise ValueError(f"{len(ids)} ids cannot be texts of {lengths.sum()} tokens together")
        record.batch, record.time = len(lengths), self.pad_to or 0
        record.ids, record.lengths, record.targets = ids.ctypes.data, lengths.ctypes.data, targets.ctypes.data
        weights = None if batch.weights is None else np.ascontiguousarray(batch.weights, dtype=np.float32)
        record.text_weights = None if weights is None else weights.ctypes.data
        # In the order in which the readable way draws.
        record.reading.word = _record(self.noise.words())
        record.reading.feature = _record(self.noise.features())
        record.pooled = _record(self.noise.pooled())
        record.layer.threads = record.reading.threads = threads()
        for places in self.places.values():
            settings = self._settings(places[0][0])
            for _, place in places:
                place.settings = settings
        lazy = optimizer.lazy(table, self.groups[table])["lazy"]
        rows = table_record(lazy)
        rows.threads = record.layer.threads
        record.embedding, record.embedding_settings = ctypes.pointer(rows), self._settings(table)
        status = self.function(byref(record))
        if status == DONE:
            torch._foreach_add_(self.steps, 1)
            lazy.steps += 1
            optimizer.shorten(table)
        elif status == NO_MEMORY:
            raise MemoryError("there is no memory left for a step of training")
        elif status != DIVERGED:
            raise ValueError("an id lies outside the vocabulary, a target is none of the classes, or a text too long")
        return record.loss, record.norm, record.correct

    def _settings(self, parameter: Tensor) -> SettingsRecord:
        """Of the next step, for all parameters of the same group."""
        group = self.groups[parameter]
        settings = self.optimizer.settings(self.optimizer.state[parameter], group)
        return settings_record(settings, group["betas"], group["eps"])
