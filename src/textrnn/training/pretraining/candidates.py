"""Over which words a batch's softmax runs: exactly over those that matter, over a sample of the rest.

The sum over a vocabulary of 30,000 words would cost 13 times the arithmetic of the recurrent layer, a GRU of 256 units
on 128 features. Of a batch's sum

    Z = sum over all words j of exp(s_j)

the most frequent words and all words that the batch must predict are computed exactly, and the others are estimated:
k draws from a proposal q over the others, with replacement, give

    Z' = sum over exact j of exp(s_j) + sum over draws j of exp(s_j) / (k q_j),       E[Z'] = Z.

A weight is a summand of the logit, -log(k q_j). Draws are shared by the batch, as by Jean et al. (2015,
arXiv:1412.2007), and q is a power of the frequency (0.75: Mikolov et al. 2013, arXiv:1310.4546). That every target is
among the exact words spares the usual care for draws that hit the target. In a vocabulary so small that the draws are
no saving, all words are exact and the softmax is the full one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

POWER = 0.75


@dataclass(frozen=True)
class Candidates:
    """The columns of one batch's softmax."""

    ids: NDArray[np.int64]
    """Words; an id that was drawn twice stands there twice. [candidates]"""
    log_weights: NDArray[np.float32]
    """0 where a word is exact, -log(k q) where it was drawn. [candidates]"""
    columns: NDArray[np.int32]
    """Column of every id that is exact, -1 for all others. [vocabulary]"""


class Sampler:
    """Draws candidates for batches.

    Args:
        counts: how often each id occurs; what does not occur has the weight of what occurs once. [vocabulary]
        head: so many of the most frequent words, the first ids, are always exact.
        draws: k above.
    """

    def __init__(self, counts: NDArray[np.int64], *, head: int, draws: int) -> None:
        self.size = len(counts)
        # A draw costs what an exact word costs, and knows less.
        self.head = self.size if self.size <= head + 2 * draws else head
        self.draws = draws
        weights = np.maximum(counts, 1).astype(np.float64) ** POWER
        weights[: self.head] = 0
        self._proposal = weights / weights.sum() if self.head < self.size else weights
        self._cumulated = np.cumsum(self._proposal)

    def candidates(self, targets: NDArray[np.integer], rng: np.random.Generator) -> Candidates:
        """For a batch that must predict `targets`, any number of ids, also several times."""
        columns = np.full(self.size, -1, dtype=np.int32)
        columns[: self.head] = np.arange(self.head)
        seen = np.zeros(self.size, dtype=bool)
        seen[targets] = True
        beyond = self.head + np.flatnonzero(seen[self.head :])
        exact = np.concatenate([np.arange(self.head), beyond])
        columns[beyond] = np.arange(self.head, len(exact))
        if len(exact) == self.size:
            return Candidates(exact, np.zeros(len(exact), np.float32), columns)
        left = 1.0 - float(self._proposal[beyond].sum())  # of the proposal, for words that are not exact
        drawn = self._draw(rng)
        drawn = drawn[columns[drawn] < 0]
        while not len(drawn):
            drawn = self._draw(rng)
            drawn = drawn[columns[drawn] < 0]
        log_weights = -np.log(len(drawn) * self._proposal[drawn] / left)
        return Candidates(
            np.concatenate([exact, drawn]),
            np.concatenate([np.zeros(len(exact)), log_weights]).astype(np.float32),
            columns,
        )

    def _draw(self, rng: np.random.Generator) -> NDArray[np.int64]:
        places = rng.random(self.draws) * self._cumulated[-1]
        drawn: NDArray[np.int64] = np.searchsorted(self._cumulated, places, side="right")
        return np.minimum(drawn, self.size - 1)
