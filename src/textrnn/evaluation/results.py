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


class ReliabilityBin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The examples whose predicted label has a probability of about the same size."""

    low: float
    high: float
    """Limits of the probability; the upper one belongs to the bin."""
    examples: int
    confidence: float
    """Mean probability of the predicted label."""
    accuracy: Estimate
    """With Wilson's score interval."""


class Calibration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the probabilities can be believed: of texts predicted with 0.8, are 80 % right?"""

    error: float
    """Expected calibration error over bins of equal width: the mean distance of accuracy from confidence."""
    adaptive_error: float
    """The same over bins of equally many examples."""
    brier: float
    """Brier score: of the second of two classes (0 to 1), else summed over the classes (0 to 2)."""
    bins: list[ReliabilityBin]
    """Of equal width, without the empty ones."""


class LengthBucket(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The examples whose texts have about the same number of tokens."""

    low: int
    high: int
    """Fewest and most tokens; what a model cuts off does not count."""
    examples: int
    accuracy: Estimate
    """With Wilson's score interval."""


class Handover(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left when the least certain examples are handed to a human."""

    threshold: float
    """Examples whose predicted label has a lower probability are handed over; for `--abstain-below`."""
    examples: int
    """Handed over."""
    errors_found: int
    """Of those, how many were wrongly predicted."""
    errors_left: int
    """Wrongly predicted among all others."""
    accuracy: Estimate
    """Of all others, with Wilson's score interval."""


class Selection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How well the probabilities tell right from wrong."""

    area: float
    """Area under the risk-coverage curve: the mean error rate of the most certain 1, 2, … examples; 0 is best."""
    handovers: list[Handover]
    """Of at most 5, 10 and 20 % of the examples."""


class OutOfScope(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How well the highest probability tells texts of the known classes from texts of none of them."""

    label: Label
    """What such texts are labelled with."""
    examples: int
    """Of them; they count in no other figure."""
    auroc: float
    """Probability that a text of a known class is the more certain one of a pair; 0.5 is chance."""
    fpr_at_95_tpr: float
    """Share of the texts of no known class that are accepted where 95 % of the others are."""
    threshold: float
    """Texts are accepted there from this probability on."""


class LevelFigures(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What counts where the classes are levels in their order."""

    mae: float
    """Mean absolute error, in levels."""
    within_one: float
    """Share of the examples that are predicted at most one level off."""
    quadratic_kappa: float
    """Cohen's kappa with quadratic weights: 1 is perfect, 0 is chance."""
    spearman: float
    """Rank correlation of true and predicted levels; 0 where it is undefined."""


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
    calibration: Calibration
    selection: Selection
    by_length: list[LengthBucket] | None
    """From the shortest texts to the longest; None where no lengths were given."""
    out_of_scope: OutOfScope | None
    """None where it was not asked for."""
    baseline: BaselineRecord | None = None
    """The classifier beside a linear model on the same examples, where that was asked for."""
    levels: LevelFigures | None = None
    """Where the classes are levels in their order."""
