"""The long short-term memory of Hochreiter and Schmidhuber (1997), Neural Computation 9, 1735-1780, with the forget
gate of Gers, Schmidhuber and Cummins (2000), Neural Computation 12, 2451-2471, without peepholes.

    i_t = sigmoid(W_i x_t + b_i + U_i h_{t-1})      input
    f_t = sigmoid(W_f x_t + b_f + U_f h_{t-1})      forget: 1 keeps the memory
    g_t = tanh(W_g x_t + b_g + U_g h_{t-1})         proposal
    o_t = sigmoid(W_o x_t + b_o + U_o h_{t-1})      output
    c_t = f_t c_{t-1} + i_t g_t                     memory
    h_t = o_t tanh(c_t)                             hidden

`from_input` is W with b, `from_hidden` is U without a bias, rows in the order (input, forget, proposal, output).
`torch.nn.LSTM` has a second bias b_hh; both add up, so a cell with b = b_ih + b_hh computes the same.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import skip_init

from textrnn.cells.cell import Cell, GivenLinear


class LSTMState(NamedTuple):
    """What the cell shows, and what it remembers."""

    hidden: Float[Tensor, "batch hidden"]
    memory: Float[Tensor, "batch hidden"]


class LSTMGates(NamedTuple):
    """Input, forget and output lie between 0 and 1, the proposal between -1 and 1."""

    input: Float[Tensor, "batch hidden"]
    forget: Float[Tensor, "batch hidden"]
    proposal: Float[Tensor, "batch hidden"]
    output: Float[Tensor, "batch hidden"]


class LSTMCell(Cell[LSTMState, LSTMGates]):
    """The long short-term memory."""

    GATES = ("input", "forget", "proposal", "output")

    from_hidden: nn.Linear | GivenLinear

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input: nn.Linear = skip_init(nn.Linear, input_size, 4 * hidden_size)
        self.from_hidden = skip_init(nn.Linear, hidden_size, 4 * hidden_size, bias=False)

    def initial_state(self, batch_size: int) -> LSTMState:
        return LSTMState(self._zeros(batch_size), self._zeros(batch_size))

    def gates(self, x: Float[Tensor, "batch features"], state: LSTMState) -> LSTMGates:
        summed = self.from_input(x) + self.from_hidden(state.hidden)
        into, forget, proposal, output = summed.chunk(4, dim=-1)
        return LSTMGates(torch.sigmoid(into), torch.sigmoid(forget), torch.tanh(proposal), torch.sigmoid(output))

    def step(self, x: Float[Tensor, "batch features"], state: LSTMState) -> LSTMState:
        into, forget, proposal, output = self.gates(x, state)
        memory = forget * state.memory + into * proposal
        return LSTMState(output * torch.tanh(memory), memory)
