"""PyTorch's own recurrent networks behind the signature of `unroll`, on the very parameters of our cells.

The same functions as in `torch.nn.RNN`, `GRU` and `LSTM`: cuDNN on a GPU, ATen on a CPU. Linear cells are scanned.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import _VF, Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from textrnn.cells.cell import Cell, HiddenState, State
from textrnn.cells.elman import ElmanCell, ElmanReluCell
from textrnn.cells.gru import GRUCell
from textrnn.cells.linear import LinearCell, linear_recurrence
from textrnn.cells.lstm import LSTMCell, LSTMState
from textrnn.cells.unroll import real_steps, select, unroll


def torch_unroll(
    cell: Cell[State, Any],
    inputs: Float[Tensor, "time batch features"],
    lengths: Int[Tensor, " batch"],
    state: State,
) -> tuple[Float[Tensor, "time batch hidden"], State]:
    """The same as `textrnn.cells.unroll.unroll`, all steps in one call.

    A cell that PyTorch does not have is unrolled step by step.
    """
    many_steps = _MANY_STEPS.get(type(cell))
    if many_steps is None and isinstance(cell, LinearCell):
        many_steps = _scanned
    if many_steps is None or not inputs.numel():
        return unroll(cell, inputs, lengths, state)
    real = real_steps(len(inputs), lengths)
    # Padding must not reach the products: 0 times NaN would spoil the gradients of the weights.
    outputs, final = many_steps(cell, inputs.masked_fill(~real.unsqueeze(-1), 0.0), lengths, state)
    final = select(lengths > 0, final, state)
    return torch.where(real.unsqueeze(-1), outputs, final.hidden), final


def _scanned(cell: Any, inputs: Tensor, lengths: Tensor, state: HiddenState) -> tuple[Tensor, HiddenState]:
    """In padding all of the state is kept and nothing added, so the last output is the final state."""
    kept, added = cell.kept_and_added(inputs)
    padding = ~real_steps(len(inputs), lengths).unsqueeze(-1)
    outputs = linear_recurrence(kept.masked_fill(padding, 1.0), added.masked_fill(padding, 0.0), state.hidden)
    return outputs, HiddenState(outputs[-1])


def _elman(cell: Any, inputs: Tensor, lengths: Tensor, state: HiddenState) -> tuple[Tensor, HiddenState]:
    outputs, hidden = _packed(_VF.rnn_tanh, cell, inputs, lengths, state.hidden)
    return outputs, HiddenState(hidden)


def _elman_relu(cell: Any, inputs: Tensor, lengths: Tensor, state: HiddenState) -> tuple[Tensor, HiddenState]:
    outputs, hidden = _packed(_VF.rnn_relu, cell, inputs, lengths, state.hidden)
    return outputs, HiddenState(hidden)


def _gru(cell: Any, inputs: Tensor, lengths: Tensor, state: HiddenState) -> tuple[Tensor, HiddenState]:
    outputs, hidden = _packed(_VF.gru, cell, inputs, lengths, state.hidden)
    return outputs, HiddenState(hidden)


def _lstm(cell: Any, inputs: Tensor, lengths: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
    outputs, hidden, memory = _packed(_VF.lstm, cell, inputs, lengths, *state)
    return outputs, LSTMState(hidden, memory)


_MANY_STEPS: dict[type[Cell[Any, Any]], Callable[[Any, Tensor, Tensor, Any], tuple[Tensor, Any]]] = {
    ElmanCell: _elman,
    ElmanReluCell: _elman_relu,
    GRUCell: _gru,
    LSTMCell: _lstm,
}


def _packed(function: Any, cell: Any, inputs: Tensor, lengths: Tensor, *state: Tensor) -> list[Tensor]:
    """The outputs [time, batch, hidden] and the parts of the final state [batch, hidden].

    A packed sequence needs one step a row at least, so a row without steps reads one of padding; the caller throws
    away what comes out.
    """
    at_least_one = lengths.clamp(min=1).cpu()
    packed = pack_padded_sequence(inputs, at_least_one, enforce_sorted=False)
    assert packed.sorted_indices is not None
    parts = [part.index_select(0, packed.sorted_indices).unsqueeze(0) for part in state]
    weights = [
        cell.from_input.weight,
        cell.from_hidden.weight,
        cell.from_input.bias,
        torch.zeros_like(cell.from_input.bias) if cell.from_hidden.bias is None else cell.from_hidden.bias,
    ]
    start = tuple(parts) if len(parts) > 1 else parts[0]
    layers, dropout, bidirectional = 1, 0.0, False
    data, *final = function(
        packed.data, packed.batch_sizes, start, weights, True, layers, dropout, torch.is_grad_enabled(), bidirectional
    )
    padded, _ = pad_packed_sequence(
        PackedSequence(data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices),
        total_length=len(inputs),
    )
    return [padded, *(part[0].index_select(0, packed.unsorted_indices) for part in final)]
