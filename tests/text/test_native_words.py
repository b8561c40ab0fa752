"""The native rule against the Python rule: every code point, drawn texts, real texts, hostile arguments."""

import copy
import ctypes
import pickle
import sys
import threading
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textrnn.config import TextConfig, VocabularyConfig
from textrnn.native import available_threads, library
from textrnn.text import TextEncoder, Vocabulary, words
from textrnn.text.native_counts import count_words
from textrnn.text.native_pages import PAGES, _composing, _page, functions
from textrnn.text.native_words import Flat, NativeWords
from textrnn.text.ngram_reader import NgramReader
from textrnn.text.ngrams import NgramRule
from texts import TEXTS, real_texts

pytestmark = pytest.mark.skipif(library() is None, reason="the native library was not built")

KEPT = ("head", "tail", "both")
CODE_POINTS = range(sys.maxunicode + 1)
SURROGATES = range(0xD800, 0xE000)


def encoder_of(texts: Sequence[str], *, max_length: int = 1_000_000, keep: str = "head") -> TextEncoder:
    """An encoder that knows every second token of the texts."""
    tokens = sorted({token for text in texts for token in words(text)} - {"<PAD>", "<UNK>"})
    return encoder_with(tokens[::2], max_length=max_length, keep=keep)


def encoder_with(tokens: Sequence[str], *, max_length: int = 1_000_000, keep: str = "head") -> TextEncoder:
    config = TextConfig(max_length=max_length, keep=keep)  # type: ignore[arg-type]
    encoder = TextEncoder(config, Vocabulary(["<PAD>", "<UNK>", *tokens]))
    assert encoder._native is not None
    return encoder


def texts_of(flat: Flat) -> list[list[int]]:
    return [flat.ids[a:b].tolist() for a, b in zip(flat.offsets[:-1], flat.offsets[1:], strict=True)]


def assert_same(encoder: TextEncoder, texts: Sequence[str], **options: int) -> None:
    found = encoder.encode_many(texts, **options)
    assert found.ids.dtype == np.int32 and found.offsets.dtype == np.int64 and found.offsets[-1] == len(found.ids)
    expected = [encoder.encode(text).tolist() for text in texts]
    for text, ours, theirs in zip(texts, texts_of(found), expected, strict=True):
        assert ours == theirs, (text[:200], ours[:50], theirs[:50])


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=8), st.integers(1, 12), st.sampled_from(KEPT), st.integers(1, 3))
@example(["ΑΣ ΑΣΑ Σ"], 9, "head", 1)
@example(["가 \u1100\u1161\u11a8 각"], 9, "head", 1)
@example(["a" + "\u0301" * 40, "a" + "\u0316\u0301" * 3, "=\u0338 =\u0316\u0338"], 9, "both", 1)
@example(["👩\u200d🚀 co\u00adop ❤\ufe0f İI Kelvin K"], 9, "tail", 2)
@example(["\ud83d\ude00 \udc00x", "<PAD> <UNK>"], 9, "tail", 2)
def test_drawn_texts(texts: list[str], max_length: int, keep: str, threads: int) -> None:
    assert_same(encoder_of(texts, max_length=max_length, keep=keep), texts, threads=threads)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["film", "a", "é", "e\u0301", "Σ", "=", "\u0338", " ", " ", " ", ".", "👍", "x" * 90])))
def test_long_texts_read_from_both_ends(parts: list[str]) -> None:
    text = "".join(part + " " * (index % 3 == 0) for index, part in enumerate(parts * 40))
    for keep in KEPT:
        for max_length in (1, 2, 7):
            assert_same(encoder_of([text], max_length=max_length, keep=keep), [text])


def in_contexts(codes: Sequence[int]) -> list[str]:
    """Each character alone, between letters, after a mark, and before a combining mark."""
    return [shape.format(chr(code)) for code in codes for shape in ("{}", "a{}b", "=\u0316{}É.", "x{}\u0301")]


def assert_same_characters(codes: Sequence[int]) -> None:
    texts = in_contexts(codes)
    vocabulary = sorted({token for text in texts for token in words(text) if token.isprintable()} - {"<PAD>", "<UNK>"})
    vocabulary = [token for token in vocabulary if not any(ord(sign) in SURROGATES for sign in token)]
    encoder = encoder_with(vocabulary)
    expected = [encoder.encode(text) for text in texts]
    found = encoder.encode_many(texts)
    np.testing.assert_array_equal(np.diff(found.offsets), [len(ids) for ids in expected])
    np.testing.assert_array_equal(found.ids, np.concatenate(expected))


