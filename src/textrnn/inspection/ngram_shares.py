"""Which n-gram of a text stands where, and what each token has of the n-gram part's scores.

The part is linear, so its split is exact: an n-gram that the model knows adds its weight, divided by the root of the
number of different n-grams of its kind. Where it occurs several times it still counts once, so its occurrences share
it equally, and the tokens of an occurrence share that equally; the mark of the text's beginning is no token.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textrnn.runtime.ngram_scores import NgramScores, kinds
from textrnn.text.ngrams import MULTIPLIER, SHIFT, NgramRule, hash_of, keys_of_tokens, places_of


class PlacedNgram(NamedTuple):
    """A different n-gram of a text."""

    key: int
    occurrences: tuple[tuple[int, ...], ...]
    """The places of the tokens of each occurrence."""
    addition: NDArray[np.float64]
    """What it adds to the scores. [outputs]"""


def placed_ngrams(part: NgramScores, tokens: Sequence[str]) -> list[PlacedNgram]:
    """Every n-gram of a text that the model knows, in the order in which they appear, those of tokens first."""
    occurrences: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    for key, places in _occurrences(tokens, part.reader.rule):
        occurrences[key].append(places)
    keys = np.fromiter(occurrences, np.int32, len(occurrences))
    found = []
    for kind in kinds(keys):
        share = 1 / np.sqrt(max(int(kind.sum()), 1))
        rows = places_of(keys[kind], part.keys)
        for key, row in zip(keys[kind].tolist(), rows.tolist(), strict=True):
            if row >= 0:
                addition = share * part.weight[row].astype(np.float64)
                found.append(PlacedNgram(key, tuple(occurrences[key]), addition))
    return found


def ngram_shares(part: NgramScores, tokens: Sequence[str]) -> NDArray[np.float64]:
    """What each token has of the scores, all but the part's bias. [tokens, outputs]"""
    shares = np.zeros((len(tokens), len(part.bias)))
    for ngram in placed_ngrams(part, tokens):
        for places in ngram.occurrences:
            shares[list(places)] += ngram.addition / (len(ngram.occurrences) * len(places))
    return shares


def ngram_losses(part: NgramScores, tokens: Sequence[str]) -> NDArray[np.float64]:
    """What the scores lose where a token is hidden: all n-grams that occur nowhere without it. [tokens, outputs]

    They are still counted, as unknown ones are, so the divisor stays.
    """
    losses = np.zeros((len(tokens), len(part.bias)))
    for ngram in placed_ngrams(part, tokens):
        everywhere = set(ngram.occurrences[0]).intersection(*ngram.occurrences[1:])
        losses[list(everywhere)] += ngram.addition
    return losses


def _occurrences(tokens: Sequence[str], rule: NgramRule) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Key and places of each n-gram, as `keys_of_tokens` finds them: place -1 is the beginning of the text."""
    hashes = list(map(hash_of, ["", *tokens]))
    for first in range(len(hashes)):
        value = 0
        for last in range(first, min(first + rule.tokens, len(hashes))):
            value = (value + hashes[last] + 1) * MULTIPLIER & (2**64 - 1)
            if last:  # the beginning alone is no n-gram
                yield value >> SHIFT, tuple(range(max(first, 1) - 1, last))
    if rule.characters:
        for place, token in enumerate(tokens):
            for key in keys_of_tokens([token], NgramRule(0, rule.characters), begins=False).tolist():
                yield key, (place,)
