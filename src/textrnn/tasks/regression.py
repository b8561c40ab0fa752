"""A number a text: squared error of numbers that are standardised by the mean and deviation of the training texts."""

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Self

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from textrnn.labels import AnyLabel, Label
from textrnn.tasks.metrics import check_name, correlation
from textrnn.tasks.prediction import Prediction
from textrnn.tasks.task import Answers, Collector, Problem, Scores, Targets, TaskRecord

LARGEST = 1e100
"""Of a number that can be a label: its square is far from overflowing."""
STRATA = 10


class Regression(TaskRecord, frozen=True, kw_only=True, tag="regression"):
    """See the module."""

    mean: Annotated[float, Meta(ge=-LARGEST, le=LARGEST)] = 0.0
    """Of the training texts."""
    std: Annotated[float, Meta(gt=0, le=LARGEST)] = 1.0
    """Standard deviation of the training texts."""

    metrics: ClassVar[tuple[str, ...]] = ("loss", "mae", "rmse", "r2", "pearson", "spearman")
    shown: ClassVar[tuple[str, ...]] = ("loss", "mae")
    weighable: ClassVar[bool] = False

    def read_label(self, value: Any) -> float:
        """See `Task`."""
        return as_number(value)

    def collector(self, labels: Sequence[Label] | None) -> Collector:
        """See `Task`."""
        return NumberCollector(worth_learning=labels is None)

    def label_of(self, target: Any, labels: Sequence[Label]) -> float:
        """See `Task`."""
        return float(target)

    def strata(self, targets: Targets) -> NDArray[np.int64]:
        """Tenths of the texts by their number. [texts]"""
        limits = np.unique(np.quantile(targets, np.arange(1, STRATA) / STRATA))
        return np.searchsorted(limits, targets, side="right").astype(np.int64)

    def check(self, labels: Sequence[Label]) -> None:
        """See `Task`."""
        if labels:
            raise ValueError(f"expected no labels beside a number, found {len(labels)}")

    def outputs(self, labels: int) -> int:
        """The standardised number."""
        return 1

    def difficulty(self, labels: int) -> int:
        """As hard as two classes."""
        return 2

    def fitted(self, targets: Targets) -> Self:
        """With mean and standard deviation; numbers that are all but equal keep the deviation 1."""
        std = float(targets.std())
        return msgspec.structs.replace(self, mean=float(targets.mean()), std=std if std > 0 else 1.0)

    def standardised(self, targets: Targets) -> NDArray[np.float64]:
        """What the scores should be. [texts]"""
        found: NDArray[np.float64] = (targets - self.mean) / self.std
        return found

    def answers(self, scores: Scores) -> Answers:
        """[texts, 1]"""
        return self.mean + self.std * scores.astype(np.float64)

    def decided(self, answers: Answers) -> NDArray[np.float64]:
        """The number. [texts]"""
        return answers[:, 0]

    def predictions(self, answers: Answers, labels: Sequence[Label], abstain_below: float) -> list[Prediction]:
        """See `Task`."""
        if abstain_below:
            raise ValueError("expected 0, since a number has no probability")
        return [Prediction(None, math.nan, {}, value=value) for value in answers[:, 0].tolist()]

    def score(self, metric: str, targets: Targets, answers: Answers) -> float:
        """`loss` is the mean squared error of standardised numbers; where a correlation is undefined, it is 0."""
        check_name(metric, self.metrics)
        values = checked_numbers(targets, answers)
        off = values - targets
        if metric == "loss":
            return float(np.square(off / self.std).mean())
        if metric == "mae":
            return float(np.abs(off).mean())
        if metric == "rmse":
            return float(np.sqrt(np.square(off).mean()))
        if metric == "r2":
            return r2(targets, values) or 0.0
        return correlation(metric, targets, values) or 0.0

    def loss_and_slope(self, targets: Targets, scores: Scores) -> tuple[float, NDArray[np.float64]]:
        """Mean squared error of standardised numbers."""
        off = scores.astype(np.float64) - self.standardised(targets)[:, np.newaxis]
        return float(np.square(off).mean()), 2 * off

    def problems(self, targets: Targets, outputs: int, *, balanced: bool) -> list[Problem]:
        """The standardised numbers."""
        return [Problem(self.standardised(targets), ((0, 1.0),))]

    def columns(self, labels: Sequence[Label]) -> list[str]:
        """See `Task`."""
        return ["value"]

    def row(self, prediction: Prediction, abstention: str | None) -> list[str]:
        """See `Task`."""
        return [f"{prediction.value:.9g}"]

    def record(self, prediction: Prediction, abstention: str | None) -> dict[str, Any]:
        """See `Task`."""
        return {"value": prediction.value}


class NumberCollector:
    """Gathers one number a text; see `textrnn.tasks.task.Collector`."""

    def __init__(self, *, worth_learning: bool) -> None:
        self._worth_learning = worth_learning
        self._found: list[float] = []

    def add(self, label: AnyLabel | None) -> None:
        """See `textrnn.tasks.task.Collector`."""
        self._found.append(as_number(label))

    def result(self) -> tuple[NDArray[np.float64], list[Label]]:
        """See `textrnn.tasks.task.Collector`."""
        targets = np.array(self._found, dtype=np.float64)
        if self._worth_learning and np.ptp(targets) == 0:
            raise ValueError(f"all {len(targets)} texts have the number {targets[0]:g}, expected at least two numbers")
        return targets, []


def as_number(value: Any) -> float:
    """A label as a finite number.

    Raises:
        ValueError: it is none.
    """
    if value is None or type(value).__name__ == "NAType":
        raise ValueError("the label is missing")
    number = math.nan
    if isinstance(value, str | int | float | np.number) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            number = float(value)
    if not abs(number) <= LARGEST:  # nan is not
        shown = repr(value)
        raise ValueError(f"the label {shown if len(shown) <= 60 else shown[:60] + '…'} is no number, expected one")
    return number


def checked_numbers(targets: Targets, answers: Answers) -> NDArray[np.float64]:
    """The numbers of answers [texts, 1] for as many targets [texts]; raises ValueError where they do not fit."""
    if targets.ndim != 1 or answers.shape != (len(targets), 1) or not len(targets):
        raise ValueError(f"expected numbers [texts] and [texts, 1], got {list(targets.shape)}, {list(answers.shape)}")
    if not np.isfinite(answers).all() or not np.isfinite(targets).all():
        raise ValueError("expected finite numbers")
    return answers[:, 0]


def r2(targets: NDArray[np.float64], values: NDArray[np.float64]) -> float | None:
    """1 - squared errors / squared distances from the mean, as `sklearn.metrics.r2_score`; None for equal targets."""
    distances = np.square(targets - targets.mean()).sum()
    return None if distances == 0 else float(1 - np.square(targets - values).sum() / distances)
