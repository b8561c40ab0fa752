"""Encoding against slices written out, and against the lesson's published ids."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textrnn.config import TextConfig, VocabularyConfig
from textrnn.text import TextEncoder, Vocabulary, truncate

LETTERS = list("abcdefghij")


@pytest.mark.parametrize(
    ("keep", "max_length", "kept"),
    [("head", 4, "abcd"), ("tail", 4, "ghij"), ("both", 4, "abij"), ("both", 5, "abcij"), ("both", 1, "a")],
)
def test_truncation(keep: str, max_length: int, kept: str) -> None:
    assert truncate(LETTERS, max_length, keep) == list(kept)


@given(st.lists(st.integers(), max_size=20).map(lambda ids: [str(i) for i in ids]), st.integers(1, 25))
def test_short_texts_are_whole_and_long_ones_have_max_length(tokens: list[str], max_length: int) -> None:
    for keep in ("head", "tail", "both"):
        kept = truncate(tokens, max_length, keep)
        assert len(kept) == min(len(tokens), max_length)
        if len(tokens) <= max_length:
            assert kept == tokens


def test_encode() -> None:
    encoder = TextEncoder(TextConfig(max_length=3, keep="head"), Vocabulary(["<PAD>", "<UNK>", "good", "!"]))
    ids = encoder.encode("Good grief! good")
    assert ids.dtype == np.int32 and ids.tolist() == [2, 1, 3]
    assert encoder.encode("").shape == (0,)


def test_vocabulary_counts_tokens_beyond_max_length() -> None:
    config = TextConfig(max_length=1, keep="head")
    encoder = TextEncoder.build(["a b b", "c b"], config, VocabularyConfig(min_count=1, max_size=3))
    assert encoder.vocabulary.tokens == ["<PAD>", "<UNK>", "b"]
