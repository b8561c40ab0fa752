"""The states of a text to one vector. Every pooling looks at real steps only."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

States = Float[Tensor, "time batch hidden"]
Final = Float[Tensor, "batch hidden"]
Pooling = Callable[[States, Final, Int[Tensor, " batch"]], Final]
"""(states after every step, state after each row's last real step, real steps per row) -> one vector per row."""


def last(states: States, final: Final, lengths: Int[Tensor, " batch"]) -> Final:
    """The state after the last real step; for an empty text the initial state."""
    return final


def mean(states: States, final: Final, lengths: Int[Tensor, " batch"]) -> Final:
    """The mean over the real steps; zeros for an empty text."""
    real = _real_steps(states, lengths)
    return (states * real).sum(dim=0) / lengths.clamp(min=1).unsqueeze(-1)


def maximum(states: States, final: Final, lengths: Int[Tensor, " batch"]) -> Final:
    """The largest value of each unit over the real steps; zeros for an empty text."""
    if not len(states):
        return torch.zeros_like(final)
    largest = states.masked_fill(~_real_steps(states, lengths), -torch.inf).amax(dim=0)
    return largest.masked_fill((lengths == 0).unsqueeze(-1), 0.0)


def _real_steps(states: States, lengths: Int[Tensor, " batch"]) -> Bool[Tensor, "time batch 1"]:
    steps = torch.arange(len(states), device=lengths.device).unsqueeze(-1)
    return (steps < lengths).unsqueeze(-1)


POOLINGS: dict[str, Pooling] = {"last": last, "mean": mean, "max": maximum}
"""Every pooling by the name it has in a configuration."""
