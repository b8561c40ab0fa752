"""What a task has to say; each is a record that travels in the model file, with what it has learned.

A *target* is what a label is for the computer: the index of a class, a row of booleans, a number. An *answer* is what a
model says: the probability of every label, or a number. Scores are what the parts of a model add up to.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Protocol, Self, runtime_checkable

import msgspec
import numpy as np
from numpy.typing import NDArray

from textrnn.labels import AnyLabel, Label
from textrnn.tasks.prediction import Prediction

Targets = NDArray[Any]
Answers = NDArray[np.float64]
Scores = NDArray[Any]


class Problem(NamedTuple):
    """A linear model that the n-gram part is made of."""

    values: NDArray[Any]
    """Whether each text is inside (booleans), or its number. [texts]"""
    columns: tuple[tuple[int, float], ...]
    """The outputs to which its scores go, and times what."""
    rows: NDArray[np.int64] | None = None
    """The texts, of all; None: all of them."""
    weights: NDArray[np.float64] | None = None
    """Of each text in the loss. [texts]"""


@runtime_checkable
class Collector(Protocol):
    """Gathers the labels of a data set."""

    def add(self, label: AnyLabel | None) -> None:
        """One more text's label.

        Raises:
            ValueError: it cannot be used; the message says why.
        """

    def result(self) -> tuple[Targets, list[Label]]:
        """The targets of all texts, and what is listed as the labels.

        Raises:
            ValueError: nothing can be learned from them.
        """


@runtime_checkable
class Task(Protocol):
    """The interface. Nobody else asks which task it is."""

    metrics: ClassVar[tuple[str, ...]]
    """That `score` knows; the first is the default."""
    shown: ClassVar[tuple[str, ...]]
    """Those that are computed after every epoch."""
    one_label: ClassVar[bool]
    """Whether each text has one of several labels, and an answer is a probability distribution over these."""
    weighable: ClassVar[bool]
    """Whether classes can be weighed in the loss."""
    focal: ClassVar[bool]
    """Whether there is a focal loss."""
    thresholded: ClassVar[bool]
    """Whether a label can have a threshold."""

    def read_label(self, value: Any) -> AnyLabel:
        """A label as it stands in the data. Raises ValueError with a sentence."""

    def collector(self, labels: Sequence[Label] | None) -> Collector:
        """Of a data set with a model's labels; None: its own are found, and must be worth learning."""

    def label_of(self, target: Any, labels: Sequence[Label]) -> AnyLabel:
        """The inverse of the collector, of one text."""

    def strata(self, targets: Targets) -> NDArray[np.int64]:
        """Groups of which each part of a split should have its share, counted from 0. [texts]"""

    def check(self, labels: Sequence[Label]) -> None:
        """Refuse what a model file cannot mean. Raises ValueError with a sentence."""

    def outputs(self, labels: int) -> int:
        """Numbers that the head gives."""

    def difficulty(self, labels: int) -> int:
        """Of how many classes this is the equal in what it takes to learn them."""

    def fitted(self, targets: Targets) -> "Task":
        """With what the training targets tell."""

    def first_bias(self, targets: Targets) -> NDArray[np.float64] | None:
        """Where the biases of the head begin, so that the first steps need not find how frequent labels are. [outputs]

        None: at 0.
        """

    def tuned(self, targets: Targets, answers: Answers) -> "Task":
        """With what the answers on validation texts tell; None of the metrics of the training knows of it."""

    def with_threshold(self, label: int, value: float, labels: int) -> "Task":
        """With another threshold for one of so many labels, where `thresholded`."""

    def answers(self, scores: Scores) -> Answers:
        """[texts, outputs] -> [texts, labels], or [texts, 1] with the number."""

    def decided(self, answers: Answers) -> Targets:
        """What is predicted, as a target is written. [texts], or [texts, labels]"""

    def predictions(self, answers: Answers, labels: Sequence[Label], abstain_below: float) -> list[Prediction]:
        """One for each text. Raises ValueError with a sentence where abstaining has no meaning."""

    def score(self, metric: str, targets: Targets, answers: Answers) -> float:
        """One of `metrics`.

        Raises:
            ValueError: the metric is unknown or undefined for these targets, or the arrays do not fit each other.
            MissingDependencyError: the metric needs a library that is not installed.
        """

    def loss_and_slope(self, targets: Targets, scores: Scores) -> tuple[float, NDArray[np.float64]]:
        """The metric `loss`, and its derivative by every score times the number of texts. [texts, outputs]"""

    def problems(self, targets: Targets, outputs: int, *, balanced: bool) -> list[Problem]:
        """What the n-gram part is made of."""

    def columns(self, labels: Sequence[Label]) -> list[str]:
        """Of a CSV file with predictions."""

    def row(self, prediction: Prediction, abstention: str | None) -> list[str]:
        """A prediction under these columns."""

    def record(self, prediction: Prediction, abstention: str | None) -> dict[str, Any]:
        """A prediction for JSON."""


class TaskRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="task"):
    """What a model file holds of a task, and what most tasks answer alike."""

    one_label: ClassVar[bool] = False
    weighable: ClassVar[bool] = True
    focal: ClassVar[bool] = False
    thresholded: ClassVar[bool] = False

    def fitted(self, targets: Targets) -> Self:
        """Nothing is learned from them."""
        return self

    def first_bias(self, targets: Targets) -> NDArray[np.float64] | None:
        """At 0."""
        return None

    def tuned(self, targets: Targets, answers: Answers) -> Self:
        """Nothing is learned from them."""
        return self

    def with_threshold(self, label: int, value: float, labels: int) -> Self:
        """There are none."""
        raise ValueError("expected a task with thresholds")


def probability_columns(labels: Sequence[Label]) -> list[str]:
    """One for every label."""
    return [f"p({label})" for label in labels]


def rounded(probabilities: dict[Label, float]) -> dict[str, float]:
    """For JSON."""
    return {str(label): round(value, 6) for label, value in probabilities.items()}
