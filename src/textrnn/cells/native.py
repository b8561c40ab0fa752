"""The native kernels under PyTorch's autograd: a layer over a whole ragged batch, one call forward and one back."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from textrnn.cells.cell import Cell, State
from textrnn.cells.native_function import Call, LayerFunction
from textrnn.cells.native_reading import Reading
from textrnn.native import Plan
from textrnn.native.interface import padded


class LayerOutput(NamedTuple):
    """What a layer computes; directions lie side by side, left to right first."""

    outputs: Tensor | None
    """The hidden state after every step in the order of the plan's positions. [positions, directions * hidden]"""
    pooled: Tensor | None
    """[batch, directions * hidden]"""
    finals: list[Any]
    """The state of each direction after its last step, each part [batch, hidden]; without given states none."""


def native_layer(
    name: str,
    cells: Sequence[Cell[Any, Any]],
    plan: Plan,
    inputs: Tensor,
    *,
    indexed: bool,
    pooling: str | None,
    states: Sequence[Any] | None,
    keep_outputs: bool = False,
    reading: Reading | None = None,
) -> LayerOutput:
    """Run one layer.

    Args:
        name: of the cells in `CELLS`.
        cells: one, or left to right and right to left.
        plan: of the batch.
        inputs: with `indexed` a row for each unique id of the plan, else for each of its positions. [rows, features]
        indexed: see `inputs`.
        pooling: `last`, `mean`, `max` or None.
        states: the state of each direction before its first step, each part [batch, hidden]; None for zeros, and then
            there are no `finals`.
        keep_outputs: whether the states after every step are wanted.
        reading: reads the inputs of the layer; `inputs` is then the table of embeddings that it reads from.
    """
    hidden_size, directions = cells[0].hidden_size, len(cells)
    width = padded(hidden_size)
    parameters: list[Tensor | None] = []
    for d, cell in enumerate(cells):
        from_input, from_hidden = cell.from_input, cell.from_hidden
        parameters += [from_input.weight, from_input.bias]
        parameters += [None, None] if from_hidden is None else [from_hidden.weight, from_hidden.bias]
        state = () if states is None else states[d]
        parameters += [_widened(state[part], width) if part < len(state) else None for part in range(2)]
    call = Call(name, hidden_size, directions, pooling, keep_outputs, indexed, plan, reading)
    outputs, pooled, *finals = LayerFunction.apply(call, inputs, *parameters)  # type: ignore[no-untyped-call]
    return LayerOutput(
        None if outputs is None else _narrowed(outputs, directions, hidden_size),
        None if pooled is None else _narrowed(pooled, directions, hidden_size),
        [
            type(state)(*(_narrowed(part, 1, hidden_size) for part in finals[2 * d : 2 * d + len(state)]))
            for d, state in enumerate(states or ())
        ],
    )


def native_unroll(
    cell: Cell[State, Any],
    inputs: Float[Tensor, "time batch features"],
    lengths: Int[Tensor, " batch"],
    state: State,
) -> tuple[Float[Tensor, "time batch hidden"], State]:
    """`unroll` by the native kernels, with the same arguments and results; 32-bit floats on the CPU."""
    plan = Plan(lengths.numpy())
    time, batch, _ = inputs.shape
    places = torch.from_numpy(plan.source_time.astype(np.int64) * batch + plan.source_row)
    packed = inputs.reshape(time * batch, cell.input_size).index_select(0, places)
    result = native_layer(
        _name(cell),
        [cell],
        plan,
        packed,
        indexed=False,
        pooling=None,
        states=[state],
        keep_outputs=True,
    )
    assert result.outputs is not None
    final = result.finals[0]
    flat = (
        final.hidden.expand(time, -1, -1).reshape(time * batch, cell.hidden_size).index_copy(0, places, result.outputs)
    )
    return flat.view(time, batch, cell.hidden_size), final


def _name(cell: Cell[Any, Any]) -> str:
    from textrnn.cells import CELLS as KINDS  # which names this module, too

    return next(name for name, kind in KINDS.items() if kind is type(cell))


def _widened(part: Tensor, width: int) -> Tensor:
    return pad(part, (0, width - part.shape[-1]))


def _narrowed(rows: Tensor, directions: int, hidden_size: int) -> Tensor:
    if rows.shape[1] == directions * hidden_size:
        return rows
    wide = rows.view(len(rows), directions, rows.shape[1] // directions)
    return wide[..., :hidden_size].reshape(len(rows), directions * hidden_size)
