"""The n-gram part of a model: scores by which n-grams a text holds; see `textrnn.text.ngrams`."""

import ctypes
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from textrnn.modelfile import Header, Weights
from textrnn.native import available_threads, library
from textrnn.native.interface import NgramsRecord
from textrnn.text.native_words import Flat
from textrnn.text.ngram_reader import NgramReader
from textrnn.text.ngrams import OF_CHARACTERS, NgramRule, keys_of_tokens, places_of


class NgramScores:
    """bias + for each kind of n-grams the sum of their weights, divided by the root of their number.

    Each different n-gram of a text counts once. Those that are unknown have no weight, but are counted. Sums are in
    double precision, by the native kernels where they are, else by NumPy.
    """

    def __init__(self, weights: Weights, tokenizer: str, rule: NgramRule, *, native: bool = True) -> None:
        """`weights`: the tensors `ngrams.…` of a model file."""
        self.reader = NgramReader(tokenizer, rule, native=native)
        self.keys: NDArray[np.int32] = np.ascontiguousarray(weights["ngrams.key"], dtype=np.int32)
        self.weight = np.ascontiguousarray(weights["ngrams.weight"], dtype=np.float32)
        self.bias = np.ascontiguousarray(weights["ngrams.bias"], dtype=np.float32)
        self._kernels = library() if native else None
        if self._kernels is not None:
            self._slots = np.empty(2 ** max(1, (2 * len(self.keys)).bit_length()), dtype=np.int32)
            self._record = NgramsRecord(
                len(self.keys),
                len(self.bias),
                *(array.ctypes.data for array in (self.keys, self.weight, self.bias, self._slots)),
                len(self._slots),
            )
            if self._kernels.textrnn_ngrams_index(ctypes.byref(self._record)):
                raise MemoryError("too many n-grams")

    @classmethod
    def of(cls, header: Header, weights: Weights, *, native: bool = True) -> "NgramScores | None":
        """The n-gram part of a model; None where it has none."""
        rule = NgramRule(header.model.ngrams, header.model.character_ngrams)
        return cls(weights, header.text.tokenizer, rule, native=native) if any(rule) else None

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """[texts, classes]"""
        return self.scores_of(self.reader.keys(texts))

    def scores_of(self, read: Flat) -> NDArray[np.float32]:
        """The same from what the reader has found in the texts."""
        keys, offsets = read
        if self._kernels is None:
            return self._in_numpy(keys, offsets)
        scores = np.empty((len(offsets) - 1, len(self.bias)), dtype=np.float32)
        failed = self._kernels.textrnn_ngrams_scores(
            ctypes.byref(self._record),
            keys.ctypes.data,
            offsets.ctypes.data,
            len(scores),
            scores.ctypes.data,
            available_threads(),
        )
        if failed:
            raise MemoryError("out of memory in the native kernels")
        return scores

    def stream(self) -> "NgramStream":
        """A text without tokens yet."""
        return NgramStream(self)

    def _in_numpy(self, keys: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.float32]:
        texts = len(offsets) - 1
        owners = np.repeat(np.arange(texts), np.diff(offsets))
        scores = np.tile(self.bias.astype(np.float64), (texts, 1))
        for kind in kinds(keys):
            share = 1 / np.sqrt(np.maximum(np.bincount(owners[kind], minlength=texts), 1))
            places = places_of(keys[kind], self.keys)
            known = owners[kind][places >= 0]
            np.add.at(scores, known, share[known, None] * self.weight[places[places >= 0]].astype(np.float64))
        return scores.astype(np.float32)


def kinds(keys: NDArray[np.int32]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which keys are of tokens, and which of characters. [n-grams] each"""
    characters = keys >= OF_CHARACTERS
    return ~characters, characters


class NgramStream:
    """The n-grams of a text that arrives token by token. Each different one is remembered."""

    def __init__(self, part: NgramScores) -> None:
        self._part = part
        self.reset()

    def reset(self) -> None:
        """Forget all tokens."""
        self._before: list[str] = []
        self._read = 0
        self._seen: set[int] = set()
        self._sums = np.zeros((2, len(self._part.bias)))
        self._counts = np.zeros(2)

    def push(self, tokens: Sequence[str]) -> None:
        """Read some tokens."""
        part, rule = self._part, self._part.reader.rule
        begins = self._read == len(self._before)  # nothing of the text lies before them
        keys = np.unique(
            np.concatenate(
                [
                    keys_of_tokens([*self._before, *tokens], NgramRule(rule.tokens), begins=begins),
                    keys_of_tokens(tokens, NgramRule(0, rule.characters)),
                ]
            )
        )
        new = np.array(sorted(set(keys.tolist()) - self._seen), dtype=np.int32)
        self._seen.update(new.tolist())
        for row, kind in enumerate(kinds(new)):
            places = places_of(new[kind], part.keys)
            self._sums[row] += part.weight[places[places >= 0]].astype(np.float64).sum(axis=0)
            self._counts[row] += kind.sum()
        self._read += len(tokens)
        both = [*self._before, *tokens]
        self._before = both[max(0, len(both) - max(rule.tokens - 1, 0)) :]

    def scores(self) -> NDArray[np.float32]:
        """Scores after the tokens so far. [classes]"""
        shares = self._sums / np.sqrt(np.maximum(self._counts, 1))[:, None]
        found: NDArray[np.float32] = (self._part.bias + shares.sum(axis=0)).astype(np.float32)
        return found
