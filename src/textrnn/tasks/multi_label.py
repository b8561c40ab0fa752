"""Any number of labels a text: a sigmoid and a threshold for each.

The thresholds are tuned on validation texts, label by label, for F1 (SCut: Y. Yang, "A study of thresholding strategies
for text categorization", SIGIR 2001). SCut overfits labels that are rare there, as the paper shows: those of fewer than
`RARE` texts share one threshold, the best for the F1 of all decisions together. Without validation texts all are 1/2.
"""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from textrnn.labels import AnyLabel, Label, as_label
from textrnn.tasks.classes import ClassIndex, check_count
from textrnn.tasks.metrics import check_name, sklearn_metrics
from textrnn.tasks.prediction import Prediction
from textrnn.tasks.scores import log_sigmoid, sigmoid
from textrnn.tasks.task import Answers, Collector, Problem, Scores, Targets, TaskRecord, probability_columns, rounded
from textrnn.tasks.thresholds import best_for_f1

RARE = 10
"""Validation texts that a label must have for a threshold of its own."""


class MultiLabel(TaskRecord, frozen=True, kw_only=True, tag="multi_label"):
    """See the module."""

    separator: Annotated[str, Meta(min_length=1, max_length=8)] = "|"
    """Between labels in one string."""
    thresholds: list[Annotated[float, Meta(ge=0, le=1)]] = msgspec.field(default_factory=list)
    """From which probability on a text has each label; empty: from 1/2."""

    metrics: ClassVar[tuple[str, ...]] = (
        *("loss", "accuracy", "micro_f1", "macro_f1", "weighted_f1", "samples_f1", "hamming_loss"),
        *("average_precision", "lrap", "roc_auc"),
    )
    shown: ClassVar[tuple[str, ...]] = ("loss", "accuracy", "micro_f1")
    focal: ClassVar[bool] = True
    thresholded: ClassVar[bool] = True

    def read_label(self, value: Any) -> tuple[Label, ...]:
        """The labels of a list, or of a string with separators; an empty one has none."""
        if isinstance(value, str):
            value = value.split(self.separator) if value.strip() else []
        elif hasattr(value, "tolist"):
            value = value.tolist()
        if value is None or (isinstance(value, float) and value != value) or type(value).__name__ == "NAType":
            raise ValueError("the labels are missing, expected a list of them, which may be empty")
        labels = [
            as_label(label) for label in (value if isinstance(value, list | tuple | set | frozenset) else [value])
        ]
        labels = [label.strip() if isinstance(label, str) else label for label in labels]
        for label in labels:
            if isinstance(label, str) and self.separator in label:
                raise ValueError(f"the label {label!r} holds the separator {self.separator!r} (label_separator)")
        if len(set(labels)) < len(labels):
            twice = next(label for label in labels if labels.count(label) > 1)
            raise ValueError(f"the label {twice!r} stands there twice")
        return tuple(sorted(labels, key=str))

    def collector(self, labels: Sequence[Label] | None) -> Collector:
        """See `Task`."""
        return SetCollector(labels)

    def label_of(self, target: Any, labels: Sequence[Label]) -> tuple[Label, ...]:
        """See `Task`."""
        return tuple(sorted((labels[k] for k in np.flatnonzero(target).tolist()), key=str))

    def strata(self, targets: Targets) -> NDArray[np.int64]:
        """The rarest label of each text, so that every label gets its share; texts without any are a group. [texts]"""
        order = np.argsort(targets.sum(axis=0), kind="stable")  # labels, the rarest first
        found: NDArray[np.int64] = order[targets[:, order].argmax(axis=1)]
        return np.where(targets.any(axis=1), found, len(order))

    def check(self, labels: Sequence[Label]) -> None:
        """See `Task`."""
        check_count(labels, 1)
        if self.thresholds and len(self.thresholds) != len(labels):
            raise ValueError(f"expected {len(labels)} thresholds, one a label, found {len(self.thresholds)}")
        for label in labels:
            if isinstance(label, str) and (self.separator in label or label != label.strip()):
                raise ValueError(f"the label {label!r} holds the separator, or begins or ends with a space")

    def outputs(self, labels: int) -> int:
        """A score for each."""
        return labels

    def difficulty(self, labels: int) -> int:
        """As many classes as there are labels."""
        return max(2, labels)

    def first_bias(self, targets: Targets) -> NDArray[np.float64]:
        """The log-odds of each label: an optimiser's small steps would take epochs to find that labels are rare."""
        have = targets.sum(axis=0) + 0.5
        return np.asarray(np.log(have / (len(targets) + 1 - have)))

    def tuned(self, targets: Targets, answers: Answers) -> Self:
        """With the thresholds of the best F1."""
        shared = best_for_f1(targets.ravel(), answers.ravel())
        return msgspec.structs.replace(
            self,
            thresholds=[
                best_for_f1(targets[:, k], answers[:, k]) if targets[:, k].sum() >= RARE else shared
                for k in range(targets.shape[1])
            ],
        )

    def with_threshold(self, label: int, value: float, labels: int) -> Self:
        """See `Task`."""
        limits = self.limits(labels).tolist()
        limits[label] = value
        return msgspec.structs.replace(self, thresholds=limits)

    def limits(self, labels: int) -> NDArray[np.float64]:
        """The threshold of each label. [labels]"""
        return np.array(self.thresholds or [0.5] * labels)

    def answers(self, scores: Scores) -> Answers:
        """See `Task`."""
        return sigmoid(scores)

    def decided(self, answers: Answers) -> NDArray[np.bool_]:
        """Which probabilities reach their threshold. [texts, labels]"""
        found: NDArray[np.bool_] = answers >= self.limits(answers.shape[1])
        return found

    def predictions(self, answers: Answers, labels: Sequence[Label], abstain_below: float) -> list[Prediction]:
        """See `Task`."""
        if abstain_below:
            raise ValueError("expected 0, since a text may have no label at all; thresholds decide")
        found = []
        for row, has in zip(answers.tolist(), self.decided(answers).tolist(), strict=True):
            best = max(range(len(row)), key=row.__getitem__)
            given = [k for k, yes in enumerate(has) if yes]
            label = labels[max(given, key=row.__getitem__)] if given else None
            found.append(
                Prediction(label, row[best], dict(zip(labels, row, strict=True)), labels=[labels[k] for k in given])
            )
        return found

    def score(self, metric: str, targets: Targets, answers: Answers) -> float:
        """All thresholds being 1/2. `accuracy` is the share of texts with exactly the right labels."""
        check_name(metric, self.metrics)
        targets, answers = checked_sets(targets, answers)
        return set_score(metric, targets, answers, answers >= 0.5)

    def loss_and_slope(self, targets: Targets, scores: Scores) -> tuple[float, NDArray[np.float64]]:
        """Log loss in nats, the mean over texts and labels."""
        losses = -log_sigmoid(np.where(targets, scores, -scores))
        return float(losses.mean()), (sigmoid(scores) - targets) / targets.shape[1]

    def problems(self, targets: Targets, outputs: int, *, balanced: bool) -> list[Problem]:
        """Each label by itself."""
        weights = label_weights(targets) if balanced else None
        return [
            Problem(
                targets[:, k], ((k, 1.0),), None, None if weights is None else weights[targets[:, k].astype(int), k]
            )
            for k in range(outputs)
        ]

    def columns(self, labels: Sequence[Label]) -> list[str]:
        """See `Task`."""
        return ["labels", *probability_columns(labels)]

    def row(self, prediction: Prediction, abstention: str | None) -> list[str]:
        """See `Task`."""
        labels = self.separator.join(map(str, prediction.labels or []))
        return [labels, *(f"{value:.6f}" for value in prediction.probabilities.values())]

    def record(self, prediction: Prediction, abstention: str | None) -> dict[str, Any]:
        """See `Task`."""
        return {"labels": prediction.labels, "probabilities": rounded(prediction.probabilities)}


