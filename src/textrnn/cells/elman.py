"""The simple recurrent network of Elman (1990), "Finding structure in time", Cognitive Science 14, 179-211.

    h_t = tanh(W_ih x_t + b + W_hh h_{t-1})

With relu instead of tanh (Le, Jaitly and Hinton 2015, arXiv:1504.00941) the state is not bounded.

`from_input` is W_ih with b, `from_hidden` is W_hh without a bias: the lesson's form. `torch.nn.RNN` has a second bias
b_hh; both add up, so a cell with b = b_ih + b_hh computes the same.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import skip_init

from textrnn.cells.cell import Cell, GivenLinear, HiddenState


class ElmanGates(NamedTuple):
    """An Elman cell has no gate; what it computes is the new state itself."""

    candidate: Float[Tensor, "batch hidden"]


class ElmanCell(Cell[HiddenState, ElmanGates]):
    """The vanilla RNN:

    h_t = tanh(W_ih x_t + b + W_hh h_{t-1})
    """

    GATES = ("candidate",)

    from_hidden: nn.Linear | GivenLinear

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        # skip_init: the constructor of nn.Linear would draw weights from the ambient random stream.
        self.from_input: nn.Linear = skip_init(nn.Linear, input_size, hidden_size)
        self.from_hidden = skip_init(nn.Linear, hidden_size, hidden_size, bias=False)

    def initial_state(self, batch_size: int) -> HiddenState:
        return HiddenState(self._zeros(batch_size))

    def gates(self, x: Float[Tensor, "batch features"], state: HiddenState) -> ElmanGates:
        return ElmanGates(torch.tanh(self.from_input(x) + self.from_hidden(state.hidden)))

    def step(self, x: Float[Tensor, "batch features"], state: HiddenState) -> HiddenState:
        return HiddenState(self.gates(x, state).candidate)


class ElmanReluCell(ElmanCell):
    """The vanilla RNN with relu in the place of tanh."""

    def gates(self, x: Float[Tensor, "batch features"], state: HiddenState) -> ElmanGates:
        return ElmanGates(torch.relu(self.from_input(x) + self.from_hidden(state.hidden)))
