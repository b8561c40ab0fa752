"""Whether an attribution tells the truth: the probability has to fall fast when the words it names are deleted.

For each text, its predicted label and the probability p of it: tokens are deleted, the one that speaks most for the
label first, and the model reads what is left. The area under the curve of p over the share of deleted tokens is small
where the attribution is right; tokens deleted in random order give what to compare with. (Samek et al. 2017,
"Evaluating the visualization of what a deep neural network has learned", IEEE Transactions on Neural Networks and
Learning Systems 28; for texts DeYoung et al. 2020, ERASER, arXiv:1911.03429.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textrnn.errors import ConfigError, DataError
from textrnn.inspection.attribution import contrast
from textrnn.inspection.networks import Networks, in_double
from textrnn.inspection.reading import text_of
from textrnn.inspection.running import predicted_place
from textrnn.inspection.why import attribute
from textrnn.runtime import Classifier

SHARES = np.linspace(0, 1, 11)
"""Of the tokens that are deleted, along the curve."""


@dataclass(frozen=True)
class Deletion:
    """Curves of one method over many texts."""

    method: str
    shares: NDArray[np.float64]
    """Of deleted tokens, from 0 to 1. [points]"""
    curve: NDArray[np.float64]
    """The mean probability of the label that was predicted, the tokens of the highest scores deleted first. [points]"""
    random: NDArray[np.float64]
    """The same in random order. [points]"""
    texts: int

    @property
    def area(self) -> float:
        """Under the curve, by the trapezoid rule; less is better."""
        return float(np.trapezoid(self.curve, self.shares))

    @property
    def random_area(self) -> float:
        """Of random order."""
        return float(np.trapezoid(self.random, self.shares))


def deletion(
    model: Classifier | Networks, texts: Sequence[str], method: str = "shares", *, repeats: int = 5, seed: int = 0
) -> Deletion:
    """How fast the probability of the predicted label falls as tokens are deleted, those of the highest scores first.

    Args:
        model: a classifier that predicts labels.
        texts: of two tokens and more; others are left out.
        method: a name in `METHODS`.
        repeats: random orders of each text.
        seed: of these.

    Raises:
        ConfigError: a number is predicted, or there is no such method for this cell.
        DataError: no text has two tokens.
    """
    networks = in_double(model)
    if not networks.header.labels:
        raise ConfigError("deletion: expected a model that predicts labels, this one predicts a number")
    rng = np.random.default_rng(seed)
    ordered, shuffled = [], []
    for text in texts:
        reading = networks.read(text)
        if len(reading.all_tokens) < 2:
            continue
        words = [token.text for token in reading.all_tokens]
        label = predicted_place(networks, networks.logits(reading))
        scores = np.full(len(words), -np.inf)  # what nobody reads is deleted last
        rows = reading.places if networks.ngrams is None else np.arange(len(words))
        scores[rows] = attribute(networks, reading, method).towards(contrast(networks, label))
        ordered.append(_curve(networks, words, np.argsort(-scores, kind="stable"), label))
        shuffled += [_curve(networks, words, rng.permutation(len(words)), label) for _ in range(repeats)]
    if not ordered:
        raise DataError("deletion: expected a text of two tokens at least")
    return Deletion(method, SHARES, np.mean(ordered, axis=0), np.mean(shuffled, axis=0), len(ordered))


def _curve(networks: Networks, words: list[str], order: NDArray[np.int64], label: int) -> NDArray[np.float64]:
    """The probability of a label as tokens go in this order. [points]"""
    tokenizer = networks.header.text.tokenizer
    left = []
    for count in np.round(SHARES * len(words)).astype(np.int64).tolist():
        gone = set(order[:count].tolist())
        left.append(text_of([word for at, word in enumerate(words) if at not in gone], tokenizer))
    found: NDArray[np.float64] = networks.classifier.predict_proba(left)[:, label]
    return found
