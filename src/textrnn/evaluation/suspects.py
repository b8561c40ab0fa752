"""Which labels are probably wrong, by confident learning."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from textrnn.evaluation.mistakes import encodable
from textrnn.files import require
from textrnn.labels import Label
from textrnn.tasks.checks import checked


class Suspect(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text whose label is probably wrong."""

    index: int
    """Of the text in the data, counted from 0."""
    place: str | None
    text: str | None
    label: Label
    """As given."""
    suggested: Label
    """The likeliest one."""
    score: float
    """Probability of the given label: the lower, the more suspicious."""


def find_suspects(
    targets: NDArray[Any],
    probabilities: NDArray[Any],
    labels: Sequence[Label],
    *,
    texts: Sequence[str] | None = None,
    places: Sequence[str] | None = None,
) -> list[Suspect]:
    """The examples whose label is probably wrong, the most suspicious first.

    A class counts as likely for an example where its probability reaches the class's mean probability over its own
    examples; from how often this is another class than the given one follows how many labels of each class are wrong.
    As many are listed, those of least probability. This needs probabilities that were not learnt from these labels.

    Source: C. Northcutt, L. Jiang, I. Chuang, Confident learning: estimating uncertainty in dataset labels, JAIR 70
    (2021), arXiv:1911.00068, as in `cleanlab`.

    Args:
        targets: class indices [examples], as given.
        probabilities: [examples, classes], of models that were not trained on the example.
        labels: the name of each class [classes].
        texts, places: of each example [examples].

    Raises:
        ValueError: the arrays do not fit each other, are empty, or hold what is no probability or no class.
        MissingDependencyError: cleanlab is not installed.
    """
    targets, probabilities = checked(targets, probabilities)
    filters = require("cleanlab.filter", extra="suspects", purpose="looking for suspects")
    present = np.unique(targets)  # a class without examples has no mean; nothing is suggested that nobody gave
    within = probabilities[:, present]
    unknown = within.sum(axis=1) <= 0
    within[unknown] = 1
    within /= within.sum(axis=1, keepdims=True)
    given = np.searchsorted(present, targets)
    if len(present) < 2:
        return []
    with warnings.catch_warnings():  # a class of few examples, of which none is listed, is no reason to warn
        warnings.filterwarnings("ignore", module="cleanlab")
        warnings.filterwarnings("ignore", message="May not flag all label issues", category=UserWarning)
        chosen = filters.find_label_issues(
            given, within, return_indices_ranked_by="self_confidence", filter_by="prune_by_noise_rate", n_jobs=1
        )
    return [
        Suspect(
            index=index,
            place=None if places is None else encodable(places[index]),
            text=None if texts is None else encodable(texts[index]),
            label=labels[targets[index]],
            suggested=labels[present[within[index].argmax()]],
            score=float(within[index, given[index]]),
        )
        for index in np.asarray(chosen).tolist()
    ]
