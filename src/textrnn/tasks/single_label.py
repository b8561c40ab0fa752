"""One of several labels a text: softmax and cross-entropy.

For one label a threshold may be kept, so that its predictions have a wanted precision or recall: a text gets the label
if and only if its probability reaches the threshold, else the most probable of the others.
"""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from textrnn.labels import Label, as_label
from textrnn.tasks.classes import CLASS_METRICS, ClassCollector, check_count, class_score, one_against_the_rest
from textrnn.tasks.prediction import Prediction
from textrnn.tasks.scores import softmax
from textrnn.tasks.task import Answers, Collector, Problem, Scores, Targets, Task, probability_columns, rounded


class LabelThreshold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From which probability on a text gets one label."""

    label: Annotated[int, Meta(ge=0)]
    """Its place among the labels."""
    value: Annotated[float, Meta(ge=0, le=1)]


class SingleLabel(Task, frozen=True, kw_only=True, tag="single_label"):
    """See the module."""

    threshold: LabelThreshold | None = None

    metrics: ClassVar[tuple[str, ...]] = CLASS_METRICS
    shown: ClassVar[tuple[str, ...]] = ("loss", "accuracy")
    one_label: ClassVar[bool] = True
    focal: ClassVar[bool] = True
    thresholded: ClassVar[bool] = True

    def read_label(self, value: Any) -> Label:
        """See `Task`."""
        return as_label(value)

    def collector(self, labels: Sequence[Label] | None) -> Collector:
        """See `Task`."""
        return ClassCollector(labels)

    def label_of(self, target: Any, labels: Sequence[Label]) -> Label:
        """See `Task`."""
        found: Label = labels[target]
        return found

    def strata(self, targets: Targets) -> NDArray[np.int64]:
        """The classes."""
        return targets

    def check(self, labels: Sequence[Label]) -> None:
        """See `Task`."""
        check_count(labels, 2)
        if self.threshold is not None and self.threshold.label >= len(labels):
            raise ValueError(f"the threshold is for label {self.threshold.label}, but there are {len(labels)}")

    def outputs(self, labels: int) -> int:
        """A score for each."""
        return labels

    def difficulty(self, labels: int) -> int:
        """See `Task`."""
        return labels

    def fitted(self, targets: Targets) -> Task:
        """Nothing is learned from them."""
        return self

    def first_bias(self, targets: Targets) -> None:
        """At 0."""
        return

    def tuned(self, targets: Targets, answers: Answers) -> Task:
        """Nothing is learned from them."""
        return self

    def with_threshold(self, label: int, value: float, labels: int) -> Task:
        """In place of the one that there was, whatever label had it."""
        return msgspec.structs.replace(self, threshold=LabelThreshold(label=label, value=value))

    def answers(self, scores: Scores) -> Answers:
        """See `Task`."""
        return softmax(scores)

    def decided(self, answers: Answers) -> NDArray[np.int64]:
        """The most probable class, but for the one with a threshold. [texts]"""
        if self.threshold is None:
            return most_probable(answers)
        label, others = self.threshold.label, answers.copy()
        others[:, label] = -1.0
        found: NDArray[np.int64] = np.where(answers[:, label] >= self.threshold.value, label, others.argmax(axis=1))
        return found

    def predictions(self, answers: Answers, labels: Sequence[Label], abstain_below: float) -> list[Prediction]:
        """See `Task`."""
        return class_predictions(answers, self.decided(answers), labels, abstain_below)

    def score(self, metric: str, targets: Targets, answers: Answers) -> float:
        """Of the most probable classes."""
        return class_score(metric, self.metrics, targets, answers, most_probable)

    def loss_and_slope(self, targets: Targets, scores: Scores) -> tuple[float, NDArray[np.float64]]:
        """Log loss in nats."""
        probabilities = softmax(scores)
        slope = probabilities.copy()
        slope[np.arange(len(targets)), targets] -= 1
        return self.score("loss", targets, probabilities), slope

    def problems(self, targets: Targets, outputs: int, *, balanced: bool) -> list[Problem]:
        """Each class against the rest."""
        return one_against_the_rest(targets, outputs, balanced=balanced)

    def columns(self, labels: Sequence[Label]) -> list[str]:
        """See `Task`."""
        return ["label", "probability", *probability_columns(labels)]

    def row(self, prediction: Prediction, abstention: str | None) -> list[str]:
        """See `Task`."""
        return class_row(prediction, abstention)

    def record(self, prediction: Prediction, abstention: str | None) -> dict[str, Any]:
        """See `Task`."""
        return class_record(prediction, abstention)


def most_probable(answers: Answers) -> NDArray[np.int64]:
    """The class of each text, of equal ones the first. [texts]"""
    return np.asarray(answers.argmax(axis=1), dtype=np.int64)


def class_predictions(
    answers: Answers, decided: NDArray[np.int64], labels: Sequence[Label], abstain_below: float
) -> list[Prediction]:
    """The decided class of each text, if it is probable enough."""
    return [
        Prediction(
            None if row[index] < abstain_below else labels[index],
            row[index],
            dict(zip(labels, row, strict=True)),
        )
        for index, row in zip(decided.tolist(), answers.tolist(), strict=True)
    ]


def class_row(prediction: Prediction, abstention: str | None) -> list[str]:
    """For a CSV file."""
    label = (abstention or "") if prediction.label is None else str(prediction.label)
    return [label, *(f"{value:.6f}" for value in (prediction.probability, *prediction.probabilities.values()))]


def class_record(prediction: Prediction, abstention: str | None) -> dict[str, Any]:
    """For JSON."""
    return {
        "label": abstention if prediction.label is None else prediction.label,
        "probability": round(prediction.probability, 6),
        "probabilities": rounded(prediction.probabilities),
    }
