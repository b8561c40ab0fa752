"""Probabilities and true classes become figures; all but log loss come from scikit-learn and SciPy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.evaluation.calibration import calibrate
from textrnn.evaluation.intervals import bootstrap_macro_f1, wilson
from textrnn.evaluation.mistakes import most_confident_mistakes
from textrnn.evaluation.results import ClassScores, Estimate, Evaluation, LevelFigures, OutOfScope
from textrnn.evaluation.selection import accuracy_by_length, select, tell_apart
from textrnn.labels import Label
from textrnn.tasks import SINGLE_LABEL
from textrnn.tasks.checks import checked
from textrnn.tasks.classes import CLASS_METRICS as METRICS
from textrnn.tasks.classes import class_score, level_score, log_loss, roc_auc
from textrnn.tasks.metrics import better as better_of
from textrnn.tasks.metrics import check_name, sklearn_metrics


def evaluate(
    targets: NDArray[Any],
    probabilities: NDArray[Any],
    labels: Sequence[Label],
    *,
    texts: Sequence[str] | None = None,
    places: Sequence[str] | None = None,
    lengths: NDArray[Any] | None = None,
    out_of_scope: tuple[Label, NDArray[Any]] | None = None,
    predicted: NDArray[Any] | None = None,
    ordinal: bool = False,
    mistakes: int = 10,
    confidence: float = 0.95,
    seed: int = 0,
) -> Evaluation:
    """All figures of a classifier on a test set.

    Args:
        targets: class indices [examples].
        probabilities: [examples, classes], each row adding up to 1.
        labels: the name of each class [classes].
        texts, places: of each example [examples], for the list of mistakes.
        lengths: tokens of each example [examples], for the accuracy by length.
        out_of_scope: the label of texts that belong to none of the classes, and the probabilities
            [texts, classes] that such texts get.
        predicted: class indices [examples]; None: the likeliest class, of equal ones the first.
        ordinal: whether the classes are levels in their order.
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
    predicted, every = probabilities.argmax(axis=1) if predicted is None else predicted, range(classes)
    with sklearn_metrics() as metrics:
        confusion = metrics.confusion_matrix(targets, predicted, labels=every)
        scores = metrics.precision_recall_fscore_support(targets, predicted, labels=every, zero_division=0)
    f1 = {
        name: class_score(name, METRICS, targets, probabilities, lambda _: predicted)
        for name in ("macro_f1", "micro_f1", "weighted_f1")
    }
    low, high = bootstrap_macro_f1(confusion, confidence=confidence, seed=seed)
    return Evaluation(
        examples=examples,
        accuracy=wilson(int(confusion.trace()), examples, confidence=confidence),
        majority_share=float(confusion.sum(axis=1).max() / examples),
        macro_f1=Estimate(value=f1["macro_f1"], low=low, high=high),
        micro_f1=f1["micro_f1"],
        weighted_f1=f1["weighted_f1"],
        log_loss=log_loss(targets, probabilities),
        roc_auc=roc_auc(targets, probabilities),
        confidence=confidence,
        per_class=[
            ClassScores(label=label, precision=p, recall=r, f1=f, support=support, predicted=count)
            for label, p, r, f, support, count in zip(
                labels, *(column.tolist() for column in (*scores, confusion.sum(axis=0))), strict=True
            )
        ],
        confusion=confusion.tolist(),
        mistakes=most_confident_mistakes(
            targets, probabilities, labels, predicted=predicted, texts=texts, places=places, count=mistakes
        ),
        calibration=calibrate(targets, probabilities, predicted=predicted, confidence=confidence),
        selection=select(targets, probabilities, predicted=predicted, confidence=confidence),
        by_length=None if lengths is None else accuracy_by_length(predicted == targets, lengths, confidence=confidence),
        out_of_scope=None if out_of_scope is None else _told_apart(probabilities, *out_of_scope),
        levels=level_figures(targets, predicted, classes) if ordinal else None,
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
    return SINGLE_LABEL.score(metric, targets, probabilities)


def better(metric: str, new: float, old: float) -> bool:
    """Whether `new` beats `old`: a lower loss, a higher value of any other metric.

    Raises:
        ValueError: the metric is unknown.
    """
    check_name(metric, METRICS)
    return better_of(metric, new, old)


def level_figures(targets: NDArray[Any], predicted: NDArray[Any], levels: int) -> LevelFigures:
    """What counts where classes are levels in their order. targets, predicted: [examples]"""
    apart = np.abs(predicted - targets)
    kappa, spearman = (level_score(name, targets, predicted, levels) for name in ("quadratic_kappa", "spearman"))
    return LevelFigures(
        mae=float(apart.mean()), within_one=float((apart <= 1).mean()), quadratic_kappa=kappa, spearman=spearman
    )
