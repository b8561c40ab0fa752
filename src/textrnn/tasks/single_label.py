"""One of several labels a text: softmax and cross-entropy.

For one label a threshold may be kept, so that its predictions have a wanted precision or recall: a text gets the label
if and only if its probability reaches the threshold, else the most probable of the others. Decisions for the best
macro-F1 multiply the probabilities by a weight of each class first.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from textrnn.labels import Label
from textrnn.tasks.class_task import ClassTask, most_probable
from textrnn.tasks.classes import CLASS_METRICS, ClassCollector, check_count, class_score, one_against_the_rest
from textrnn.tasks.decisions import weights_for_macro_f1
from textrnn.tasks.scores import softmax
from textrnn.tasks.task import Answers, Collector, Problem, Scores, Targets


class LabelThreshold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From which probability on a text gets one label."""

    label: Annotated[int, Meta(ge=0)]
    """Its place among the labels."""
    value: Annotated[float, Meta(ge=0, le=1)]


class SingleLabel(ClassTask, frozen=True, kw_only=True, tag="single_label"):
    """See the module."""

    threshold: LabelThreshold | None = None
    decisions: Literal["most_probable", "macro_f1"] = "most_probable"
    """What the predicted class is chosen for."""
    weights: list[Annotated[float, Meta(gt=0, le=1e6)]] = msgspec.field(default_factory=list)
    """Of the classes, for `macro_f1`; empty: all 1, as before they are tuned."""

    metrics: ClassVar[tuple[str, ...]] = CLASS_METRICS
    shown: ClassVar[tuple[str, ...]] = ("loss", "accuracy")
    focal: ClassVar[bool] = True
    thresholded: ClassVar[bool] = True

    def collector(self, labels: Sequence[Label] | None) -> Collector:
        """See `Task`."""
        return ClassCollector(labels)

    def check(self, labels: Sequence[Label]) -> None:
        """See `Task`."""
        check_count(labels, 2)
        if self.threshold is not None and self.threshold.label >= len(labels):
            raise ValueError(f"the threshold is for label {self.threshold.label}, but there are {len(labels)}")
        if self.weights and len(self.weights) != len(labels):
            raise ValueError(f"expected {len(labels)} weights, one a label, found {len(self.weights)}")

    def outputs(self, labels: int) -> int:
        """A score for each."""
        return labels

    def tuned(self, targets: Targets, answers: Answers) -> Self:
        """With the weights of the best macro-F1, if that is what decisions are for."""
        if self.decisions == "most_probable":
            return self
        return msgspec.structs.replace(self, weights=weights_for_macro_f1(targets, answers))

    def with_threshold(self, label: int, value: float, labels: int) -> Self:
        """In place of the one that there was, whatever label had it."""
        return msgspec.structs.replace(self, threshold=LabelThreshold(label=label, value=value))

    def answers(self, scores: Scores) -> Answers:
        """See `Task`."""
        return softmax(scores)

    def decided(self, answers: Answers) -> NDArray[np.int64]:
        """The most probable class, times its weight, but for the one with a threshold. [texts]"""
        others = answers * np.array(self.weights) if self.weights else answers.copy()
        if self.threshold is None:
            return most_probable(others)
        label = self.threshold.label
        others[:, label] = -1.0
        found: NDArray[np.int64] = np.where(answers[:, label] >= self.threshold.value, label, others.argmax(axis=1))
        return found

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