class SetCollector:
    """Gathers the labels of each text; see `textrnn.tasks.task.Collector`."""

    def __init__(self, labels: Sequence[Label] | None) -> None:
        self._index = ClassIndex(labels)
        self._found: list[list[int]] = []

    def add(self, label: AnyLabel | None) -> None:
        """See `textrnn.tasks.task.Collector`."""
        if not isinstance(label, tuple):
            raise ValueError(f"expected a list of labels, found {label!r}")
        self._found.append([self._index.number(one) for one in label])

    def result(self) -> tuple[NDArray[np.bool_], list[Label]]:
        """See `textrnn.tasks.task.Collector`."""
        listing, places = self._index.listed()
        if not listing:
            raise ValueError(f"none of the {len(self._found)} texts has a label, expected at least one that has")
        targets = np.zeros((len(self._found), len(listing)), dtype=np.bool_)
        rows = np.repeat(np.arange(len(self._found)), [len(labels) for labels in self._found])
        targets[rows, places[np.array([k for labels in self._found for k in labels], dtype=np.int64)]] = True
        return targets, listing


def label_weights(targets: NDArray[np.bool_]) -> NDArray[np.float64]:
    """`balanced`: of texts without and with each label, so that both weigh the same. [2, labels]"""
    have = targets.sum(axis=0)
    found: NDArray[np.float64] = len(targets) / (2 * np.maximum(np.stack([len(targets) - have, have]), 1))
    return found


