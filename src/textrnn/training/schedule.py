"""Learning rates: pure functions of the step."""

import math
from collections.abc import Callable

RateAt = Callable[[int], float]
"""Step, counted from 0 over all epochs -> learning rate."""


def rate_at(schedule: str, highest: float, total_steps: int) -> RateAt:
    """The learning rate of every step.

    Args:
        schedule: `constant`; `linear`: from the highest rate straight down to 0; `cosine`: along half a cosine
            (Loshchilov and Hutter 2017, arXiv:1608.03983, without restarts).
        highest: the rate of step 0.
        total_steps: the step at which the falling schedules reach 0.
    """

    def constant(step: int) -> float:
        return highest

    def linear(step: int) -> float:
        return highest * (1 - min(step / total_steps, 1))

    def cosine(step: int) -> float:
        return highest * (1 + math.cos(math.pi * min(step / total_steps, 1))) / 2

    return {"constant": constant, "linear": linear, "cosine": cosine}[schedule]
