"""The rows of a vocabulary, gathered while a file of word vectors goes by.

A word of the vocabulary gets the row of the very same word, else that of the first word which is it in lower case (and
Unicode NFC, as our text rules write words). Of a word that stands twice in a file the first row counts.

The vocabulary stays that of the training texts. Words that only the vectors know would make the model file several
times as large, and once the others are tuned they would lie among neighbours that have moved. `min_count=1` lets in
the words that the texts have once, for which vectors help most.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textrnn.modelfile.read import LARGEST_WEIGHT
from textrnn.text.tokenizer import nfc
from textrnn.text.vocabulary import UNK_ID


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Vectors of the words of one vocabulary."""

    rows: NDArray[np.float32]
    """[vocabulary, features]; zero where there is none."""
    found: NDArray[np.bool_]
    """Which words have a vector. [vocabulary]"""
    kind: str
    """What file they come from: `text`, `word2vec` or `fastText`."""
    composed: int = 0
    """How many of the found ones have no row of their own and were made of their character n-grams (fastText)."""
    unreadable: int = 0
    """Words of the file that are not UTF-8; they were left out, since no text can have them."""

    @property
    def size(self) -> int:
        """Features of a vector."""
        return int(self.rows.shape[1])

    def fingerprint(self) -> str:
        """The digest "sha256:…" of the found rows and of which they are; the same whatever the file's format."""
        digest = hashlib.sha256(np.packbits(self.found).tobytes())
        digest.update(np.ascontiguousarray(self.rows[self.found], dtype="<f4").data)
        return f"sha256:{digest.hexdigest()}"

    def deviation(self) -> float:
        """Standard deviation of all numbers of the found rows; 0 where there are none."""
        return float(self.rows[self.found].std(dtype=np.float64)) if self.found.any() else 0.0


@dataclass(frozen=True)
class Coverage:
    """How much of a vocabulary and of the training texts has a vector."""

    words: int
    of_words: int
    """Of the vocabulary, without `<PAD>` and `<UNK>`."""
    tokens: int
    of_tokens: int
    """Read in training, those that became `<UNK>` included."""

    @classmethod
    def of(cls, found: NDArray[np.bool_], ids: NDArray[np.int32]) -> "Coverage":
        """From which words have a vector [vocabulary] and the ids of all training tokens [tokens]."""
        return cls(int(found.sum()), len(found) - UNK_ID - 1, int(found[ids].sum()), len(ids))

    def __str__(self) -> str:
        words, tokens = 100 * self.words / max(self.of_words, 1), 100 * self.tokens / max(self.of_tokens, 1)
        return (
            f"{self.words:,} of {self.of_words:,} words of the vocabulary ({words:.1f} %) have a vector, "
            f"{tokens:.1f} % of the training tokens"
        )


class Wanted:
    """Which rows of a file are kept, and for which word."""

    def __init__(self, tokens: Sequence[str]) -> None:
        """`tokens` in the order of their ids, the two special ones first; these get no vector."""
        self.count = len(tokens)
        self.tokens = tokens
        self._exact = {token.encode(): index for index, token in enumerate(tokens) if index > UNK_ID}
        self._taken_exactly = np.zeros(self.count, dtype=np.bool_)
        self._taken = np.zeros(self.count, dtype=np.bool_)
        self.unreadable = 0

    def place(self, word: bytes) -> int | None:
        """The id whose row this word's is from now on; None: not wanted, or there is a better one already."""
        index = self._exact.get(word)
        if index is not None:
            if self._taken_exactly[index]:
                return None
            self._taken_exactly[index] = self._taken[index] = True
            return index
        if word.isascii():
            folded = word.lower()
        else:
            try:
                folded = nfc(word.decode()).lower().encode()
            except UnicodeDecodeError:
                self.unreadable += 1
                return None
        index = self._exact.get(folded)
        if index is None or self._taken[index]:
            return None
        self._taken[index] = True
        return index


def refusal(row: NDArray[np.floating]) -> str | None:
    """What is wrong with the numbers of a row, if anything is."""
    if np.abs(row).max(initial=0) <= LARGEST_WEIGHT:  # NaN is not
        return None
    return f"the vector holds {row[~(np.abs(row) <= LARGEST_WEIGHT)][0]:g}, expected numbers up to {LARGEST_WEIGHT:g}"


def gathered(wanted: Wanted, rows: dict[int, NDArray[np.float32]], size: int, kind: str) -> WordVectors:
    """The rows that were kept, in one table. Kept one by one before: what a file announces may be a lie."""
    table = np.zeros((wanted.count, size), dtype=np.float32)
    found = np.zeros(wanted.count, dtype=np.bool_)
    for index, row in rows.items():
        table[index] = row
        found[index] = True
    return WordVectors(table, found, kind, unreadable=wanted.unreadable)
