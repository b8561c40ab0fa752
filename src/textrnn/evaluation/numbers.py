"""Figures of texts with a number each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from textrnn.evaluation.mistakes import encodable
from textrnn.tasks.metrics import correlation
from textrnn.tasks.regression import checked_numbers, r2

RESAMPLES = 1000
MOST_POINTS = 2000
"""Of the figure."""


class Spread(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A figure of any size with its confidence interval."""

    value: float
    low: float
    high: float


class NumberMistake(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One text whose number is far off."""

    text: str | None
    """None where no texts were given."""
    place: str | None
    """Where the text stands; None where no places were given."""
    value: float
    predicted: float


class NumberEvaluation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How well a model tells the numbers of texts."""

    examples: int
    mae: Spread
    """Mean absolute error, with a bootstrap percentile interval."""
    rmse: Spread
    """Root of the mean squared error, likewise."""
    r2: float | None
    """1 - squared errors / squared distances from the mean of these examples; None where these have one number."""
    pearson: float | None
    """Correlation of true and predicted numbers; None where there is none."""
    spearman: float | None
    """Of their ranks, likewise."""
    mae_of_mean: float
    """Mean absolute error of always predicting the mean of the training texts."""
    rmse_of_mean: float
    confidence: float
    """Level of both intervals."""
    mistakes: list[NumberMistake]
    """Those that are off the most first."""
    points: list[tuple[float, float]]
    """True and predicted number of the examples, or of every so manieth by the order of the true one."""


def evaluate_numbers(
    targets: NDArray[Any],
    values: NDArray[Any],
    *,
    mean: float,
    texts: Sequence[str] | None = None,
    places: Sequence[str] | None = None,
    mistakes: int = 10,
    confidence: float = 0.95,
    seed: int = 0,
) -> NumberEvaluation:
    """All figures.

    Args:
        targets: true numbers [texts].
        values: predicted numbers [texts, 1].
        mean: of the training texts.
        texts, places: of each example, for the list of mistakes.
        mistakes: how many to list.
        confidence: level of all intervals.
        seed: of the bootstrap behind them.

    Raises:
        ValueError: the arrays do not fit each other, are empty, or hold what is no finite number.
        MissingDependencyError: SciPy is not installed.
    """
    predicted = checked_numbers(targets, values)
    off = np.abs(predicted - targets)
    order = np.argsort(targets, kind="stable")
    shown = order[np.unique(np.linspace(0, len(order) - 1, min(len(order), MOST_POINTS)).round().astype(int))]
    absolute, squared = _intervals(off, confidence, seed)
    return NumberEvaluation(
        examples=len(targets),
        mae=Spread(value=float(off.mean()), low=absolute[0], high=absolute[1]),
        rmse=Spread(value=float(np.sqrt(np.square(off).mean())), low=squared[0], high=squared[1]),
        r2=r2(targets, predicted),
        pearson=correlation("pearson", targets, predicted),
        spearman=correlation("spearman", targets, predicted),
        mae_of_mean=float(np.abs(targets - mean).mean()),
        rmse_of_mean=float(np.sqrt(np.square(targets - mean).mean())),
        confidence=confidence,
        mistakes=[
            NumberMistake(
                text=None if texts is None else encodable(texts[i]),
                place=None if places is None else encodable(places[i]),
                value=float(targets[i]),
                predicted=float(predicted[i]),
            )
            for i in np.argsort(-off, kind="stable")[:mistakes].tolist()
        ],
        points=list(zip(targets[shown].tolist(), predicted[shown].tolist(), strict=True)),
    )


def _intervals(
    off: NDArray[np.float64], confidence: float, seed: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Percentile intervals of the mean and the root mean square, over resampled examples (Efron 1979)."""
    rng = np.random.default_rng(seed)
    means, roots = np.empty(RESAMPLES), np.empty(RESAMPLES)
    for index in range(RESAMPLES):
        drawn = off[rng.integers(0, len(off), len(off))]
        means[index], roots[index] = drawn.mean(), np.sqrt(np.square(drawn).mean())
    tail = (1 - confidence) / 2
    found = [np.quantile(values, [tail, 1 - tail]) for values in (means, roots)]
    return (float(found[0][0]), float(found[0][1])), (float(found[1][0]), float(found[1][1]))
