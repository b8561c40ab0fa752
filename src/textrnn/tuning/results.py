"""What a search leaves behind."""

from dataclasses import dataclass, field
from typing import Any, Literal

from textrnn.runtime import Classifier

Ending = Literal["complete", "pruned", "cut off", "failed"]


@dataclass(frozen=True)
class TrialRecord:
    """One training of the search."""

    number: int
    """Counted from 0, over all commands that went on with the same study."""
    ending: Ending
    """`complete`: to its own end. `pruned`: worse than the median of the others, and stopped. `cut off`: by the end of
    its time or by hand; its best epoch counts. `failed`: it diverged, or not even one epoch was complete."""
    value: float | None
    """The validation metric of its best epoch; None without one."""
    settings: dict[str, Any]
    """What was searched."""
    seconds: float = 0.0
    epochs: int = 0


@dataclass(frozen=True)
class Tuning:
    """The result of a search."""

    classifier: Classifier
    """Of the best trial, or the whole model with its settings."""
    metric: str
    """The validation metric that was sought to be best."""
    best: TrialRecord
    first: TrialRecord | None
    """The trial of the default recipe; None where it could not even begin."""
    settings: dict[str, Any]
    """Of the best trial, by name, those that were chosen by the user included: `textrnn.train` takes them."""
    trials: list[TrialRecord] = field(repr=False)
    importances: dict[str, float] = field(repr=False)
    """Share of the metric's variance that each setting explains (fANOVA, Hutter et al. 2014), the largest first; empty
    where there are too few complete trials."""
    whole: float | None = field(default=None, kw_only=True)
    """The validation metric of the whole model; None where a single network is all, or there was no time for more."""
