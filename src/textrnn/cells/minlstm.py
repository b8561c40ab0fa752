"""minLSTM of Feng et al. (2024), "Were RNNs All We Needed?", arXiv:2410.01201: an LSTM whose gates read the input only.

    f_t = sigmoid(W_f x_t + b_f)            forget
    i_t = sigmoid(W_i x_t + b_i)            input
    c_t = W_c x_t + b_c                     candidate
    f'_t = f_t / (f_t + i_t),  i'_t = i_t / (f_t + i_t)
    h_t = f'_t h_{t-1} + i'_t c_t

The candidate is linear, as in the paper's section 3.2. f and i can both be too small for their quotient, so it is
computed as f'_t = sigmoid(log f_t - log i_t), which is the same. `from_input` is W with b, rows in the order
(forget, input, candidate); there is no `from_hidden` and no memory beside the hidden state.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import logsigmoid
from torch.nn.utils import skip_init

from textrnn.cells.cell import HiddenState
from textrnn.cells.linear import LinearCell


class MinLSTMGates(NamedTuple):
    """Forget and input are the shares f' and i', which sum to 1; the candidate is not bounded."""

    forget: Float[Tensor, "*steps hidden"]
    input: Float[Tensor, "*steps hidden"]
    candidate: Float[Tensor, "*steps hidden"]


class MinLSTMCell(LinearCell[MinLSTMGates]):
    """The minimal long short-term memory."""

    GATES = ("forget", "input", "candidate")

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input: nn.Linear = skip_init(nn.Linear, input_size, 3 * hidden_size)

    def gates(self, x: Float[Tensor, "*steps features"], state: HiddenState | None = None) -> MinLSTMGates:
        forget, into, candidate = self.from_input(x).chunk(3, dim=-1)
        log_ratio = logsigmoid(forget) - logsigmoid(into)
        return MinLSTMGates(torch.sigmoid(log_ratio), torch.sigmoid(-log_ratio), candidate)

    def kept_and_added(
        self, inputs: Float[Tensor, "*steps features"]
    ) -> tuple[Float[Tensor, "*steps hidden"], Float[Tensor, "*steps hidden"]]:
        forget, into, candidate = self.gates(inputs)
        return forget, into * candidate
