"""What a recurrent cell is: one step in time, and nothing about time itself."""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, NamedTuple, TypeVar

from jaxtyping import Float
from torch import Tensor, nn


class HiddenState(NamedTuple):
    """The state of a cell that carries one vector."""

    hidden: Float[Tensor, "batch hidden"]


State = TypeVar("State", bound=HiddenState)
Gates = TypeVar("Gates", bound=tuple[Tensor, ...])


class Cell(nn.Module, ABC, Generic[State, Gates]):
    """One step of a recurrent network: (x_t, state) -> state.

    Time, lengths, padding, depth and direction belong to `unroll`. Parameters are allocated here and filled by
    `textrnn.model.initialize` or from a model file.
    """

    GATES: ClassVar[tuple[str, ...]]
    """Row blocks of every weight, in this order."""

    from_input: nn.Linear
    from_hidden: nn.Linear

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size

    @abstractmethod
    def initial_state(self, batch_size: int) -> State:
        """The state before the first token: zeros. Each part [batch, hidden]."""

    @abstractmethod
    def gates(self, x: Float[Tensor, "batch features"], state: State) -> Gates:
        """What the step computes on its way, by name; read by inspection. Each part [batch, hidden]."""

    @abstractmethod
    def step(self, x: Float[Tensor, "batch features"], state: State) -> State:
        """The state after reading one token of every row."""