def test_characters_that_change_in_normal_form_or_case_and_a_sample_of_all() -> None:
    changing = [
        code
        for code in range(0x3100)
        if not unicodedata.is_normalized("NFC", chr(code))
        or chr(code).lower() != chr(code)
        or chr(code) in _composing()
    ]
    assert_same_characters([*changing, *range(0, 0x3100, 7), *range(0, sys.maxunicode + 1, 997)])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(17))
def test_every_character(part: int) -> None:
    assert_same_characters(CODE_POINTS[part << 16 : (part + 1) << 16])


@pytest.mark.slow
def test_whatever_normal_form_c_composes_is_left_to_python() -> None:
    """Every canonical composition of the database, found the slow way; and the whole table is in lower case."""
    second = set()
    for code in CODE_POINTS:
        decomposition = unicodedata.decomposition(chr(code)).split()
        if len(decomposition) == 2 and not decomposition[0].startswith("<"):
            second.add(chr(int(decomposition[1], 16)))
    second |= {chr(code) for code in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}
    assert second <= _composing()


def test_pages_are_small_numbers_of_every_kind() -> None:
    entries = np.concatenate([_page(page) for page in (0, 1, 3, 0x20, 0xFE, 0x1F6)])
    assert set((entries >> 21 & 3).tolist()) == {0, 1, 2, 3}
    assert ((entries & 0x1FFFFF) <= sys.maxunicode).all()
    assert _page(PAGES - 1).shape == (256,)


@pytest.mark.parametrize("keep", KEPT)
@pytest.mark.parametrize("max_length", [1, 2, 5, 6])
def test_truncation_around_the_limit(keep: str, max_length: int) -> None:
    texts = [" ".join("abcdefgh"[:count]) for count in range(9)] + ["." * 3000, "a " * 3000, "é " * 3000 + "a" * 5000]
    assert_same(encoder_of(texts, max_length=max_length, keep=keep), texts)


def test_an_empty_vocabulary_and_no_texts() -> None:
    encoder = encoder_with([])
    assert texts_of(encoder.encode_many(["a b", "", "<PAD>"])) == [[1, 1], [], [1, 1, 1]]
    empty = encoder.encode_many([])
    assert empty.ids.tolist() == [] and empty.offsets.tolist() == [0]


def test_special_tokens_in_a_text_are_unknown() -> None:
    assert texts_of(encoder_with(["pad", "<", ">"]).encode_many(["<PAD>"])) == [[3, 2, 4]]


