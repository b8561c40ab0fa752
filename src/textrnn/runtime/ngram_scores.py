"""The n-gram part of a network: scores by which runs of tokens a text holds; see `textrnn.text.ngrams`."""

import ctypes
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from textrnn.modelfile import Weights
from textrnn.native import available_threads, library
from textrnn.native.interface import NgramsRecord
from textrnn.text.ngrams import ngram_keys, places_of

Ids = NDArray[np.int32]


class NgramScores:
    """bias + sum of the weights of the different n-grams that a text holds; unknown ones count nothing.

    A network behind the signature of `textrnn.runtime.engines.Network`, by the native kernels where they are, else by
    NumPy. Both sum in double precision.
    """

    def __init__(self, weights: Weights, longest: int, *, native: bool = True) -> None:
        """`longest`: tokens of the longest n-gram."""
        self.longest = longest
        self.keys: Ids = np.ascontiguousarray(weights["ngrams.key"], dtype=np.int32)
        self.weight = np.ascontiguousarray(weights["ngrams.weight"], dtype=np.float32)
        self.bias = np.ascontiguousarray(weights["ngrams.bias"], dtype=np.float32)
        self._kernels = library() if native else None
        if self._kernels is not None:
            self._slots = np.empty(2 ** max(1, (2 * len(self.keys)).bit_length()), dtype=np.int32)
            self._record = NgramsRecord(
                len(self.keys),
                len(self.bias),
                longest,
                *(array.ctypes.data for array in (self.keys, self.weight, self.bias, self._slots)),
                len(self._slots),
            )
            if self._kernels.textrnn_ngrams_index(ctypes.byref(self._record)):
                raise MemoryError("too many n-grams")

    def logits(self, texts: Sequence[Ids]) -> NDArray[np.float32]:
        """See `textrnn.runtime.engines.Network`."""
        offsets = np.cumsum([0, *(len(ids) for ids in texts)], dtype=np.int64)
        return self.logits_of(np.concatenate([np.empty(0, np.int32), *texts]).astype(np.int32), offsets)

    def logits_of(self, ids: Ids, offsets: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `textrnn.runtime.engines.Network`."""
        ids, offsets = np.ascontiguousarray(ids, dtype=np.int32), np.ascontiguousarray(offsets, dtype=np.int64)
        texts = len(offsets) - 1
        if self._kernels is None:
            return self._in_numpy(ids, offsets)
        scores = np.empty((texts, len(self.bias)), dtype=np.float32)
        failed = self._kernels.textrnn_ngrams_scores(
            ctypes.byref(self._record),
            ids.ctypes.data,
            offsets.ctypes.data,
            texts,
            scores.ctypes.data,
            available_threads(),
        )
        if failed:
            raise MemoryError("out of memory in the native kernels")
        return scores

    def stream(self) -> "NgramStream":
        """See `textrnn.runtime.engines.Network`."""
        return NgramStream(self)

    def _in_numpy(self, ids: Ids, offsets: NDArray[np.int64]) -> NDArray[np.float32]:
        keys, starts = ngram_keys(ids, offsets, self.longest)
        owners = np.repeat(np.arange(len(offsets) - 1), np.diff(starts))
        places = places_of(keys, self.keys)
        owners, places = owners[places >= 0], places[places >= 0]
        scores = np.tile(self.bias.astype(np.float64), (len(offsets) - 1, 1))
        np.add.at(scores, owners, self.weight[places].astype(np.float64))
        return scores.astype(np.float32)


class NgramStream:
    """The n-grams of a text that arrives token by token. Each different one that is known is remembered."""

    def __init__(self, part: NgramScores) -> None:
        self._part = part
        self.reset()

    def reset(self) -> None:
        """Forget all tokens."""
        self._before = np.empty(0, dtype=np.int32)
        self._seen: set[int] = set()
        self._sums = self._part.bias.astype(np.float64)

    def push(self, ids: Ids) -> None:
        """Read some tokens. [time]"""
        part = self._part
        ids = np.concatenate([self._before, ids])
        keys, _ = ngram_keys(ids, np.array([0, len(ids)]), part.longest)
        places = places_of(keys, part.keys)
        new = set(places[places >= 0].tolist()) - self._seen
        self._seen |= new
        self._sums += part.weight[sorted(new)].astype(np.float64).sum(axis=0)
        self._before = ids[max(0, len(ids) - part.longest + 1) :]

    def logits(self) -> NDArray[np.float32]:
        """Scores after the tokens so far. [classes]"""
        return self._sums.astype(np.float32)
