"""Recurrent products in 16-bit brain floats: one step against PyTorch on rounded numbers, whole texts against 32 bits.

A brain float has 8 bits of precision, so a rounded factor is off by at most 1 in 256; what that does to a state is
stated with each test. Where the processor lacks the instruction nothing must change.
"""

import ctypes
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import linear

from native_oracle import using
from textrnn.cells import CELLS
from textrnn.native import Plan, library
from textrnn.native.interface import CELLS as NUMBERS
from textrnn.native.interface import PRECISIONS, LayerRecord, padded

kernels = library()
pytestmark = pytest.mark.skipif(kernels is None, reason="the native library was not built")
has_bf16 = pytest.mark.skipif(not (kernels and kernels.textrnn_has_bf16()), reason="no products of brain floats here")

RECURRENT = ("elman", "elman_relu", "gru", "lstm")
FEATURES = 9
Array = NDArray[np.float32]


class Layer:
    """Two directions of a readable cell with random weights, and a ragged batch from non-zero states."""

    def __init__(self, cell: str, lengths: list[int], hidden: int) -> None:
        stream = torch.Generator().manual_seed(hidden)
        self.name, self.hidden = cell, hidden
        self.lengths, self.time = np.array(lengths), max(lengths)
        self.inputs = torch.randn(len(lengths), self.time, FEATURES, generator=stream)
        self.cells: list[Any] = [CELLS[cell](FEATURES, hidden) for _ in range(2)]
        for one in self.cells:
            for parameter in one.parameters():
                torch.nn.init.uniform_(parameter, -(hidden**-0.5), hidden**-0.5, generator=stream)
        sizes = (2, 2, len(lengths), hidden)  # of each direction hidden, and memory for the LSTM
        self.start = torch.rand(sizes, generator=stream) - 0.5

    def final_states(
        self, precision: str | None, rows: list[int] | None = None, *, pack_first: bool = False, threads: int = 1
    ) -> Array:
        """By the kernels, of some rows. [directions, rows, hidden]"""
        assert kernels is not None
        chosen = list(range(len(self.lengths))) if rows is None else rows
        plan, width = Plan(self.lengths[chosen]), padded(self.hidden)
        x = self.inputs[chosen][torch.from_numpy(plan.source_row).long(), torch.from_numpy(plan.source_time).long()]
        record = LayerRecord(
            plan=plan.address,
            cell=NUMBERS[self.name],
            hidden=self.hidden,
            padded=width,
            directions=2,
            threads=threads,
            features=FEATURES,
            inputs=len(x),
            input=x.data_ptr(),
            precision=PRECISIONS[precision],
        )
        final = torch.full((2, 2, len(chosen), width), torch.nan)
        start = torch.zeros_like(final)
        start[..., : self.hidden] = self.start[:, :, chosen]
        held: list[Tensor] = [x]
        for d, cell in enumerate(self.cells):
            gates, way = len(cell.from_input.weight) // self.hidden, record.direction[d]
            bias, candidate = cell.from_input.bias.detach().clone(), torch.zeros(width)
            if cell.from_hidden.bias is not None:
                bias[: 2 * self.hidden] += cell.from_hidden.bias.detach()[: 2 * self.hidden]
                candidate[: self.hidden] = cell.from_hidden.bias.detach()[2 * self.hidden :]
            projected, panels = torch.empty(len(x), gates * width), torch.empty(gates * width * width)
            held += [bias, candidate, projected, panels]
            way.from_input, way.input_bias = cell.from_input.weight.data_ptr(), bias.data_ptr()
            way.from_hidden, way.candidate_bias = cell.from_hidden.weight.data_ptr(), candidate.data_ptr()
            way.projected, way.panels = projected.data_ptr(), panels.data_ptr()
            way.start_hidden, way.final_hidden = start[d, 0].data_ptr(), final[d, 0].data_ptr()
            if self.name == "lstm":
                way.start_memory, way.final_memory = start[d, 1].data_ptr(), final[d, 1].data_ptr()
        if pack_first:
            kernels.textrnn_pack(ctypes.byref(record))
            for way in record.direction:
                way.from_hidden = None
        assert kernels.textrnn_forward(ctypes.byref(record)) == 0
        return final[:, 0, :, : self.hidden].numpy()


@has_bf16
@pytest.mark.parametrize("cell", RECURRENT)
@pytest.mark.parametrize("hidden", [1, 2, 5, 17, 100, 128, 256])
def test_one_step_on_rounded_numbers(cell: str, hidden: int) -> None:
    """The state that the product reads and its weights are rounded, nothing else is: to 1e-5."""
    layer = Layer(cell, [1] * 19, hidden)
    found = layer.final_states("bf16")

    def rounded(x: Tensor) -> Tensor:
        return x.bfloat16().double()

    for d, one in enumerate(layer.cells):
        weight, bias = rounded(one.from_hidden.weight.data), one.from_hidden.bias
        one.double()
        one.from_hidden.forward = lambda h, w=weight, b=bias: linear(rounded(h), w, None if b is None else b.double())
        state = one.initial_state(19)
        state = type(state)(*(part.double() for part in layer.start[d][: len(state)]))
        with torch.no_grad():
            expected = one.step(layer.inputs[:, 0].double(), state).hidden
        np.testing.assert_allclose(found[d], expected, rtol=0, atol=1e-5)


@has_bf16
@pytest.mark.parametrize("cell", RECURRENT)
@pytest.mark.parametrize("hidden", [31, 128])
def test_whole_texts(cell: str, hidden: int) -> None:
    """Within 1 in 100 of the largest state of what 32 bits give, and not the same; the relu's states are unbounded."""
    layer = Layer(cell, [(7 * row) % 40 for row in range(37)], hidden)
    found, expected = layer.final_states("bf16"), layer.final_states(None)
    error = np.abs(found - expected).max() / np.abs(expected).max()
    assert 1e-5 < error < 1e-2


@has_bf16
@pytest.mark.parametrize("cell", RECURRENT)
def test_a_row_has_the_same_bits_in_any_company(cell: str) -> None:
    layer = Layer(cell, [(5 * row) % 13 for row in range(23)], 70)
    whole = layer.final_states("bf16")
    assert np.array_equal(layer.final_states("bf16", pack_first=True, threads=3), whole)
    for rows in ([3], [8, 1], [22, 0, 5, 9, 11], list(range(22, 2, -1))):
        assert np.array_equal(layer.final_states("bf16", rows), whole[:, rows])


@pytest.mark.parametrize("cell", RECURRENT)
def test_other_instruction_sets_compute_in_32_bits(cell: str) -> None:
    assert kernels is not None
    layer = Layer(cell, [4, 0, 9, 2], 20)
    with using("portable"):
        assert not kernels.textrnn_has_bf16()
        assert np.array_equal(layer.final_states("bf16"), layer.final_states(None))
