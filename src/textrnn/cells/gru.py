"""The gated recurrent unit of Cho et al. (2014), arXiv:1406.1078, in the form of cuDNN and PyTorch.

    r_t = sigmoid(W_r x_t + b_r + U_r h_{t-1} + d_r)            reset
    z_t = sigmoid(W_z x_t + b_z + U_z h_{t-1} + d_z)            update: 1 keeps the old state
    n_t = tanh(W_n x_t + b_n + r_t (U_n h_{t-1} + d_n))         candidate
    h_t = (1 - z_t) n_t + z_t h_{t-1}

The reset gate acts after the product with U_n, which makes one product of the three; in the paper it acts before. So
d_n is not the same as b_n, and the cell keeps both biases, as `torch.nn.GRU` does. `from_input` is W with b,
`from_hidden` is U with d, rows in the order (reset, update, candidate).
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import skip_init

from textrnn.cells.cell import Cell, GivenLinear, HiddenState


class GRUGates(NamedTuple):
    """Reset and update lie between 0 and 1, the candidate between -1 and 1."""

    reset: Float[Tensor, "batch hidden"]
    update: Float[Tensor, "batch hidden"]
    candidate: Float[Tensor, "batch hidden"]


class GRUCell(Cell[HiddenState, GRUGates]):
    """The gated recurrent unit, reset after the product."""

    GATES = ("reset", "update", "candidate")

    from_hidden: nn.Linear | GivenLinear

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input: nn.Linear = skip_init(nn.Linear, input_size, 3 * hidden_size)
        self.from_hidden = skip_init(nn.Linear, hidden_size, 3 * hidden_size)

    def initial_state(self, batch_size: int) -> HiddenState:
        return HiddenState(self._zeros(batch_size))

    def gates(self, x: Float[Tensor, "batch features"], state: HiddenState) -> GRUGates:
        reset_x, update_x, candidate_x = self.from_input(x).chunk(3, dim=-1)
        reset_h, update_h, candidate_h = self.from_hidden(state.hidden).chunk(3, dim=-1)
        reset = torch.sigmoid(reset_x + reset_h)
        update = torch.sigmoid(update_x + update_h)
        return GRUGates(reset, update, torch.tanh(candidate_x + reset * candidate_h))

    def step(self, x: Float[Tensor, "batch features"], state: HiddenState) -> HiddenState:
        _, update, candidate = self.gates(x, state)
        return HiddenState((1 - update) * candidate + update * state.hidden)
