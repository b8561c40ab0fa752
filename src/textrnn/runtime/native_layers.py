"""The weights of a layer as the native kernels read them."""

import ctypes

import numpy as np
from numpy.typing import NDArray

from textrnn.config import ModelConfig
from textrnn.modelfile import CELL_TENSORS, Weights, directions, prefix
from textrnn.native import available_threads
from textrnn.native.interface import CELLS, PRECISIONS, LayerRecord, padded
from textrnn.native.memory import aligned, aligned_zeros
from textrnn.native.products import product_record

Array = NDArray[np.float32]

PROJECTED_AT_ONCE = 1024
"""Rows of a table that are computed together."""


class NativeProjection:
    """W_ih x + b by the kernels, which give a row the same bits in any number of rows."""

    rows = PROJECTED_AT_ONCE
    any_number = True

    def __init__(self, kernels: ctypes.CDLL, weights: Weights, place: str) -> None:
        self._kernels = kernels
        self._weight = np.ascontiguousarray(weights[f"{place}from_input.weight"].T)
        self._bias = np.ascontiguousarray(weights[f"{place}from_input.bias"])

    @property
    def width(self) -> int:
        """gates * hidden"""
        return len(self._bias)

    def __call__(self, inputs: Array) -> Array:
        """[rows, features] -> [rows, gates * hidden]"""
        projected = np.empty((len(inputs), self.width), dtype=np.float32)
        record, _held = product_record(inputs, self._weight, projected, self._bias)
        if self._kernels.textrnn_products(ctypes.byref(record), 1, available_threads() if len(inputs) > 64 else 1):
            raise MemoryError("out of memory in the native kernels")
        return projected


def fill_layer(
    record: LayerRecord,
    kernels: ctypes.CDLL,
    config: ModelConfig,
    weights: Weights,
    number: int,
    *,
    projects: bool,
    precision: str | None = None,
) -> list[Array]:
    """Write everything about a layer into its record but for the tables; the arrays that must live as long as it.

    Args:
        record: filled with zeros.
        kernels: the native library.
        config, weights: of the network; the weights from `with_summed_biases`.
        number: of the layer.
        projects: whether it makes W x + b of its inputs, not the tables of a folded embedding.
        precision: of the factors of the recurrent product, a key of `PRECISIONS`.
    """
    parts, size, width = CELL_TENSORS[config.cell], config.hidden_size, padded(config.hidden_size)
    sides = directions(config)
    record.cell, record.hidden, record.padded = CELLS[config.cell], size, width
    record.directions, record.threads, record.precision = len(sides), 1, PRECISIONS[precision]
    held: list[Array] = []
    for d, name in enumerate(sides):
        place, way = prefix(number, name), record.direction[d]
        if parts.hidden_bias:
            candidate = aligned_zeros((width,))
            candidate[:size] = weights[f"{place}from_hidden.bias"][2 * size :]
            held.append(candidate)
            way.candidate_bias = candidate.ctypes.data
        if projects:
            turned = _turned(
                weights[f"{place}from_input.weight"],
                weights[f"{place}from_input.bias"],
                size,
                width,
                blocks=len(sides) if number else 0,
            )
            held.append(turned)
            way.turned = turned.ctypes.data
        if parts.from_hidden:
            recurrent = np.ascontiguousarray(weights[f"{place}from_hidden.weight"])
            panels = aligned((len(parts.gates) * width * width,))
            held += [recurrent, panels]
            way.from_hidden, way.panels = recurrent.ctypes.data, panels.ctypes.data
    if parts.from_hidden:
        kernels.textrnn_pack(ctypes.byref(record))
    for way in record.direction:
        way.from_hidden = None
    return held


def _turned(weight: Array, bias: Array, size: int, width: int, *, blocks: int) -> Array:
    """W_ih and then b, [features + 1, gates * padded], each gate in `width` columns.

    blocks: the features come in so many blocks of `size`, each laid out in `width` rows; 0: as they are.
    """
    both = np.concatenate([weight.T, bias[None]]).reshape(weight.shape[1] + 1, -1, size)
    features = blocks * width or weight.shape[1]
    turned = aligned_zeros((features + 1, both.shape[1], width))
    turned[-1, :, :size] = both[-1]
    if blocks:
        turned[:-1].reshape(blocks, width, -1, width)[:, :size, :, :size] = both[:-1].reshape(blocks, size, -1, size)
    else:
        turned[:-1, :, :size] = both[:-1]
    return turned


def with_summed_biases(config: ModelConfig, weights: Weights) -> Weights:
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
