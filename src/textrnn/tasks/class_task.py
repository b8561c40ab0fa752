"""What the tasks with one label a text answer alike."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from textrnn.labels import Label, as_label
from textrnn.tasks.prediction import Prediction
from textrnn.tasks.task import Answers, Targets, TaskRecord, probability_columns, rounded


class ClassTask(TaskRecord, frozen=True, kw_only=True):
    """Predicts the most probable class, unless the task decides otherwise."""

    one_label: ClassVar[bool] = True

    def read_label(self, value: Any) -> Label:
        """See `Task`."""
        return as_label(value)

    def label_of(self, target: Any, labels: Sequence[Label]) -> Label:
        """See `Task`."""
        found: Label = labels[target]
        return found

    def strata(self, targets: Targets) -> NDArray[np.int64]:
        """The classes."""
        return targets

    def difficulty(self, labels: int) -> int:
        """See `Task`."""
        return labels

    def decided(self, answers: Answers) -> NDArray[np.int64]:
        """See `Task`."""
        return most_probable(answers)

    def predictions(self, answers: Answers, labels: Sequence[Label], abstain_below: float) -> list[Prediction]:
        """The decided class of each text, if it is probable enough."""
        return [
            Prediction(
                None if row[index] < abstain_below else labels[index],
                row[index],
                dict(zip(labels, row, strict=True)),
            )
            for index, row in zip(self.decided(answers).tolist(), answers.tolist(), strict=True)
        ]

    def columns(self, labels: Sequence[Label]) -> list[str]:
        """See `Task`."""
        return ["label", "probability", *probability_columns(labels)]

    def row(self, prediction: Prediction, abstention: str | None) -> list[str]:
        """See `Task`."""
        label = (abstention or "") if prediction.label is None else str(prediction.label)
        return [label, *(f"{value:.6f}" for value in (prediction.probability, *prediction.probabilities.values()))]

    def record(self, prediction: Prediction, abstention: str | None) -> dict[str, Any]:
        """See `Task`."""
        return {
            "label": abstention if prediction.label is None else prediction.label,
            "probability": round(prediction.probability, 6),
            "probabilities": rounded(prediction.probabilities),
        }


def most_probable(answers: Answers) -> NDArray[np.int64]:
    """The class of each text, of equal ones the first. [texts]"""
    return np.asarray(answers.argmax(axis=1), dtype=np.int64)
