"""Flat ids against explicit loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from textrnn.data import EncodedTexts
from textrnn.data.ragged import PAD_ID
from textrnn.text import PAD_ID as PAD_ID_OF_TEXT

RAGGED = st.lists(st.lists(st.integers(1, 2**31 - 1), max_size=12), min_size=1, max_size=20)


def encoded(texts: list[list[int]]) -> EncodedTexts:
    return EncodedTexts.from_ids(np.array(ids, dtype=np.int32) for ids in texts)


def positions(*values: int) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


@given(RAGGED, st.data())
def test_a_batch_is_its_texts_padded(texts: list[list[int]], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=8))
    targets = np.arange(len(texts), dtype=np.int64) * 10
    batch = encoded(texts).batch(np.array(chosen, dtype=np.int64), targets)
    longest = max([1, *(len(texts[index]) for index in chosen)])
    time = longest + data.draw(st.integers(0, 3))
    expected = [texts[index] + [0] * (time - len(texts[index])) for index in chosen]
    padded = batch.padded(time)
    assert padded.dtype == np.int64
    assert padded.shape == (len(chosen), time)
    assert padded.tolist() == expected
    assert batch.padded().shape == (len(chosen), longest)
    assert batch.ids.dtype == np.int32
    assert batch.ids.tolist() == [number for index in chosen for number in texts[index]]
    assert batch.lengths.tolist() == [len(texts[index]) for index in chosen]
    assert batch.targets is not None
    assert batch.targets.tolist() == [10 * index for index in chosen]
    assert batch.indices.tolist() == chosen
    assert batch.size == len(chosen)
    assert batch.tokens == sum(len(texts[index]) for index in chosen)


@given(RAGGED)
def test_texts_come_back(texts: list[list[int]]) -> None:
    found = encoded(texts)
    assert len(found) == len(texts)
    assert [found[index].tolist() for index in range(len(found))] == texts
    assert found[-1].tolist() == texts[-1]
    assert found.lengths.tolist() == [len(ids) for ids in texts]


def test_padding_is_the_vocabulary_s() -> None:
    assert PAD_ID == PAD_ID_OF_TEXT


def test_only_empty_texts_still_take_a_step() -> None:
    batch = encoded([[], []]).batch(positions(1, 0))
    assert batch.targets is None
    assert batch.padded().tolist() == [[0], [0]]


def test_refused() -> None:
    texts = encoded([[1, 2, 3], [4]])
    with pytest.raises(ValueError, match="time must be at least 3, the longest text's length, got 2"):
        texts.batch(positions(0, 1)).padded(2)
    with pytest.raises(ValueError, match="time must be at least 1, the longest text's length, got 0"):
        texts.batch(positions()).padded(0)
    with pytest.raises(IndexError, match="text 2 of 2"):
        texts[2]
    with pytest.raises(ValueError, match="offsets must rise from 0 to 2"):
        EncodedTexts(np.array([1, 2], dtype=np.int32), positions(0, 2, 1, 2))
    with pytest.raises(TypeError):
        EncodedTexts.from_ids([np.array([0.5])])
