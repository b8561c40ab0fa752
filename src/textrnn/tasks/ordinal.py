"""One of several levels in their order, such as stars: conditional ordinal regression (CORN).

Paper: X. Shi, W. Cao, S. Raschka (2021), "Deep Neural Networks for Rank-Consistent Ordinal Regression Based On
Conditional Probabilities", arXiv:2111.08851. Of K levels, with the scores s_1 … s_(K-1):

    P(y > k | y > k - 1) = sigmoid(s_k)            k = 1 … K - 1, levels counted from 1; y > 0 always
    P(y > k) = product of the first k of them      so it falls as k rises
    P(y = k) = P(y > k - 1) - P(y > k)

The paper divides the sum of all conditional losses by how many there are; here it is divided by the number of texts,
which makes it the mean of -ln P(y): the log loss of the levels.

Predicted is the median level, the first k with P(y > k) < 1/2: it has the least expected distance from the truth.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from textrnn.labels import AnyLabel, Label
from textrnn.tasks.class_task import ClassTask
from textrnn.tasks.classes import CLASS_METRICS, LEVEL_METRICS, ClassCollector, check_count, class_score, class_weights
from textrnn.tasks.scores import log_sigmoid, sigmoid
from textrnn.tasks.task import Answers, Collector, Problem, Scores, Targets


class Ordinal(ClassTask, frozen=True, kw_only=True, tag="ordinal"):
    """See the module."""

    order: list[str] = msgspec.field(default_factory=list)
    """All levels from the lowest to the highest, as they are written; empty: they are numbers."""

    metrics: ClassVar[tuple[str, ...]] = (*CLASS_METRICS, *LEVEL_METRICS)
    shown: ClassVar[tuple[str, ...]] = ("loss", "accuracy", "mae")

    def collector(self, labels: Sequence[Label] | None) -> Collector:
        """See `Task`."""
        return LevelCollector(labels, self.order)

    def check(self, labels: Sequence[Label]) -> None:
        """See `Task`."""
        check_count(labels, 2)
        if self.order and self.order != [str(label) for label in labels]:
            raise ValueError("the order of the levels is not that of the labels")
        numbers = [_number(label) for label in labels]
        if not self.order and not all(
            one is not None and other is not None and one < other for one, other in pairwise(numbers)
        ):
            raise ValueError("the levels are no rising numbers")

    def outputs(self, labels: int) -> int:
        """A score for each step from one level to the next."""
        return labels - 1

    def answers(self, scores: Scores) -> Answers:
        """Probabilities of the levels, from products of the conditional ones. [texts, levels]"""
        above = np.exp(np.cumsum(log_sigmoid(scores), axis=1))  # P(y > k), [texts, levels - 1]
        reached = np.concatenate([np.ones((len(above), 1)), above], axis=1)
        # P(y > k - 1) times the conditional probability of going no further: a difference would lose its digits.
        no_further = np.concatenate([sigmoid(-scores), np.ones((len(above), 1))], axis=1)
        found: Answers = reached * no_further
        return found

    def decided(self, answers: Answers) -> NDArray[np.int64]:
        """The median level. [texts]"""
        above = 1 - np.cumsum(answers, axis=1)[:, :-1]  # P(y > k)
        found: NDArray[np.int64] = (above >= 0.5).sum(axis=1)
        return found

    def score(self, metric: str, targets: Targets, answers: Answers) -> float:
        """`mae` counts the levels between; where a correlation or kappa is undefined, it is 0."""
        return class_score(metric, self.metrics, targets, answers, self.decided)

    def loss_and_slope(self, targets: Targets, scores: Scores) -> tuple[float, NDArray[np.float64]]:
        """Log loss of the levels in nats."""
        steps = np.arange(scores.shape[1])
        went = steps < targets[:, np.newaxis]  # further than this level; the first that it did not is asked, too
        asked = steps <= targets[:, np.newaxis]
        losses = np.where(asked, -log_sigmoid(np.where(went, scores, -scores)), 0.0)
        return float(losses.sum(axis=1).mean()), np.where(asked, sigmoid(scores) - went, 0.0)

    def problems(self, targets: Targets, outputs: int, *, balanced: bool) -> list[Problem]:
        """For each step: which of the texts that reach a level go further?"""
        weights = class_weights(targets, outputs + 1) if balanced else None
        found = []
        for k in range(outputs):
            rows = np.flatnonzero(targets >= k)
            reaching = targets[rows]
            found.append(Problem(reaching > k, ((k, 1.0),), rows, None if weights is None else weights[reaching]))
        return found


class LevelCollector:
    """Gathers one level a text and puts the levels into their order; see `textrnn.tasks.task.Collector`."""

    def __init__(self, labels: Sequence[Label] | None, order: list[str]) -> None:
        self._order = order if labels is None else []
        self._given = labels is not None
        self._classes = ClassCollector(labels)

    def add(self, label: AnyLabel | None) -> None:
        """See `textrnn.tasks.task.Collector`."""
        if label is not None and not self._given:
            if self._order and str(label) not in self._order:
                raise ValueError(f"the label {label!r} is not in label_order: {', '.join(self._order)}")
            if not self._order and _number(label) is None:
                raise ValueError(
                    f"the label {label!r} is no number: expected numbers, or the order of the labels "
                    "(label_order, such as bad,ok,good)"
                )
        self._classes.add(label)

    def result(self) -> tuple[NDArray[np.int64], list[Label]]:
        """See `textrnn.tasks.task.Collector`."""
        targets, listing = self._classes.result()
        if self._given:
            return targets, listing
        if self._order:
            kind = type(listing[0])
            places = np.array([self._order.index(str(label)) for label in listing], dtype=np.int64)
            return places[targets], [kind(label) for label in self._order]
        numbers = [_number(label) for label in listing]
        if len(set(numbers)) < len(numbers):
            twice = next(label for label, number in zip(listing, numbers, strict=True) if numbers.count(number) > 1)
            raise ValueError(f"the level {twice!r} is written in two ways, expected one")
        order = sorted(range(len(listing)), key=lambda place: numbers[place])  # type: ignore[arg-type, return-value]
        rank = np.argsort(order)
        return rank[targets], [listing[place] for place in order]


def _number(label: Any) -> float | None:
    """What the label says as a finite number; None where it does not."""
    try:
        number = float(label)
    except (ValueError, OverflowError):
        return None
    return number if np.isfinite(number) else None
