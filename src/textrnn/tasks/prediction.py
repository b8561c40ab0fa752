"""What a classifier says of one text."""

from dataclasses import dataclass, field

from textrnn.labels import Label


@dataclass(frozen=True)
class Prediction:
    """What a classifier says of one text: a label or an abstention, several labels, or a number."""

    label: Label | None
    """The label; of several the most probable one. None: the classifier abstains, since no label is as probable as was
    asked for, or there is none."""
    probability: float
    """Of the most probable label, or of the one that a threshold chose, 0 to 1; of a number nan."""
    probabilities: dict[Label, float] = field(repr=False)
    """Of every label, in the order of `Classifier.labels`."""
    labels: list[Label] | None = None
    """All labels of the text, in the order of `Classifier.labels`, where it can have several; else None."""
    value: float | None = None
    """The number, where one is predicted; else None."""

    def __repr__(self) -> str:
        if self.value is not None:
            return f"Prediction(value={self.value!r})"
        if self.labels is not None:
            return f"Prediction(labels={self.labels!r})"
        return f"Prediction(label={self.label!r}, probability={self.probability!r})"
