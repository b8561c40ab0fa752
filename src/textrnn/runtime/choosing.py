"""From which probability on a text gets one label, for a wanted precision or recall."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from textrnn.data import LabelledTexts, read_labelled
from textrnn.errors import ConfigError
from textrnn.evaluation.intervals import wilson
from textrnn.evaluation.results import Estimate
from textrnn.labels import Label
from textrnn.runtime.classifier import Classifier, load
from textrnn.tasks.thresholds import Cuts, cuts, for_precision, for_recall


@dataclass(frozen=True)
class Threshold:
    """A threshold for one label, and what it reaches on the texts that it was chosen on."""

    label: Label
    value: float
    """A text gets the label if and only if its probability reaches this."""
    precision: Estimate
    """Share of the texts with at least this probability that have the label, with Wilson's score interval."""
    recall: Estimate
    """Share of the texts that have the label that get it, with Wilson's score interval."""
    examples: int
    support: int
    """Texts that have the label."""
    predicted: int
    """Texts that get it."""


def choose_threshold(
    model: Classifier | str | Path,
    data: Any,
    labels: Any = None,
    *,
    target: Label,
    precision: float | None = None,
    recall: float | None = None,
    text: str | None = None,
    label: str | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    header: bool = True,
) -> Threshold:
    """The threshold of one label with the best recall at a wanted precision, or the best precision at a wanted recall.

    `with_threshold` makes the classifier that uses it. What it reaches is flattering by a little, being the best of
    many on the same texts, so choose on validation texts and measure on others.

    Args:
        model: a classifier or its model file.
        data, labels: texts on which it was not trained, as `textrnn.train` takes them.
        target: the label.
        precision, recall: what it should be at least, above 0 and at most 1; one of them.
        text, label: names of the columns where they cannot be told from the header.
        format, encoding, header: how to read a file where its name and content do not tell.

    Raises:
        ConfigError: there is no such label, or no threshold reaches what is wanted; the message says what is the most.
        DataError: the data cannot be read, or hold a label that the classifier does not know.
        ModelFileError: the file is missing, damaged or not a model file.
    """
    classifier = model if isinstance(model, Classifier) else load(model)
    check_wanted(classifier, target, precision, recall)
    dataset = read_labelled(
        data,
        labels,
        task=classifier.task,
        known=classifier.labels,
        text=text,
        label=label,
        format=format,
        encoding=encoding,
        header=header,
    )
    return choose_on(classifier, dataset, target, precision=precision, recall=recall)


def check_wanted(classifier: Classifier, target: Label, precision: float | None, recall: float | None) -> None:
    """Refuse what cannot be chosen. Raises ConfigError."""
    place_of(classifier, target)
    if (precision is None) == (recall is None):
        raise ConfigError("precision, recall: expected one of them")
    name, wanted = ("precision", precision) if precision is not None else ("recall", recall)
    if wanted is None or not 0 < wanted <= 1:  # nan, too
        raise ConfigError(f"{name}: expected a share above 0 and at most 1, got {wanted!r}")


def choose_on(
    classifier: Classifier,
    dataset: LabelledTexts,
    target: Label,
    *,
    precision: float | None = None,
    recall: float | None = None,
    confidence: float = 0.95,
) -> Threshold:
    """`choose_threshold` on texts that `textrnn.data.collect` has read, with the classifier's labels and task."""
    check_wanted(classifier, target, precision, recall)
    place = place_of(classifier, target)
    has = dataset.targets[:, place] if dataset.targets.ndim > 1 else dataset.targets == place
    found = cuts(np.asarray(has, dtype=np.bool_), classifier.predict_proba(dataset.texts)[:, place])
    if not found.positives:
        raise ConfigError(f"label: none of the {len(dataset)} texts has the label {classifier.labels[place]!r}")
    if precision is not None:
        cut = for_precision(found, precision)
    else:
        cut = for_recall(found, recall or 0.0)
    if cut is None:
        raise ConfigError(_not_reached(found, classifier.labels[place], precision or 0.0))
    hits, predicted = int(found.hits[cut]), int(found.predicted[cut])
    return Threshold(
        label=classifier.labels[place],
        value=float(found.thresholds[cut]),
        precision=wilson(hits, predicted, confidence=confidence),
        recall=wilson(hits, found.positives, confidence=confidence),
        examples=len(dataset),
        support=found.positives,
        predicted=predicted,
    )


def with_threshold(classifier: Classifier, threshold: Threshold) -> Classifier:
    """The classifier that gives this label if and only if its probability reaches the threshold.

    Raises:
        ConfigError: there is no such label.
    """
    place = place_of(classifier, threshold.label)
    task = classifier.task.with_threshold(place, threshold.value, len(classifier.labels))
    return Classifier(msgspec.structs.replace(classifier.header, task=task), classifier.weights)


def place_of(classifier: Classifier, label: Label) -> int:
    """Of a label, by how it is written, among the classifier's.

    Raises:
        ConfigError: it is none of these, or they have no thresholds.
    """
    if not classifier.task.thresholded:
        raise ConfigError(
            "label: expected a model of the task 'single_label' or 'multi_label': others have no thresholds"
        )
    written = [str(known) for known in classifier.labels]
    if str(label) not in written:
        known = ", ".join(written[:10]) + (f", … ({len(written)} in all)" if len(written) > 10 else "")
        raise ConfigError(f"label: expected one of {known}, got {str(label)!r}")
    return written.index(str(label))


def _not_reached(found: Cuts, label: Label, wanted: float) -> str:
    best = for_precision(found, float(found.precision.max()))
    assert best is not None
    return (
        f"precision: {wanted:g} cannot be reached for the label {label!r} on these texts: the most is "
        f"{found.precision[best]:.4f} ({found.hits[best]} of {found.predicted[best]} texts), from the probability "
        f"{found.thresholds[best]:.4f} on"
    )
