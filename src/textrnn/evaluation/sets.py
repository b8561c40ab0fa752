"""Figures of texts with several labels each; all but log loss come from scikit-learn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from textrnn.evaluation.calibration import calibrate
from textrnn.evaluation.intervals import wilson
from textrnn.evaluation.mistakes import encodable
from textrnn.evaluation.results import Calibration, Estimate
from textrnn.labels import Label
from textrnn.tasks.metrics import sklearn_metrics
from textrnn.tasks.multi_label import checked_sets, set_score


class LabelScores(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How well one label was found. A score whose denominator is 0 is 0."""

    label: Label
    precision: float
    """Share of the texts predicted to have it that have it."""
    recall: float
    """Share of the texts that have it that were predicted to."""
    f1: float
    """Harmonic mean of precision and recall."""
    average_precision: float | None
    """Mean precision over the ranks of the texts that have it; None where there are none."""
    support: int
    """Texts that have it."""
    predicted: int
    """Texts predicted to have it."""
    threshold: float
    """Texts are predicted to have it from this probability on."""


class SetMistake(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One text with wrongly predicted labels."""

    text: str | None
    """None where no texts were given."""
    place: str | None
    """Where the text stands; None where no places were given."""
    missed: list[Label]
    """That it has and was not given."""
    wrong: list[Label]
    """That it was given and has not."""
    loss: float
    """Sum of -ln(probability of the truth) over the labels, in nats."""


class SetEvaluation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How well a classifier does on texts with several labels. Means over labels count labels without texts as 0."""

    examples: int
    accuracy: Estimate
    """Share of the texts with exactly the right labels (subset accuracy), with Wilson's score interval."""
    micro_f1: float
    """F1 of all decisions together."""
    macro_f1: float
    """Mean F1 of the labels."""
    samples_f1: float
    """Mean F1 of the texts; of a text that has no label and gets none 0, as scikit-learn has it."""
    hamming_loss: float
    """Share of the decisions, one a text and label, that are wrong."""
    log_loss: float
    """Mean of -ln(probability of the truth) over texts and labels, in nats."""
    average_precision: float | None
    """Mean of the labels that some text has; None where there are none."""
    lrap: float
    """Label ranking average precision: of the labels ranked above each true one, the share that is true, too."""
    labels_a_text: float
    predicted_a_text: float
    confidence: float
    """Level of all intervals."""
    per_label: list[LabelScores]
    """In the order of the labels."""
    calibration: Calibration
    """Of all decisions together, each with the probability that it is right."""
    mistakes: list[SetMistake]
    """Those of the largest loss first."""


def evaluate_sets(
    targets: NDArray[Any],
    probabilities: NDArray[Any],
    predicted: NDArray[np.bool_],
    labels: Sequence[Label],
    thresholds: NDArray[np.float64],
    *,
    texts: Sequence[str] | None = None,
    places: Sequence[str] | None = None,
    mistakes: int = 10,
    confidence: float = 0.95,
) -> SetEvaluation:
    """All figures.

    Args:
        targets: whether each text has each label [texts, labels].
        probabilities: of each text and label [texts, labels].
        predicted: the decisions [texts, labels].
        labels: the name of each label [labels].
        thresholds: behind the decisions, to be told [labels].
        texts, places: of each example, for the list of mistakes.
        mistakes: how many to list.
        confidence: level of all intervals.

    Raises:
        ValueError: the arrays do not fit each other, are empty, or hold what is no probability.
        MissingDependencyError: scikit-learn or SciPy is not installed.
    """
    targets, probabilities = checked_sets(targets, probabilities)
    if predicted.shape != targets.shape or len(labels) != targets.shape[1]:
        raise ValueError(f"expected decisions {list(targets.shape)}, one for each text and label")
    tiny = np.finfo(np.float64).eps
    losses = -np.log(np.clip(np.where(targets, probabilities, 1 - probabilities), tiny, 1)).sum(axis=1)

    def of(metric: str) -> float:
        return set_score(metric, targets, probabilities, predicted)

    every_decision = np.stack([1 - probabilities.ravel(), probabilities.ravel()], axis=1)
    return SetEvaluation(
        examples=len(targets),
        accuracy=wilson(int((targets == predicted).all(axis=1).sum()), len(targets), confidence=confidence),
        micro_f1=of("micro_f1"),
        macro_f1=of("macro_f1"),
        samples_f1=of("samples_f1"),
        hamming_loss=of("hamming_loss"),
        log_loss=of("loss"),
        average_precision=of("average_precision") if targets.any() else None,
        lrap=of("lrap"),
        labels_a_text=float(targets.sum(axis=1).mean()),
        predicted_a_text=float(predicted.sum(axis=1).mean()),
        confidence=confidence,
        per_label=[
            _scores(label, targets[:, k], probabilities[:, k], predicted[:, k], float(thresholds[k]))
            for k, label in enumerate(labels)
        ],
        calibration=calibrate(targets.ravel().astype(np.intp), every_decision, confidence=confidence),
        mistakes=[
            SetMistake(
                text=None if texts is None else encodable(texts[i]),
                place=None if places is None else encodable(places[i]),
                missed=[labels[k] for k in np.flatnonzero(targets[i] & ~predicted[i]).tolist()],
                wrong=[labels[k] for k in np.flatnonzero(~targets[i] & predicted[i]).tolist()],
                loss=float(losses[i]),
            )
            for i in np.argsort(-losses, kind="stable").tolist()
            if (targets[i] != predicted[i]).any()
        ][:mistakes],
    )


def _scores(
    label: Label,
    has: NDArray[np.bool_],
    probabilities: NDArray[np.float64],
    predicted: NDArray[np.bool_],
    threshold: float,
) -> LabelScores:
    hits = int((has & predicted).sum())
    support, given = int(has.sum()), int(predicted.sum())
    with sklearn_metrics() as metrics:
        average = float(metrics.average_precision_score(has, probabilities)) if support else None
    return LabelScores(
        label=label,
        precision=hits / given if given else 0.0,
        recall=hits / support if support else 0.0,
        f1=2 * hits / (support + given) if support + given else 0.0,
        average_precision=average,
        support=support,
        predicted=given,
        threshold=threshold,
    )
