"""N-grams as keys, against sets of tuples."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textrnn.text.ngrams import ngram_keys, places_of

TEXTS = st.lists(st.lists(st.integers(0, 6), max_size=9), max_size=6)


def offsets_of(texts: list[list[int]]) -> np.ndarray:
    return np.cumsum([0, *map(len, texts)], dtype=np.int64)


def tuples(text: list[int], longest: int) -> set[tuple[int, ...]]:
    return {
        tuple(text[first : first + length])
        for length in range(1, longest + 1)
        for first in range(len(text) - length + 1)
    }


def key(ngram: tuple[int, ...]) -> int:
    """The formula once more, in Python's whole numbers."""
    value = 0
    for part in ngram:
        value = (value + part + 1) * 0x9E3779B97F4A7C15 % 2**64
    return value >> 33


@given(TEXTS, st.integers(1, 4))
def test_each_text_has_the_keys_of_its_different_ngrams(texts: list[list[int]], longest: int) -> None:
    ids = np.array([id for text in texts for id in text], dtype=np.int32)
    keys, starts = ngram_keys(ids, offsets_of(texts), longest)
    assert keys.dtype == np.int32 and len(starts) == len(texts) + 1
    for text, (begin, end) in zip(texts, pairwise(starts.tolist()), strict=True):
        assert keys[begin:end].tolist() == sorted({key(ngram) for ngram in tuples(text, longest)})


def test_a_part_of_many_texts_has_the_same_keys() -> None:
    ids, offsets = np.arange(12, dtype=np.int32), np.array([0, 5, 5, 12])
    whole, starts = ngram_keys(ids, offsets, 3)
    part, _ = ngram_keys(ids, offsets[2:], 3)
    np.testing.assert_array_equal(part, whole[starts[2] :])


def test_hundred_thousand_pairs_hardly_collide() -> None:
    left, right = np.meshgrid(np.arange(316, dtype=np.int32), np.arange(316, dtype=np.int32))
    ids = np.stack([left.ravel(), right.ravel()], axis=1).ravel()
    keys, _ = ngram_keys(ids, np.arange(0, len(ids) + 1, 2), 2)
    different = len(np.unique(keys))
    # n^2 / 2^32 pairs are expected to share a key, as of random numbers: 2 or 3.
    assert 316**2 + 316 - 20 < different <= 316**2 + 316


def test_places_of_unknown_keys() -> None:
    known = np.array([3, 5, 9], dtype=np.int32)
    assert places_of(np.array([5, 4, 9, 3, 10], dtype=np.int32), known).tolist() == [1, -1, 2, 0, -1]
    assert places_of(np.array([1], dtype=np.int32), known[:0]).tolist() == [-1]


@pytest.mark.parametrize("longest", [1, 5])
def test_no_texts(longest: int) -> None:
    keys, starts = ngram_keys(np.empty(0, np.int32), np.zeros(1, np.int64), longest)
    assert len(keys) == 0 and starts.tolist() == [0]