def checked_sets(targets: Targets, answers: Answers) -> tuple[NDArray[np.bool_], Answers]:
    """Booleans and probabilities [texts, labels] in one type each; raises ValueError where they do not fit."""
    if targets.ndim != 2 or targets.dtype.kind != "b" or targets.shape != answers.shape or not targets.size:
        raise ValueError(
            f"expected booleans and probabilities [texts, labels], got {targets.dtype} {list(targets.shape)} and "
            f"{answers.dtype} {list(answers.shape)}"
        )
    if not ((answers >= 0) & (answers <= 1)).all():  # nan is not
        raise ValueError("expected probabilities from 0 to 1")
    return targets, answers.astype(np.float64)


def set_score(metric: str, targets: NDArray[np.bool_], answers: Answers, predicted: NDArray[np.bool_]) -> float:
    """A metric of checked arrays. Means over labels leave out those for which a metric is undefined."""
    if metric == "loss":
        tiny = np.finfo(np.float64).eps
        return float(-np.log(np.clip(np.where(targets, answers, 1 - answers), tiny, 1 - tiny)).mean())
    if metric == "accuracy":
        return float((targets == predicted).all(axis=1).mean())
    if metric == "hamming_loss":
        return float((targets != predicted).mean())
    with sklearn_metrics() as metrics:
        if metric.endswith("_f1"):
            # One column would be taken for two classes.
            average = metric.removesuffix("_f1") if targets.shape[1] > 1 or metric == "samples_f1" else "binary"
            if average == "samples" and targets.shape[1] == 1:
                return float((targets & predicted).mean())
            return float(metrics.f1_score(targets, predicted, average=average, zero_division=0))
        if metric == "lrap":
            found = metrics.label_ranking_average_precision_score
            return float(found(targets, answers)) if targets.shape[1] > 1 else 1.0
        kind = {"average_precision": metrics.average_precision_score, "roc_auc": metrics.roc_auc_score}[metric]
        with_it, without = targets.any(axis=0), ~targets.all(axis=0)
        defined = np.flatnonzero(with_it & without if metric == "roc_auc" else with_it)
        if not len(defined):
            raise ValueError(f"{metric} is undefined: expected a label that some texts have and others have not")
        return float(np.mean([kind(targets[:, k], answers[:, k]) for k in defined.tolist()]))