@pytest.mark.parametrize("length", [*range(1, 40), 63, 64, 65, 127, 128, 5000])
def test_tokens_of_any_length(length: int) -> None:
    token = ("abcdefghijklmnopqrstuvwxyz0123456789" * (length // 36 + 1))[:length]
    near = token[:-1] + "é"
    encoder = encoder_with([token, near, token[:-1] + "ź"])
    texts = [token, token.upper(), token + "a", token[1:], token[:-1] + "!", f"{near} {token}", "a" * 30 + f" {token}"]
    assert_same(encoder, texts)
    assert encoder.encode_many([token]).ids.tolist() == [2]


def test_tokens_that_no_text_has_do_no_harm() -> None:
    tokens = ["", " ", "Upper", "a b", "\ud800", "\x00", "é" * 3000, "good"]
    assert_same(encoder_with(tokens), ["good upper Upper a b \x00 \ud800 " + "é" * 3000])


def test_a_vocabulary_larger_than_any_cache() -> None:
    tokens = [f"w{number}" for number in range(200_000)]
    encoder = encoder_with(tokens)
    ids = encoder.encode_many([" ".join(tokens), "w w200000"])
    np.testing.assert_array_equal(ids.ids, [*range(2, 200_002), 1, 1])


@pytest.mark.data
@pytest.mark.parametrize("name", ["tweet_offensive", "20news_stripped", "th_wisesight", "imdb"])
def test_real_texts(data_folder: Path, name: str) -> None:
    texts = real_texts(data_folder, name, "test")[:4000]
    vocabulary = TextEncoder.build(texts[::2], TextConfig(), VocabularyConfig()).vocabulary
    for keep in KEPT:
        encoder = TextEncoder(TextConfig(max_length=60, keep=keep), vocabulary)  # type: ignore[arg-type]
        assert_same(encoder, texts, threads=2)
    assert_same(TextEncoder(TextConfig(max_length=1_000_000), vocabulary), texts)


def test_threads_change_nothing() -> None:
    texts = [f"text {number} has é and Σ and " * (number % 50) for number in range(1524)]
    encoder = encoder_of(texts[:60])
    one = encoder.encode_many(texts, threads=1)
    for threads in (2, 3, 64, 1000):
        other = encoder.encode_many(texts, threads=threads)
        assert (one.ids == other.ids).all() and (one.offsets == other.offsets).all()
    assert_same(encoder, texts)


def test_several_python_threads_at_once() -> None:
    texts = [chr(0x3000 + number * 37) * 3 + " word 👍" for number in range(800)]
    encoder = encoder_of(texts)
    expected = encoder.encode_many(texts).ids
    found: list[bool] = []

    def work() -> None:
        found.append(bool((encoder.encode_many(texts).ids == expected).all()))

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [True] * 8


def test_number_of_threads_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTRNN_NUM_THREADS", "3")
    assert available_threads() == 3
    for nonsense in ("0", "-1", "many", ""):
        monkeypatch.setenv("TEXTRNN_NUM_THREADS", nonsense)
        assert available_threads() >= 1


def test_bytes_in_one_buffer() -> None:
    texts = ["Größe!", "", "a b", "ΑΣ", "x" * 40]
    encoder = encoder_of(texts)
    assert encoder._native is not None
    data = "".join(texts).encode()
    offsets = np.cumsum([0, *(len(text.encode()) for text in texts)])
    for buffer in (data, bytearray(data), memoryview(data), np.frombuffer(data, np.uint8)):
        found = encoder._native.encode_bytes(buffer, offsets, head=99, tail=0, python=encoder.encode)
        assert texts_of(found) == texts_of(encoder.encode_many(texts))


@pytest.mark.parametrize(
    "damaged",
    [b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80"],
)
def test_bytes_that_are_no_utf_8_are_refused(damaged: bytes) -> None:
    encoder = encoder_with(["a"])
    assert encoder._native is not None
    for data in (damaged, b"some words before it " + damaged, damaged + b" and after it"):
        offsets = np.array([0, len(data)])
        with pytest.raises(UnicodeDecodeError):
            encoder._native.encode_bytes(data, offsets, head=99, tail=0, python=encoder.encode)


@pytest.mark.parametrize("offsets", [[], [0, 5], [-1, 2], [0, 3, 1], [2, 1], [[0, 1]]])
def test_offsets_outside_the_buffer_are_refused(offsets: list[int]) -> None:
    encoder = encoder_with(["a"])
    assert encoder._native is not None
    with pytest.raises(ValueError, match="offsets"):
        encoder._native.encode_bytes(b"abcd", np.array(offsets, np.int64), head=9, tail=0, python=encoder.encode)


def test_impossible_arguments_are_answered_not_obeyed() -> None:
    encoder = encoder_with(["a"])
    assert encoder._native is not None
    functions, handle = encoder._native._library, encoder._native._handle
    text = ctypes.create_string_buffer(b"a a a")
    pointers, sizes = np.array([ctypes.addressof(text)], np.uintp), np.array([5], np.int64)
    ids, lengths = np.full(8, -7, np.int32), np.zeros(1, np.int64)
    status, wanted = np.zeros(1, np.uint8), np.zeros(PAGES, np.uint8)

    def call(**changed: object) -> int:
        arguments = {
            "handle": handle,
            **{"texts": pointers.ctypes, "sizes": sizes.ctypes, "count": 1, "head": 9, "tail": 0, "threads": 1},
            **{"ids": ids.ctypes, "room": 8, "lengths": lengths.ctypes, "status": status.ctypes},
            "wanted": wanted.ctypes,
        }
        return int(functions.textrnn_words_encode(*(arguments | changed).values()))

    assert call() == 3 and ids[:4].tolist() == [2, 2, 2, -7]
    negative = np.array([-5], np.int64)
    impossible: list[Mapping[str, object]] = [
        *({name: None} for name in ("handle", "texts", "sizes", "ids", "lengths", "status", "wanted")),
        *({name: -1} for name in ("count", "head", "tail", "room")),
        *({"head": 2**62}, {"tail": 2**62}, {"room": 4}, {"sizes": negative.ctypes}),
        {"texts": np.zeros(1, np.uintp).ctypes},
    ]
    for changed in impossible:
        assert call(**changed) == -1, changed
    assert call(threads=-3) == 3 and call(threads=2**31 - 1) == 3 and call(head=0) == 0
    assert functions.textrnn_words_set_page(-1, _page(0).ctypes) == -1
    assert functions.textrnn_words_set_page(PAGES, _page(0).ctypes) == -1
    assert functions.textrnn_words_set_page(0, None) == -1
    falling = np.array([0, 3, 1], np.int64)
    assert functions.textrnn_words_new(b"abc", falling.ctypes, 2, 2, 0) is None
    assert functions.textrnn_words_new(None, np.array([0, 3], np.int64).ctypes, 1, 2, 0) is None
    assert functions.textrnn_words_new(b"abc", None, 1, 2, 0) is None
    assert functions.textrnn_words_new(b"abc", falling.ctypes, -1, 2, 0) is None
    functions.textrnn_words_free(None)


def test_copies_have_handles_of_their_own() -> None:
    encoder = encoder_with(["good", "é"])
    for twin in (copy.deepcopy(encoder), copy.copy(encoder), pickle.loads(pickle.dumps(encoder))):  # noqa: S301
        assert twin.encode_many(["good é x"]).ids.tolist() == [2, 3, 1]
    native = encoder._native
    assert native is not None and copy.deepcopy(native)._handle.value != native._handle.value


def test_what_is_no_list_of_strings_is_refused() -> None:
    encoder = encoder_with(["a"])
    with pytest.raises(TypeError, match="list of texts"):
        encoder.encode_many("a text")
    with pytest.raises(TypeError, match=r"texts\[1\]: expected a string, got int"):
        encoder.encode_many(["a", 1])  # type: ignore[list-item]


def test_without_the_library_and_for_other_rules_python_does_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["Good, good!", "", "b" * 9, "ΑΣ 你好 👍"]
    native = encoder_of(texts)
    portable = TextEncoder(native.config, native.vocabulary)
    monkeypatch.setattr(portable, "_native", None)
    assert texts_of(portable.encode_many(texts)) == texts_of(native.encode_many(texts))
    assert portable.encode_many([]).ids.dtype == np.int32
    for rule in ("whitespace", "characters"):
        other = TextEncoder(TextConfig(tokenizer=rule), native.vocabulary)
        assert other._native is None
        assert texts_of(other.encode_many(texts)) == [other.encode(text).tolist() for text in texts]


def test_no_library_is_an_os_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise OSError("the native library is not there")

    monkeypatch.setattr("textrnn.text.native_words.functions", missing)
    with pytest.raises(OSError, match="not there"):
        NativeWords(["<PAD>", "<UNK>", "a"])
    assert TextEncoder(TextConfig(), Vocabulary(["<PAD>", "<UNK>", "a"])).encode_many(["a b"]).ids.tolist() == [2, 1]


def test_processors_where_the_system_tells_no_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEXTRNN_NUM_THREADS", raising=False)
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 5)
    assert available_threads() == 5


class Exhausted:
    """A library on a machine without memory."""

    def textrnn_words_new(self, *arguments: object) -> None:
        return None

    def textrnn_words_encode(self, *arguments: object) -> int:
        return -2


def test_no_memory_is_said_and_no_handle_means_python(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = encoder_with(["a"])
    monkeypatch.setattr(encoder._native, "_library", Exhausted())
    with pytest.raises(MemoryError, match="ids"):
        encoder.encode_many(["a"])
    monkeypatch.setattr("textrnn.text.native_words.functions", Exhausted)
    assert TextEncoder(encoder.config, encoder.vocabulary).encode_many(["a b"]).ids.tolist() == [2, 1]


def test_no_python_runs_within_a_foreign_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an interrupt would become another error, which does not keep the best model."""

    def convert(self: object) -> NoReturn:
        raise AssertionError("an array is converted in the middle of a foreign call")

    monkeypatch.setattr(type(np.zeros(1).ctypes), "_as_parameter_", property(convert))
    with pytest.raises(ctypes.ArgumentError, match="middle of a foreign call"):
        functions().textrnn_words_set_page(0, _page(0).ctypes)
    texts = ["a good film", "Ångström", "ǅ Σς", "\u0e01\u0e33"]
    assert count_words(texts) == Counter(token for text in texts for token in words(text))
    assert_same(encoder_of(texts), texts)
    read = [NgramReader("words", NgramRule(2, 3), native=native).keys(texts) for native in (True, False)]
    assert np.array_equal(read[0].ids, read[1].ids) and np.array_equal(read[0].offsets, read[1].offsets)
