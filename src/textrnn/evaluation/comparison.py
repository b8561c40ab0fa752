"""Which of two classifiers is better, and whether chance alone could tell the same."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from textrnn.evaluation.intervals import wilson
from textrnn.evaluation.mistakes import encodable
from textrnn.evaluation.results import Estimate
from textrnn.files import require
from textrnn.labels import Label
from textrnn.tasks.checks import checked

EXACT_BELOW = 25
"""Discordant pairs below which McNemar's test is the exact one."""


class Difference(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The second accuracy less the first, from -1 to 1, with its interval."""

    value: float
    low: float
    high: float


class Disagreement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One example of which the two classifiers think differently."""

    text: str | None
    place: str | None
    label: Label
    predicted: list[Label]
    """By the first and by the second classifier."""
    probabilities: list[float]
    """Of the true label, from the first and from the second."""


class Comparison(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two classifiers on the same labelled examples."""

    names: list[str]
    """Of the first and of the second."""
    examples: int
    accuracy: list[Estimate]
    """Of the first and of the second, with Wilson's score intervals."""
    both_right: int
    only_first: int
    """Examples on which only the first is right."""
    only_second: int
    both_wrong: int
    difference: Difference
    """Accuracy of the second less that of the first, with Newcombe's paired interval."""
    test: Literal["exact", "chi-squared"]
    """The form of McNemar's test: exact below 25 examples on which one alone is right."""
    statistic: float | None
    """Of the chi-squared form, with continuity correction."""
    p_value: float
    """Probability of so unequal a split, or a more unequal one, if both were equally good."""
    confidence: float
    """Level of all intervals."""
    disagreements: list[Disagreement]
    """Those that differ most in the probability of the true label, the largest difference first."""


def compare_probabilities(
    targets: NDArray[Any],
    first: NDArray[Any],
    second: NDArray[Any],
    labels: Sequence[Label],
    *,
    names: tuple[str, str] = ("first", "second"),
    predicted: tuple[NDArray[Any], NDArray[Any]] | None = None,
    texts: Sequence[str] | None = None,
    places: Sequence[str] | None = None,
    disagreements: int = 10,
    confidence: float = 0.95,
) -> Comparison:
    """All figures of two classifiers' probabilities [examples, classes] for the same targets [examples].

    predicted: the classes that they decide for, each [examples]; None: the likeliest.

    Raises:
        ValueError: the arrays do not fit each other, are empty, or hold what is no probability or no class.
        MissingDependencyError: SciPy is not installed.
    """
    targets, first = checked(targets, first)
    _, second = checked(targets, second)
    if first.shape != second.shape or len(labels) != first.shape[1]:
        raise ValueError(f"expected {len(labels)} classes in both, got {first.shape[1]} and {second.shape[1]}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, got {confidence}")
    examples = len(targets)
    predicted = predicted or (first.argmax(axis=1), second.argmax(axis=1))
    right = [guesses == targets for guesses in predicted]
    both_right = int((right[0] & right[1]).sum())
    only_first = int((right[0] & ~right[1]).sum())
    only_second = int((~right[0] & right[1]).sum())
    both_wrong = examples - both_right - only_first - only_second
    test, statistic, p_value = mcnemar(only_first, only_second)
    of_true = [rows[np.arange(examples), targets] for rows in (first, second)]
    order = np.argsort(-np.abs(of_true[1] - of_true[0]), kind="stable")
    chosen = order[predicted[0][order] != predicted[1][order]][:disagreements]
    return Comparison(
        names=[encodable(name) for name in names],
        examples=examples,
        accuracy=[wilson(int(hits.sum()), examples, confidence=confidence) for hits in right],
        both_right=both_right,
        only_first=only_first,
        only_second=only_second,
        both_wrong=both_wrong,
        difference=paired_difference(both_right, only_first, only_second, both_wrong, confidence=confidence),
        test=test,
        statistic=statistic,
        p_value=p_value,
        confidence=confidence,
        disagreements=[
            Disagreement(
                text=None if texts is None else encodable(texts[i]),
                place=None if places is None else encodable(places[i]),
                label=labels[targets[i]],
                predicted=[labels[guesses[i]] for guesses in predicted],
                probabilities=[float(column[i]) for column in of_true],
            )
            for i in chosen.tolist()
        ],
    )


def mcnemar(only_first: int, only_second: int) -> tuple[Literal["exact", "chi-squared"], float | None, float]:
    """McNemar's test: its form, its statistic if it has one, and the two-sided p-value.

    Source: Q. McNemar, Note on the sampling error of the difference between correlated proportions or percentages,
    Psychometrika 12 (1947); T. G. Dietterich, Approximate statistical tests for comparing supervised classification
    learning algorithms, Neural Computation 10 (1998), whose statistic has the continuity correction. Below
    25 discordant examples their split is compared with a fair coin's instead.
    """
    stats = require("scipy.stats", extra="evaluate", purpose="a comparison")
    discordant = only_first + only_second
    if discordant < EXACT_BELOW:
        return "exact", None, float(stats.binomtest(only_first, discordant).pvalue) if discordant else 1.0
    statistic = max(0, abs(only_first - only_second) - 1) ** 2 / discordant
    return "chi-squared", statistic, float(stats.chi2.sf(statistic, df=1))


def paired_difference(both: int, only_first: int, only_second: int, neither: int, *, confidence: float) -> Difference:
    """The second share less the first, of the same examples, with its interval.

    Source: R. G. Newcombe, Improved confidence intervals for the difference between binomial proportions based on
    paired data, Statistics in Medicine 17 (1998), method 10: Wilson's intervals of both shares, joined with regard to
    their correlation. It stays inside -1 to 1 and has a width even where the two never differ.
    """
    examples = both + only_first + only_second + neither
    one = wilson(both + only_first, examples, confidence=confidence)
    two = wilson(both + only_second, examples, confidence=confidence)
    cross = float(both * neither - only_first * only_second)
    if cross > 0:
        cross = max(cross - examples / 2, 0.0)
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    correlation = cross / math.sqrt(margins) if margins else 0.0

    def joined(a: float, b: float) -> float:
        return math.sqrt(max(0.0, a * a - 2 * correlation * a * b + b * b))

    value = (only_second - only_first) / examples
    return Difference(
        value=value,
        low=value - joined(two.value - two.low, one.high - one.value),
        high=value + joined(two.high - two.value, one.value - one.low),
    )
