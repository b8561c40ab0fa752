"""Counting in C++ against `Counter` over the Python rule: the same tokens, counts and order."""

import ctypes
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textrnn.config import TextConfig, VocabularyConfig
from textrnn.native import library
from textrnn.text import TextEncoder, Vocabulary, payloads, words
from textrnn.text.native_counts import count_words
from textrnn.text.native_pages import PAGES, functions
from texts import TEXTS, real_texts

pytestmark = pytest.mark.skipif(library() is None, reason="the native library was not built")


def assert_same_counts(texts: Sequence[str]) -> None:
    expected: Counter[str] = Counter()
    for text in texts:
        expected.update(words(text))
    assert list(count_words(texts).items()) == list(expected.items())
    for limits in (VocabularyConfig(), VocabularyConfig(min_count=2, max_size=9)):
        built = TextEncoder.build(iter(texts), TextConfig(), limits).vocabulary
        by_rule = Vocabulary.build(map(words, texts), max_size=limits.max_size, min_count=limits.min_count)
        assert built.tokens == by_rule.tokens


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=8))
@example(["b a b", "ΑΣ a Σ", "\ud800 z \ud800", "<PAD> z", "e\u0301 é", "k K \u212a"])
def test_drawn_texts(texts: list[str]) -> None:
    assert_same_counts(texts)


@pytest.mark.parametrize("different", [0, 1, 10, 11, 12, 20_000])
def test_tables_that_grow(different: int) -> None:
    order = np.random.default_rng(different).integers(0, max(different, 1), 3 * different).tolist()
    assert_same_counts([" ".join(f"w{number}{'x' * (number % 30)}" for number in order)])


def test_several_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payloads, "CHUNK_CHARACTERS", 40)
    texts = [f"number {number % 7} é ΑΣ " * (number % 5) for number in range(200)]
    assert len(list(payloads.chunks(texts))) > 50
    assert_same_counts(texts)


@pytest.mark.data
@pytest.mark.parametrize("name", ["tweet_offensive", "20news_stripped", "th_wisesight", "imdb"])
def test_real_texts(data_folder: Path, name: str) -> None:
    assert_same_counts(real_texts(data_folder, name, "train")[:8000])


def test_what_is_no_string_is_refused() -> None:
    with pytest.raises(TypeError):
        count_words(["a", 1])  # type: ignore[list-item]


def test_impossible_arguments_are_answered_not_obeyed() -> None:
    native = functions()
    status, wanted = ctypes.c_uint8(), np.zeros(PAGES, np.uint8)
    handle = ctypes.c_void_p(native.textrnn_words_counter_new(1))
    size = np.array([-1], np.int64)
    arguments = (np.zeros(1, np.uintp).ctypes, size.ctypes, 1, ctypes.byref(status), wanted.ctypes)
    assert native.textrnn_words_count(None, *arguments) == -1
    assert native.textrnn_words_count(handle, *arguments) == -1
    size[0] = 5  # of a text at NULL
    assert native.textrnn_words_count(handle, *arguments) == -1
    assert native.textrnn_words_count(handle, None, None, 1, ctypes.byref(status), wanted.ctypes) == -1
    falling, empty = np.array([0, 3, 1], np.int64), np.array([0, 0], np.int64)
    assert native.textrnn_words_count_tokens(handle, b"abc", falling.ctypes, 2) == -1
    assert native.textrnn_words_count_tokens(handle, b"", empty.ctypes, 1) == -1
    assert native.textrnn_words_counts(None, None, None, None, None) == -1
    assert native.textrnn_words_counts(handle, None, None, None, None) == 0
    native.textrnn_words_counter_free(handle)
    native.textrnn_words_counter_free(None)


class Failing:
    """A library that cannot count."""

    def __init__(self, answer: int) -> None:
        self.answer = answer

    def textrnn_words_counter_new(self, seed: int) -> int:
        return 1

    def textrnn_words_counter_free(self, handle: object) -> None: ...

    def textrnn_words_count(self, *arguments: object) -> int:
        return self.answer


def test_tokens_that_collide_are_left_to_python_and_no_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textrnn.text.native_counts.functions", lambda: Failing(-3))
    built = TextEncoder.build(["b a b"], TextConfig(), VocabularyConfig(min_count=1)).vocabulary
    assert built.tokens == ["<PAD>", "<UNK>", "b", "a"]
    monkeypatch.setattr("textrnn.text.native_counts.functions", lambda: Failing(-2))
    with pytest.raises(MemoryError):
        count_words(["a"])
