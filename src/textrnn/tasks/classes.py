"""What the tasks with one label a text have in common: which classes there are, and how well they are told."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.labels import AnyLabel, Label, ordered
from textrnn.tasks.checks import checked
from textrnn.tasks.metrics import check_name, correlation, sklearn_metrics
from textrnn.tasks.task import Answers, Problem

CLASS_METRICS = ("loss", "accuracy", "macro_f1", "micro_f1", "weighted_f1", "roc_auc")
LEVEL_METRICS = ("mae", "quadratic_kappa", "spearman")


MOST_UNSHARED = 10
"""Labels of which each may stand beside one text only. More of them are no classes: nothing could be learned."""


class ClassIndex:
    """Labels and their numbers, in the order in which they are met, or in a model's."""

    def __init__(self, labels: Sequence[Label] | None) -> None:
        self.labels = labels
        self.classes: dict[Label, int] = {} if labels is None else {label: k for k, label in enumerate(labels)}
        # A CSV file cannot tell 1 from "1": against given labels, what is written alike is the same.
        self._by_writing = {str(label): k for label, k in self.classes.items()}

    def number(self, label: Label) -> int:
        """Raises ValueError for a label that is not among those of a model, or of another kind than the first."""
        found = self.classes.get(label)
        if found is None and self.labels is not None:
            found = self._by_writing.get(str(label))
            if found is None:
                raise ValueError(_unknown(label, self.labels))
        if found is None:
            if self.classes:
                ordered([next(iter(self.classes)), label])
            found = self.classes[label] = len(self.classes)
        return found

    def listed(self) -> tuple[list[Label], NDArray[np.int64]]:
        """The labels in their listing order, and for each number its place there."""
        listing = ordered(self.classes) if self.labels is None else list(self.labels)
        rank = {label: place for place, label in enumerate(listing)}
        return listing, np.array([rank[label] for label in self.classes], dtype=np.int64)


class ClassCollector:
    """Gathers one label a text; see `textrnn.tasks.task.Collector`."""

    def __init__(self, labels: Sequence[Label] | None) -> None:
        self._index = ClassIndex(labels)
        self._found: list[int] = []

    def add(self, label: AnyLabel | None) -> None:
        """See `textrnn.tasks.task.Collector`."""
        if not isinstance(label, str | int):
            raise ValueError("the label is missing" if label is None else f"expected one label, found {label!r}")
        self._found.append(self._index.number(label))

    def result(self) -> tuple[NDArray[np.int64], list[Label]]:
        """See `textrnn.tasks.task.Collector`."""
        listing, places = self._index.listed()
        if self._index.labels is None and len(listing) == 1:
            raise ValueError(
                f"all {len(self._found)} texts have the label {listing[0]!r}, expected at least two labels"
            )
        if self._index.labels is None and len(listing) == len(self._found) > MOST_UNSHARED:
            raise ValueError(
                f"each of the {len(listing)} texts has a label of its own, such as {short(listing[0])}: "
                "expected labels that texts share; does another column hold them?"
            )
        return places[np.array(self._found, dtype=np.int64)], listing


def _unknown(label: Label, labels: Sequence[Label], limit: int = 10) -> str:
    known = ", ".join(map(short, labels[:limit]))
    if len(labels) > limit:
        known += f", … ({len(labels)} in all)"
    return f"unknown label {short(label)}, expected one of {known}"


def short(label: Label, longest: int = 60) -> str:
    """As it would be written in Python, if need be its beginning only: a label can be a text in the wrong column."""
    written = repr(label)
    return written if len(written) <= longest else written[:longest] + "…"


def check_count(labels: Sequence[Label], least: int) -> None:
    """Raises ValueError for fewer labels."""
    if len(labels) < least:
        raise ValueError(f"expected at least {least} label{'s' if least > 1 else ''}, found {len(labels)}")


def class_weights(targets: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """`balanced`: examples / (classes * examples of the class), as scikit-learn defines it. [classes]"""
    counts = np.bincount(targets, minlength=classes)
    weights: NDArray[np.float64] = len(targets) / (classes * np.maximum(counts, 1))
    return weights


def class_score(
    metric: str,
    known: tuple[str, ...],
    targets: NDArray[Any],
    answers: Answers,
    decide: Callable[[Answers], NDArray[np.int64]],
) -> float:
    """A metric of predicted classes; `loss` and `accuracy` need NumPy alone. `loss` is in nats.

    Raises:
        ValueError: the arrays do not fit each other; or the metric is unknown, or is `roc_auc` and undefined.
        MissingDependencyError: the metric needs scikit-learn or SciPy, which is not installed.
    """
    check_name(metric, known)
    targets, answers = checked(targets, answers)
    if metric == "loss":
        return log_loss(targets, answers)
    predicted = decide(answers)
    if metric == "accuracy":
        return float(np.mean(predicted == targets))
    if metric == "roc_auc":
        area = roc_auc(targets, answers)
        if area is None:
            raise ValueError("roc_auc is undefined: all examples belong to one class, expected at least two")
        return area
    if metric in LEVEL_METRICS:
        return level_score(metric, targets, predicted, answers.shape[1])
    with sklearn_metrics() as metrics:
        average = metric.removesuffix("_f1")
        every = range(answers.shape[1])
        return float(metrics.f1_score(targets, predicted, labels=every, average=average, zero_division=0))


def level_score(metric: str, targets: NDArray[np.int64], predicted: NDArray[np.int64], levels: int) -> float:
    """One of LEVEL_METRICS of classes in order; 0 where agreement beyond chance, or a correlation, is undefined."""
    if metric == "mae":
        return float(np.abs(predicted - targets).mean())
    if metric == "spearman":
        return correlation("spearman", targets, predicted) or 0.0
    if len(np.unique([targets, predicted])) == 1:
        return 0.0
    with sklearn_metrics() as metrics:
        return float(metrics.cohen_kappa_score(targets, predicted, labels=range(levels), weights="quadratic"))


def log_loss(targets: NDArray[np.intp], probabilities: NDArray[np.float64]) -> float:
    """As `sklearn.metrics.log_loss`, which however warns of rows whose float32 sum is not quite 1."""
    tiny = np.finfo(np.float64).eps
    chosen = probabilities[np.arange(len(targets)), targets]
    return float(-np.log(np.clip(chosen, tiny, 1 - tiny)).mean())


def roc_auc(targets: NDArray[np.intp], probabilities: NDArray[np.float64]) -> float | None:
    """Of the second of two classes, else the one-vs-rest mean of present classes; None where there is but one."""
    examples, classes = probabilities.shape
    support = np.bincount(targets, minlength=classes)
    defined = np.flatnonzero((support > 0) & (support < examples))
    if len(defined) == 0:
        return None
    with sklearn_metrics() as metrics:
        if classes == 2:
            return float(metrics.roc_auc_score(targets == 1, probabilities[:, 1]))
        areas = [metrics.roc_auc_score(targets == i, probabilities[:, i]) for i in defined.tolist()]
        return float(np.mean(areas))


def one_against_the_rest(targets: NDArray[np.int64], classes: int, *, balanced: bool) -> list[Problem]:
    """A problem a class; of two classes one is what the other is not, so that one problem tells both."""
    weights = class_weights(targets, classes)[targets] if balanced else None
    if classes == 2:
        return [Problem(targets == 1, ((1, 0.5), (0, -0.5)), None, weights)]
    return [Problem(targets == k, ((k, 1.0),), None, weights) for k in range(classes)]
