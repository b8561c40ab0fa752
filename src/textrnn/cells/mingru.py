"""minGRU of Feng et al. (2024), "Were RNNs All We Needed?", arXiv:2410.01201: a GRU whose gates read the input only.

    z_t = sigmoid(W_z x_t + b_z)            update: 1 takes the candidate, the reverse of the GRU's
    c_t = W_c x_t + b_c                     candidate
    h_t = (1 - z_t) h_{t-1} + z_t c_t

The candidate is linear, as in the paper's section 3.1 (its log-space form in the appendix makes it positive, which
ours does not need). `from_input` is W with b, rows in the order (update, candidate); there is no `from_hidden`.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import skip_init

from textrnn.cells.cell import HiddenState
from textrnn.cells.linear import LinearCell


class MinGRUGates(NamedTuple):
    """The update lies between 0 and 1; the candidate is not bounded."""

    update: Float[Tensor, "*steps hidden"]
    candidate: Float[Tensor, "*steps hidden"]


class MinGRUCell(LinearCell[MinGRUGates]):
    """The minimal gated recurrent unit."""

    GATES = ("update", "candidate")

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input: nn.Linear = skip_init(nn.Linear, input_size, 2 * hidden_size)

    def gates(self, x: Float[Tensor, "*steps features"], state: HiddenState | None = None) -> MinGRUGates:
        update, candidate = self.from_input(x).chunk(2, dim=-1)
        return MinGRUGates(torch.sigmoid(update), candidate)

    def kept_and_added(
        self, inputs: Float[Tensor, "*steps features"]
    ) -> tuple[Float[Tensor, "*steps hidden"], Float[Tensor, "*steps hidden"]]:
        update, candidate = self.gates(inputs)
        return 1 - update, update * candidate
