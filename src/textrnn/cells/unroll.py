"""The only place that knows about time and lengths."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from textrnn.cells.cell import Cell, State


def unroll(
    cell: Cell[State, Any],
    inputs: Float[Tensor, "time batch features"],
    lengths: Int[Tensor, " batch"],
    state: State,
) -> tuple[Float[Tensor, "time batch hidden"], State]:
    """The hidden state after every step, and the whole state after each row's last real step.

    Args:
        cell: the recurrent cell.
        inputs: padded at the end of each row; what stands in the padding is never used.
        lengths: real steps per row, 0 to time. A finished row keeps its state.
        state: the state before the first step, each part [batch, hidden].

    Returns:
        The hidden states (those of a finished row repeat its last one) and the final state.
    """
    outputs: list[Tensor] = []
    shortest = int(lengths.min()) if len(lengths) else 0
    for t, x in enumerate(inputs):
        stepped = cell.step(x, state)
        if t < shortest:  # every row is alive; sparing the selection saves a tenth of the time
            state = stepped
        else:
            alive = (t < lengths).unsqueeze(-1)  # [batch, 1]
            state = type(state)(*(torch.where(alive, new, old) for new, old in zip(stepped, state, strict=True)))
        outputs.append(state.hidden)
    if not outputs:
        return inputs.new_zeros(0, *state.hidden.shape), state
    return torch.stack(outputs), state
