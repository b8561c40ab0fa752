"""Probabilities and true classes become figures; all but log loss come from scikit-learn and SciPy."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.evaluation.calibration import calibrate
from textrnn.evaluation.checks import checked
from textrnn.evaluation.intervals import bootstrap_macro_f1, wilson
from textrnn.evaluation.mistakes import most_confident_mistakes
from textrnn.evaluation.results import ClassScores, Estimate, Evaluation, OutOfScope
from textrnn.evaluation.selection import accuracy_by_length, select, tell_apart
from textrnn.files import require
from textrnn.labels import Label

METRICS = ("loss", "accuracy", "macro_f1", "micro_f1", "weighted_f1", "roc_auc")


def evaluate(
    targets: NDArray[Any],
    probabilities: NDArray[Any],
    labels: Sequence[Label],
    *,
    texts: Sequence[str] | None = None,
    places: Sequence[str] | None = None,
    lengths: NDArray[Any] | None = None,
    out_of_scope: tuple[Label, NDArray[Any]] | None = None,
    mistakes: int = 10,
    confidence: float = 0.95,
    seed: int = 0,
) -> Evaluation:
    """All figures of a classifier on a test set; predicted is the likeliest class, of equal ones the first.

    Args:
        targets: class indices [examples].
        probabilities: [examples, classes], each row adding up to 1.
        labels: the name of each class [classes].
        texts, places: of each example [examples], for the list of mistakes.
        lengths: tokens of each example [examples], for the accuracy by length.
        out_of_scope: the label of texts that belong to none of the classes, and the probabilities
            [texts, classes] that such texts get.
        mistakes: how many of the most confidently wrong examples to list.
        confidence: level of all intervals, between 0 and 1.
        seed: of the bootstrap behind macro F1's interval.

    Raises:
        ValueError: the arrays do not fit each other, are empty, or hold what is no probability or no class.
        MissingDependencyError: scikit-learn or SciPy is not installed.
    """
    targets, probabilities = checked(targets, probabilities)
    examples, classes = probabilities.shape
    for name, given, expected in [
        ("labels", labels, classes),
        ("texts", texts, examples),
        ("places", places, examples),
        ("lengths", lengths, examples),
    ]:
        if given is not None and len(given) != expected:
            raise ValueError(f"{name}: expected {expected} for probabilities of this shape, got {len(given)}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, got {confidence}")
    if mistakes < 0:
        raise ValueError(f"mistakes: expected a number of 0 or more, got {mistakes}")
    predicted, every = probabilities.argmax(axis=1), range(classes)
    with _sklearn_metrics() as metrics:
        confusion = metrics.confusion_matrix(targets, predicted, labels=every)
        scores = metrics.precision_recall_fscore_support(targets, predicted, labels=every, zero_division=0)
    f1 = {name: score(name, targets, probabilities) for name in ("macro_f1", "micro_f1", "weighted_f1")}
    low, high = bootstrap_macro_f1(confusion, confidence=confidence, seed=seed)
    return Evaluation(
        examples=examples,
        accuracy=wilson(int(confusion.trace()), examples, confidence=confidence),
        majority_share=float(confusion.sum(axis=1).max() / examples),
        macro_f1=Estimate(value=f1["macro_f1"], low=low, high=high),
        micro_f1=f1["micro_f1"],
        weighted_f1=f1["weighted_f1"],
        log_loss=_log_loss(targets, probabilities),
        roc_auc=_roc_auc(targets, probabilities),
        confidence=confidence,
        per_class=[
            ClassScores(label=label, precision=p, recall=r, f1=f, support=support, predicted=count)
            for label, p, r, f, support, count in zip(
                labels, *(column.tolist() for column in (*scores, confusion.sum(axis=0))), strict=True
            )
        ],
        confusion=confusion.tolist(),
        mistakes=most_confident_mistakes(targets, probabilities, labels, texts=texts, places=places, count=mistakes),
        calibration=calibrate(targets, probabilities, confidence=confidence),
        selection=select(targets, probabilities, confidence=confidence),
        by_length=None if lengths is None else accuracy_by_length(predicted == targets, lengths, confidence=confidence),
        out_of_scope=None if out_of_scope is None else _told_apart(probabilities, *out_of_scope),
    )


def _told_apart(known: NDArray[np.float64], label: Label, probabilities: NDArray[Any]) -> OutOfScope:
    try:
        _, unknown = checked(np.zeros(len(probabilities), dtype=np.int64), probabilities)
    except ValueError as error:
        raise ValueError(f"out_of_scope: {error}") from error
    if unknown.shape[1] != known.shape[1]:
        raise ValueError(f"out_of_scope: expected {known.shape[1]} classes as elsewhere, got {unknown.shape[1]}")
    return tell_apart(known, unknown, label)


def score(metric: str, targets: NDArray[Any], probabilities: NDArray[Any]) -> float:
    """One of METRICS, as early stopping asks for after each epoch; `loss` and `accuracy` need NumPy alone.

    targets: class indices [examples]; probabilities: [examples, classes]. `loss` is in nats.

    Raises:
        ValueError: as `evaluate`; or the metric is unknown, or is `roc_auc` and undefined for these targets.
        MissingDependencyError: the metric needs scikit-learn, which is not installed.
    """
    _check_name(metric)
    targets, probabilities = checked(targets, probabilities)
    if metric == "loss":
        return _log_loss(targets, probabilities)
    predicted = probabilities.argmax(axis=1)
    if metric == "accuracy":
        return float(np.mean(predicted == targets))
    if metric == "roc_auc":
        area = _roc_auc(targets, probabilities)
        if area is None:
            raise ValueError("roc_auc is undefined: all examples belong to one class, expected at least two")
        return area
    with _sklearn_metrics() as metrics:
        average = metric.removesuffix("_f1")
        every = range(probabilities.shape[1])
        return float(metrics.f1_score(targets, predicted, labels=every, average=average, zero_division=0))


def better(metric: str, new: float, old: float) -> bool:
    """Whether `new` beats `old`: a lower loss, a higher value of any other metric.

    Raises:
        ValueError: the metric is unknown.
    """
    _check_name(metric)
    return new < old if metric == "loss" else new > old


def _check_name(metric: str) -> None:
    if metric not in METRICS:
        raise ValueError(f"metric: expected one of {', '.join(METRICS)}, got {metric!r}")


def _log_loss(targets: NDArray[np.intp], probabilities: NDArray[np.float64]) -> float:
    """As `sklearn.metrics.log_loss`, which however warns of rows whose float32 sum is not quite 1."""
    tiny = np.finfo(np.float64).eps
    chosen = probabilities[np.arange(len(targets)), targets]
    return float(-np.log(np.clip(chosen, tiny, 1 - tiny)).mean())


def _roc_auc(targets: NDArray[np.intp], probabilities: NDArray[np.float64]) -> float | None:
    examples, classes = probabilities.shape
    support = np.bincount(targets, minlength=classes)
    defined = np.flatnonzero((support > 0) & (support < examples))
    if len(defined) == 0:
        return None
    with _sklearn_metrics() as metrics:
        if classes == 2:
            return float(metrics.roc_auc_score(targets == 1, probabilities[:, 1]))
        areas = [metrics.roc_auc_score(targets == i, probabilities[:, i]) for i in defined.tolist()]
        return float(np.mean(areas))


@contextmanager
def _sklearn_metrics() -> Iterator[ModuleType]:
    """scikit-learn's metrics, without its warning that many classes look like a regression problem."""
    metrics = require("sklearn.metrics", extra="evaluate", purpose="an evaluation")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The number of unique classes", category=UserWarning)
        yield metrics
