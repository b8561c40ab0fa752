"""From which probability on a text gets a label: for the best F1, or for a wanted precision or recall."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Cuts(NamedTuple):
    """What every threshold that makes a difference would give, from the highest to the lowest."""

    thresholds: NDArray[np.float64]
    """Midway between two neighbouring probabilities, so that rounding elsewhere changes no decision. [cuts]"""
    predicted: NDArray[np.int64]
    """Texts that reach it. [cuts]"""
    hits: NDArray[np.int64]
    """Of these, that have the label. [cuts]"""
    positives: int
    """Texts that have the label."""

    @property
    def precision(self) -> NDArray[np.float64]:
        """[cuts]"""
        return self.hits / self.predicted

    @property
    def recall(self) -> NDArray[np.float64]:
        """[cuts]"""
        return self.hits / max(1, self.positives)


def cuts(has: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> Cuts:
    """All of them; at each at least one text gets the label.

    Args:
        has: whether each text has the label. [texts]
        probabilities: of the label. [texts]
    """
    order = np.argsort(-probabilities, kind="stable")
    falling, right = probabilities[order], np.cumsum(has[order], dtype=np.int64)
    last = np.flatnonzero(np.append(falling[1:] < falling[:-1], True))  # of each run of equal probabilities
    least = falling[last]  # the lowest probability that still counts
    below = np.append(least[1:], 0.0)
    middle = (least + below) / 2
    return Cuts(np.where(middle > below, middle, least), last + 1, right[last], int(has.sum()))


def best_for_f1(has: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> float:
    """The threshold of the best F1; of equal ones that nearest to 1/2, which it is where no text has the label."""
    found = cuts(has, probabilities)
    if not found.positives:
        return 0.5
    f1 = 2 * found.hits / (found.predicted + found.positives)
    best = np.flatnonzero(f1 == f1.max())
    return float(found.thresholds[best[np.argmin(np.abs(found.thresholds[best] - 0.5))]])


def for_precision(found: Cuts, wanted: float) -> int | None:
    """The cut of the highest recall with this precision, of equal ones the most precise; None: there is none."""
    return _best(found.precision >= wanted, found.recall, found.precision)


def for_recall(found: Cuts, wanted: float) -> int | None:
    """The cut of the highest precision with this recall, of equal ones that with the highest recall."""
    return _best(found.recall >= wanted, found.precision, found.recall)


def _best(allowed: NDArray[np.bool_], first: NDArray[np.float64], second: NDArray[np.float64]) -> int | None:
    places = np.flatnonzero(allowed)
    if not len(places):
        return None
    return int(places[np.lexsort((second[places], first[places]))[-1]])
