"""What a recurrent cell is: one step in time, and nothing about time itself."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear


@runtime_checkable
class CarriedState(Protocol):
    """What a cell carries from step to step: a named tuple of tensors [batch, hidden], `hidden` among them."""

    @property
    def hidden(self) -> Tensor:
        """What the cell shows to the outside."""

    def __iter__(self) -> Iterator[Tensor]: ...


class HiddenState(NamedTuple):
    """The state of a cell that carries one vector."""

    hidden: Float[Tensor, "batch hidden"]


State = TypeVar("State", bound=CarriedState)
Gates = TypeVar("Gates", bound=tuple[Tensor, ...])


class GivenLinear(nn.Module):
    """A linear map by tensors that are given, which need not be parameters."""

    def __init__(self, weight: Float[Tensor, "rows columns"], bias: Float[Tensor, " rows"] | None) -> None:
        super().__init__()
        self.weight = weight
        self.bias = bias

    def forward(self, x: Float[Tensor, "batch columns"]) -> Float[Tensor, "batch rows"]:
        return linear(x, self.weight, self.bias)


class Cell(nn.Module, ABC, Generic[State, Gates]):
    """One step of a recurrent network: (x_t, state) -> state.

    Time, lengths, padding, depth and direction belong to `unroll`. Parameters are allocated here and filled by
    `textrnn.model.initialize` or from a model file.
    """

    GATES: ClassVar[tuple[str, ...]]
    """Row blocks of every weight, in this order."""

    from_input: nn.Linear
    from_hidden: nn.Linear | GivenLinear | None
    """None where the gates read the input only."""

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

    def with_recurrent_weight(self, weight: Float[Tensor, "rows hidden"]) -> "Cell[State, Gates]":
        """This cell with another recurrent weight, e.g. a thinned one; it shares everything else.

        Raises:
            ValueError: the cell has no recurrent weight.
        """
        if self.from_hidden is None:
            raise ValueError(f"{type(self).__name__} has no recurrent weight")
        view = copy.copy(self)
        view._modules = {**self._modules, "from_hidden": GivenLinear(weight, self.from_hidden.bias)}
        return view

    def _zeros(self, batch_size: int) -> Float[Tensor, "batch hidden"]:
        return self.from_input.weight.new_zeros(batch_size, self.hidden_size)
