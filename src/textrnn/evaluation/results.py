"""What an evaluation found, as plain records that msgspec writes to JSON and reads back."""

from msgspec import Struct

from textrnn.history import BaselineRecord
from textrnn.labels import Label


class Estimate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A share between 0 and 1 with its confidence interval."""

    value: float
    low: float
    high: float


class ClassScores(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How well one class was found. A score whose denominator is 0 is 0."""

    label: Label
    precision: float
    """Share of the examples predicted as this class that belong to it."""
    recall: float
    """Share of the examples of this class that were predicted as it."""
    f1: float
    """Harmonic mean of precision and recall."""
    support: int
    """Examples of this class."""
    predicted: int
    """Examples predicted as this class."""


class Mistake(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One wrongly predicted example."""

    text: str | None
    """None where no texts were given."""
    place: str | None
    """Where the text stands, such as `reviews.csv, line 7`; None where no places were given."""
    label: Label
    predicted: Label
    probability: float
    """Of the predicted label."""


class Evaluation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How well a classifier does on labelled examples. Means over classes count absent classes as 0."""

    examples: int
    accuracy: Estimate
    """With Wilson's score interval."""
    majority_share: float
    """Accuracy of always guessing the most frequent class of these examples."""
    macro_f1: Estimate
    """Mean F1 of the classes, with a bootstrap percentile interval."""
    micro_f1: float
    """F1 of all decisions together; with one label an example it equals the accuracy."""
    weighted_f1: float
    """Mean F1 of the classes, weighted by support."""
    log_loss: float
    """Mean of -ln(probability of the true class), in nats."""
    roc_auc: float | None
    """Area under the ROC curve: of the second of two classes, else the one-vs-rest mean of present classes;
    None where all examples belong to one class."""
    confidence: float
    """Level of both intervals."""
    per_class: list[ClassScores]
    """In the order of the labels."""
    confusion: list[list[int]]
    """Examples [true class, predicted class], in the order of the labels."""
    mistakes: list[Mistake]
    """Wrongly predicted examples, the most confident first."""
    baseline: BaselineRecord | None = None
    """The classifier beside a linear model on the same examples, where that was asked for."""
