"""Where the UTF-8 of Python strings lies in memory, for native code to read.

CPython keeps a string of ASCII characters as its bytes, after a header: they are UTF-8 already and are read in place,
which costs a sixth of `str.encode`. Other strings are encoded into one buffer. Where a string is of which kind, its
size in memory tells: header + length + 1 bytes are taken by ASCII strings only, for every other kind has a longer
header. Whether this Python does so is tried out once; where it does not, all strings are encoded.
"""

import ctypes
import functools
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

CHUNK_CHARACTERS = 1 << 24
"""About so many characters go to the native code at once: room for as many ids is set aside."""


class Payloads(NamedTuple):
    """Addresses that hold as long as the strings and this object live."""

    pointers: NDArray[np.uintp]
    """[texts]"""
    sizes: NDArray[np.int64]
    """Bytes of each. [texts]"""
    buffer: NDArray[np.uint8]
    """Those that are not read in place, half surrogate pairs encoded as if they were characters."""

    @classmethod
    def of(cls, texts: Sequence[str], lengths: NDArray[np.int64]) -> Self:
        """The bytes of each text, of `lengths` characters. [texts]

        Raises:
            TypeError: something is not a string.
        """
        count = len(texts)
        sizes = lengths.copy()
        memory = np.fromiter(map(str.__sizeof__, texts), np.int64, count)
        pointers = np.fromiter(map(id, texts), np.uintp, count)
        header = ascii_header()
        pointers += np.uintp(header)
        elsewhere = np.flatnonzero(memory != header + sizes + 1) if header else np.arange(count)
        encoded = [texts[row].encode("utf-8", "surrogatepass") for row in elsewhere.tolist()]
        buffer = np.frombuffer(b"".join(encoded) or b"\0", np.uint8)
        ends = np.fromiter(accumulate(map(len, encoded)), np.int64, len(encoded))
        sizes[elsewhere] = np.diff(ends, prepend=0)
        pointers[elsewhere] = (ends - sizes[elsewhere] + buffer.ctypes.data).astype(np.uintp)
        return cls(pointers, sizes, buffer)


def chunks(texts: Iterable[str]) -> Iterator[tuple[Sequence[str], Payloads]]:
    """All texts, about CHUNK_CHARACTERS at a time, each time with their bytes.

    Raises:
        TypeError: something is not a string.
    """
    texts = list(texts)  # a list of ours: it keeps the strings alive while they are read in place
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    chunk_of = lengths.cumsum() // CHUNK_CHARACTERS
    starts = [0, *(np.flatnonzero(np.diff(chunk_of)) + 1).tolist()] if texts else []
    for start, end in zip(starts, [*starts[1:], len(texts)], strict=False):
        chunk = texts[start:end] if len(starts) > 1 else texts
        yield chunk, Payloads.of(chunk, lengths[start:end])


@functools.cache
def ascii_header() -> int:
    """Bytes before the characters of an ASCII string; 0 where strings cannot be read in place."""
    if sys.implementation.name != "cpython":
        return 0
    header = "".__sizeof__() - 1
    for text in ("", "a", "in place", "x" * 1000):
        if text.__sizeof__() != header + len(text) + 1 or ctypes.string_at(id(text) + header) != text.encode():
            return 0
    others = ("é", "éa", "aé" * 100, "你", "你a", "\U0001f44d", "a\U0001f44d", _Subclass("a"))
    return 0 if any(text.__sizeof__() <= header + len(text) + 1 for text in others) else header


class _Subclass(str):
    __slots__ = ()
