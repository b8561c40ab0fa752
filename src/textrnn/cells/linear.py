"""Cells whose state changes linearly, h_t = a_t h_{t-1} + u_t, with a_t and u_t read from the input alone.

Such a recurrence is associative: two steps (a, u) and then (a', u') are the one step (a' a, a' u + u'). So all states
follow from a scan over time in O(log time) rounds (Blelloch 1990, "Prefix sums and their applications") instead of
`time` steps in a row. All a_t lie between 0 and 1, so that products of them may vanish but never overflow; nothing is
divided and no logarithm is taken, unlike in the scan of Heinsen (2023, arXiv:2311.06281).
"""

from abc import abstractmethod
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from textrnn.cells.cell import Cell, Gates, HiddenState

Steps = Float[Tensor, "time batch hidden"]


class LinearCell(Cell[HiddenState, Gates]):
    """A cell with h_t = kept_t h_{t-1} + added_t. It has no recurrent weight."""

    from_hidden: None

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_hidden = None

    @abstractmethod
    def kept_and_added(
        self, inputs: Float[Tensor, "*steps features"]
    ) -> tuple[Float[Tensor, "*steps hidden"], Float[Tensor, "*steps hidden"]]:
        """The share of the old state that is kept, from 0 to 1, and what is added to it."""

    def initial_state(self, batch_size: int) -> HiddenState:
        return HiddenState(self._zeros(batch_size))

    def step(self, x: Float[Tensor, "batch features"], state: HiddenState) -> HiddenState:
        kept, added = self.kept_and_added(x)
        return HiddenState(kept * state.hidden + added)


def linear_recurrence(kept: Steps, added: Steps, initial: Float[Tensor, "batch hidden"]) -> Steps:
    """h_t = kept_t h_{t-1} + added_t for all t at once, from h_0 = initial; at least one step."""
    states: Tensor = _LinearRecurrence.apply(kept, added, initial)  # type: ignore[no-untyped-call]
    return states


class _LinearRecurrence(torch.autograd.Function):
    """Its gradient is a recurrence of the same kind that runs backwards: g_t = dL/dh_t + kept_{t+1} g_{t+1}.

    Written out, because autograd would keep every round of the scan.
    """

    @staticmethod
    def forward(ctx: Any, kept: Steps, added: Steps, initial: Float[Tensor, "batch hidden"]) -> Steps:
        first = torch.addcmul(added[0], kept[0], initial)
        states = _scan(kept, torch.cat([first[None], added[1:]]))
        ctx.save_for_backward(kept, initial, states)
        return states

    @staticmethod
    def backward(ctx: Any, *gradients: Steps) -> tuple[Steps, Steps, Float[Tensor, "batch hidden"]]:
        kept, initial, states = ctx.saved_tensors
        (gradient,) = gradients
        next_kept = torch.cat([kept[1:], torch.zeros_like(kept[:1])])
        # In reversed order; the last step has no successor, so it starts from zero.
        summed = linear_recurrence(next_kept.flip(0), gradient.flip(0), torch.zeros_like(initial)).flip(0)
        before = torch.cat([initial[None], states[:-1]])
        return summed * before, summed, summed[0] * kept[0]


def _scan(kept: Steps, added: Steps) -> Steps:
    """The states from zero: join neighbours to half as many steps, scan those, fill in the states between."""
    time = len(kept)
    if time == 1:
        return added
    even_kept, even_added = kept[0::2], added[0::2]
    odd_kept, odd_added = kept[1::2], added[1::2]
    pairs = time // 2
    states = torch.empty_like(added)
    states[1::2] = _scan(odd_kept * even_kept[:pairs], torch.addcmul(odd_added, odd_kept, even_added[:pairs]))
    states[0] = added[0]
    states[2::2] = torch.addcmul(even_added[1:], even_kept[1:], states[1:-1:2])
    return states
