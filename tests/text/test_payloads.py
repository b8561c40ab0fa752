"""The bytes of strings, read in place or encoded, against `str.encode`."""

import ctypes
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textrnn.text import payloads
from textrnn.text.payloads import Payloads, ascii_header, chunks
from texts import TEXTS


class Subclass(str):
    __slots__ = ()


def contents(texts: Sequence[str]) -> list[bytes]:
    found = Payloads.of(texts, np.array([len(text) for text in texts], np.int64))
    places = zip(found.pointers.tolist(), found.sizes.tolist(), strict=True)
    return [ctypes.string_at(pointer, size) for pointer, size in places]


KINDS = ["", "a", "plain " * 50, "é", "Größe" * 9, "你好", "a👍b", "\ud800", "\x00", Subclass("sub"), Subclass("ü")]


@given(st.lists(TEXTS, max_size=6))
def test_drawn_texts(texts: list[str]) -> None:
    assert contents(texts) == [text.encode("utf-8", "surrogatepass") for text in texts]


@pytest.mark.parametrize("in_place", [True, False])
def test_strings_of_every_kind(in_place: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not in_place:
        monkeypatch.setattr(payloads, "ascii_header", lambda: 0)
    texts = [*KINDS, *(kind + "x" for kind in KINDS)]
    for text in texts[::2]:
        if "\ud800" not in text:
            ctypes.pythonapi.PyUnicode_AsUTF8(ctypes.py_object(text))  # keeps a copy, which the size in memory counts
    assert contents(texts) == [text.encode("utf-8", "surrogatepass") for text in texts]
    assert contents([]) == []


def test_ascii_strings_are_read_where_they_lie() -> None:
    text = "".join(["in", " place"])
    found = Payloads.of([text, "ö"], np.array([8, 1]))
    assert ascii_header() > 0 and found.pointers[0] == id(text) + ascii_header()
    assert found.buffer.tobytes() == "ö".encode()


def test_another_python_encodes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.implementation.name", "other")
    assert ascii_header.__wrapped__() == 0


def test_chunks_hold_all_texts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payloads, "CHUNK_CHARACTERS", 10)
    texts = ["abcd", "", "x" * 35, "é", "", "fgh" * 3, "z"]
    parts = list(chunks(texts))
    assert len(parts) > 2 and [text for part, _ in parts for text in part] == texts
    for part, found in parts:
        assert found.sizes.tolist() == [len(text.encode()) for text in part]
    assert list(chunks([])) == []


def test_what_is_no_string_is_refused() -> None:
    with pytest.raises(TypeError):
        list(chunks(["a", b"b"]))  # type: ignore[list-item]
