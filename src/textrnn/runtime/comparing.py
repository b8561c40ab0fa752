"""Two classifiers on the same labelled texts."""

from pathlib import Path
from typing import Any

import numpy as np

from textrnn.data import LabelledTexts, read_labelled
from textrnn.errors import ConfigError
from textrnn.evaluation import Comparison, compare_probabilities
from textrnn.runtime.classifier import Classifier, load


def compare(
    first: Classifier | str | Path,
    second: Classifier | str | Path,
    data: Any,
    labels: Any = None,
    *,
    text: str | None = None,
    label: str | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    header: bool = True,
    disagreements: int = 10,
) -> Comparison:
    """Which of two classifiers is better on labelled texts, and whether chance alone could tell the same.

    Args:
        first, second: classifiers, or their model files; they must have the same labels.
        data: a file, folder, frame or list with texts, as `textrnn.train` takes it, on which neither was trained.
        labels: the labels where `data` is a list of texts only.
        text, label: names of the columns where they cannot be told from the header.
        format, encoding, header: how to read a file where its name and content do not tell.
        disagreements: how many of the texts on which they differ most to keep.

    Raises:
        DataError: the data cannot be read, or hold a label that the classifiers do not know.
        ModelFileError: a file is missing, damaged or not a model file.
        ConfigError: the classifiers do not have the same labels.
    """
    names = [str(given) if isinstance(given, str | Path) else name for given, name in ((first, "A"), (second, "B"))]
    one, two = (given if isinstance(given, Classifier) else load(given) for given in (first, second))
    check_same_labels(one, two)
    dataset = read_labelled(
        data,
        labels,
        task=one.task,
        known=one.labels,
        text=text,
        label=label,
        format=format,
        encoding=encoding,
        header=header,
    )
    return compare_on(
        one,
        two,
        dataset,
        names=(names[0], names[1]),
        disagreements=disagreements,
    )


def compare_on(
    first: Classifier,
    second: Classifier,
    dataset: LabelledTexts,
    *,
    names: tuple[str, str] = ("A", "B"),
    disagreements: int = 10,
) -> Comparison:
    """`compare` on texts that `textrnn.data.collect` has read, with the first classifier's labels."""
    check_same_labels(first, second)
    columns = [list(map(str, second.labels)).index(str(label)) for label in first.labels]
    answers = [first.predict_proba(dataset.texts), second.predict_proba(dataset.texts)]
    rank = np.argsort(columns)  # of the second's labels, among the first's
    return compare_probabilities(
        dataset.targets,
        answers[0],
        answers[1][:, columns],
        first.labels,
        predicted=(first.task.decided(answers[0]), rank[second.task.decided(answers[1])]),
        names=names,
        texts=dataset.texts,
        places=[dataset.place(index) for index in range(len(dataset))],
        disagreements=disagreements,
    )


def check_same_labels(first: Classifier, second: Classifier) -> None:
    """Labels are the same if they are written alike, in whatever order; each text has one of them.

    Raises:
        ConfigError: a label is known to one classifier only, or a text does not have one label.
    """
    for classifier in (first, second):
        classifier.require_one_label("comparing")
    one, two = (list(map(str, classifier.labels)) for classifier in (first, second))
    for known, unknown, which in ((one, two, "first"), (two, one, "second")):
        missing = [label for label in known if label not in set(unknown)]
        if missing:
            raise ConfigError(
                f"expected two models with the same labels, but only the {which} knows {missing[0]!r}"
                + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
            )
