"""What an attribution is, whatever its method: a score for each token and output, and what is left over."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textrnn.inspection.networks import Networks
from textrnn.inspection.ngram_shares import ngram_shares
from textrnn.inspection.reading import Reading, Token
from textrnn.runtime.ngram_scores import NgramScores

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Attribution:
    """How the scores of a text before the softmax come from its tokens."""

    method: str
    """Its name in `METHODS`."""
    tokens: tuple[Token, ...]
    """Those that the networks read; with an n-gram part all of the text, those cut off having `read` false."""
    scores: Scores
    """[tokens, outputs]"""
    bias: Scores
    """What no token is held responsible for: biases, the initial state and the padding, or the answer to the baseline.
    [outputs]"""
    padding: Scores
    """The part of `bias` that comes from reading the padding, where the method tells; else zeros. [outputs]"""
    logits: Scores
    """What is explained. [outputs]"""
    exact: bool
    """Whether `bias + scores.sum(0)` is `logits` by the method's own mathematics, but for rounding."""

    @property
    def error(self) -> float:
        """The completeness error: what `bias + scores` miss of the logits, as a share of what is to be explained.

            max_k |logits_k - bias_k - sum_t scores_tk| / max_k |logits_k - bias_k + padding_k|

        0 where what is left over is rounding in 64 bits, also if nothing is to be explained.
        """
        missed = float(np.abs(self.logits - self.bias - self.scores.sum(axis=0)).max())
        if missed <= 1e-12 * (1 + float(np.abs(self.logits).max())):
            return 0.0
        return missed / max(float(np.abs(self.logits - self.bias + self.padding).max()), 1e-300)

    def towards(self, direction: Scores) -> Scores:
        """One number a token: the scores along a direction, such as `contrast` gives. [tokens]"""
        along: Scores = self.scores @ direction
        return along


def contrast(networks: Networks, label: int) -> NDArray[np.float64]:
    """The direction in which scores speak for a label. [outputs]

    With a softmax it is the label's score minus the mean of the others': what all labels have in common changes no
    probability. With levels in their order the steps below the label count for it and the step above it against it. Of
    several labels and of a number it is the score itself.
    """
    labels, outputs = max(1, len(networks.header.labels)), networks.outputs
    direction = np.zeros(outputs)
    if networks.header.task.one_label and outputs == labels - 1:
        direction[:label] = 1.0
        if label < outputs:
            direction[label] = -1.0
        return direction
    direction[label] = 1.0
    if networks.header.task.one_label:
        direction[np.arange(outputs) != label] = -1 / (outputs - 1)
    return direction


class Rows:
    """Where the scores of the parts of a model are gathered: one row for each token that any part reads."""

    def __init__(self, networks: Networks, reading: Reading) -> None:
        self.reading = reading
        self._networks = networks
        whole = networks.ngrams is not None
        self.tokens = reading.all_tokens if whole else reading.tokens
        self.scores = np.zeros((len(self.tokens), networks.outputs))
        self.bias = np.zeros(networks.outputs)
        """What is no token's, but for the padding's."""
        self.padding = np.zeros(networks.outputs)
        self._places = reading.places if whole else np.arange(reading.time)

    def add_steps(self, steps: Scores) -> None:
        """What a network gives to each of its steps; the padding has no row. [steps, outputs]"""
        self.scores[self._places] += steps[: self.reading.time]
        self.padding += steps[self.reading.time :].sum(axis=0)

    def add_ngrams(self, split: Callable[[NgramScores, Sequence[str]], Scores] = ngram_shares) -> None:
        """What the n-gram part gives to each token of the text, if there is one."""
        if self._networks.ngrams is not None:
            self.scores += split(self._networks.ngrams, [token.text for token in self.reading.all_tokens])
            self.bias += self._networks.ngrams.bias

    def attribution(self, method: str, *, exact: bool) -> Attribution:
        """Of all that was gathered. `exact`: see `Attribution`; only then the padding's part is told."""
        return Attribution(
            method=method,
            tokens=self.tokens,
            scores=self.scores,
            bias=self.bias + self.padding if exact else self.bias,
            padding=self.padding if exact else np.zeros_like(self.padding),
            logits=self._networks.logits(self.reading),
            exact=exact,
        )
