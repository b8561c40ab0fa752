"""Recurrent layers: one or two directions each, stacked."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from textrnn.cells import CELLS, Cell, Unroll, backwards
from textrnn.model.noise import Noise, masked

States = tuple[Any, ...]
"""The state of each direction of a layer: left to right, then right to left if there is one."""


class Layer(nn.Module):
    """A cell for each direction in which the texts are read. Its outputs are [left_to_right | right_to_left]."""

    left_to_right: Cell[Any, Any]
    right_to_left: Cell[Any, Any] | None

    def __init__(self, cell: str, input_size: int, hidden_size: int, *, bidirectional: bool) -> None:
        super().__init__()
        self.left_to_right = CELLS[cell](input_size, hidden_size)
        self.right_to_left = CELLS[cell](input_size, hidden_size) if bidirectional else None

    @property
    def directions(self) -> tuple[Cell[Any, Any], ...]:
        """The cells, left to right first."""
        return (self.left_to_right,) if self.right_to_left is None else (self.left_to_right, self.right_to_left)

    def initial_states(self, batch_size: int) -> States:
        """Zeros for each direction."""
        return tuple(cell.initial_state(batch_size) for cell in self.directions)

    def run(
        self,
        inputs: Float[Tensor, "time batch features"],
        lengths: Int[Tensor, " batch"],
        states: States,
        unroll: Unroll,
        noise: Noise,
    ) -> tuple[Float[Tensor, "time batch outputs"], States]:
        """Outputs after every step and the final state of each direction.

        Right to left the real steps of each row are read from its last to its first, and the padding is left where it
        is. The output at step t is then the state after reading t and all that follows.
        """
        outputs, final = unroll(noise.cell(self.left_to_right), inputs, lengths, states[0])
        if self.right_to_left is None:
            return outputs, (final,)
        reverse, reverse_final = unroll(noise.cell(self.right_to_left), backwards(inputs, lengths), lengths, states[1])
        return torch.cat([outputs, backwards(reverse, lengths)], dim=-1), (final, reverse_final)


def run_layers(
    layers: Iterable[Layer],
    inputs: Float[Tensor, "time batch features"],
    lengths: Int[Tensor, " batch"],
    unroll: Unroll,
    noise: Noise,
    initial: Sequence[States] | None = None,
) -> tuple[Float[Tensor, "time batch outputs"], list[States]]:
    """All layers, each reading the outputs of the one below.

    Args:
        layers: from the one that reads the inputs to the one whose outputs are returned.
        inputs: padded at the end of each row.
        lengths: real steps per row.
        unroll: how a cell is unrolled over time.
        noise: dropout between layers and of recurrent weights.
        initial: for each layer the state of each direction before its first step; zeros where left out.

    Returns:
        The outputs of the last layer, and for each layer the final state of each direction.
    """
    finals: list[States] = []
    for depth, layer in enumerate(layers):
        if depth:
            inputs = masked(inputs, noise.steps_mask(*inputs.shape))
        states = layer.initial_states(len(lengths)) if initial is None else initial[depth]
        inputs, final = layer.run(inputs, lengths, states, unroll, noise)
        finals.append(final)
    return inputs, finals
