"""Batches: every text once, similar lengths together, one seed one order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from textrnn.data import bucketed, by_length, in_order

LENGTHS = st.lists(st.integers(0, 300), max_size=400).map(lambda values: np.array(values, dtype=np.int64))


def padding(lengths: NDArray[np.int64], batches: list[NDArray[np.int64]]) -> float:
    """Share of the computed steps that are padding."""
    steps = sum(len(batch) * int(lengths[batch].max()) for batch in batches)
    return 1 - int(lengths.sum()) / steps


@given(LENGTHS, st.integers(1, 20), st.integers(0, 2**32))
def test_every_text_once(lengths: NDArray[np.int64], batch_size: int, seed: int) -> None:
    batches = bucketed(lengths, batch_size, np.random.default_rng(seed))
    again = bucketed(lengths, batch_size, np.random.default_rng(seed))
    for found in (batches, by_length(lengths, batch_size), in_order(np.arange(len(lengths)), batch_size)):
        everything = np.concatenate([*found, np.array([], dtype=np.int64)])
        assert sorted(everything.tolist()) == list(range(len(lengths)))
        assert all(0 < len(batch) <= batch_size for batch in found)
        assert len(found) == -(-len(lengths) // batch_size)
    assert [batch.tolist() for batch in batches] == [batch.tolist() for batch in again]


def test_batches_differ_from_epoch_to_epoch() -> None:
    lengths = np.random.default_rng(0).integers(1, 50, size=1000)
    rng = np.random.default_rng(1)
    first, second = (bucketed(lengths, 32, rng) for _ in range(2))
    assert {tuple(sorted(batch.tolist())) for batch in first}.isdisjoint(
        tuple(sorted(batch.tolist())) for batch in second
    )


def test_lengths_are_similar_and_batches_in_no_order() -> None:
    lengths = np.random.default_rng(0).geometric(1 / 20, size=10_000)
    batches = bucketed(lengths, 32, np.random.default_rng(1))
    assert padding(lengths, batches) < 0.1 < 0.5 < padding(lengths, in_order(np.arange(10_000), 32))
    longest = np.array([lengths[batch].max() for batch in batches])
    assert abs(np.corrcoef(longest[1:], longest[:-1])[0, 1]) < 0.2


def test_longest_first() -> None:
    batches = by_length(np.array([3, 9, 3, 1, 9]), 2)
    assert [batch.tolist() for batch in batches] == [[1, 4], [0, 2], [3]]


@pytest.mark.parametrize("batch_size", [0, -1])
def test_refused(batch_size: int) -> None:
    lengths = np.array([1, 2])
    sentence = f"batch_size must be at least 1, got {batch_size}"
    with pytest.raises(ValueError, match=sentence):
        bucketed(lengths, batch_size, np.random.default_rng(0))
    with pytest.raises(ValueError, match=sentence):
        by_length(lengths, batch_size)
