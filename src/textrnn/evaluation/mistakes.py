"""Which examples are wrong, and which classes are taken for which."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.evaluation.results import Evaluation, Mistake
from textrnn.labels import Label


def most_confident_mistakes(
    targets: NDArray[Any],
    probabilities: NDArray[Any],
    labels: Sequence[Label],
    *,
    predicted: NDArray[Any] | None = None,
    texts: Sequence[str] | None,
    places: Sequence[str] | None,
    count: int,
) -> list[Mistake]:
    """Up to `count` wrongly predicted examples by falling probability, equal ones in the order of the data.

    targets, predicted [examples], probabilities [examples, classes]; predicted None: the likeliest.
    """
    predicted = probabilities.argmax(axis=1) if predicted is None else predicted
    wrong = np.flatnonzero(predicted != targets)
    chosen = wrong[np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")[:count]]
    return [
        Mistake(
            text=None if texts is None else encodable(texts[i]),
            place=None if places is None else encodable(places[i]),
            label=labels[targets[i]],
            predicted=labels[predicted[i]],
            probability=float(probabilities[i, predicted[i]]),
        )
        for i in chosen.tolist()
    ]


def most_frequent_confusions(evaluation: Evaluation, *, count: int) -> list[tuple[Label, Label, int]]:
    """Up to `count` pairs (true label, predicted label, examples) by falling count, equal ones in order."""
    confusion = np.array(evaluation.confusion)
    np.fill_diagonal(confusion, 0)
    cells = confusion.ravel()
    chosen = np.argsort(-cells, kind="stable")[:count]
    labels = [scores.label for scores in evaluation.per_class]
    return [
        (labels[cell // len(labels)], labels[cell % len(labels)], int(cells[cell]))
        for cell in chosen.tolist()
        if cells[cell] > 0
    ]


def encodable(text: str) -> str:
    """`text` with `?` for lone surrogates, which JSON and HTML files in UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
