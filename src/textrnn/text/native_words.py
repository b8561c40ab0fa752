"""The rule `words` and the vocabulary in C++: many texts to ids, identical to the Python rule.

A text that the native code cannot treat exactly as Python does comes back unread, and Python does it; see
native_pages.py.
"""

import ctypes
import os
import weakref
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textrnn.native import available_threads
from textrnn.native.memory import pointer_to
from textrnn.text.native_pages import DONE, PAGE_WANTED, PAGES, functions, set_pages
from textrnn.text.payloads import chunks
from textrnn.text.vocabulary import UNK_ID


class Flat(NamedTuple):
    """The ids of many texts, one after the other."""

    ids: NDArray[np.int32]
    """[tokens]"""
    offsets: NDArray[np.int64]
    """Where each text begins, and the end. [texts + 1]"""


class NativeWords:
    """A vocabulary inside the native library; its methods may be called from several threads at once."""

    def __init__(self, tokens: Sequence[str]) -> None:
        """`tokens` in the order of their ids, `<PAD>` and `<UNK>` first.

        Raises:
            OSError: there is no native library, or it cannot hold this vocabulary.
        """
        self._tokens = tokens
        self._library = functions()
        # Half a surrogate pair has no bytes; texts with one are left to Python. An empty entry keeps the ids in step.
        encoded = [token.encode("utf-8", "ignore") if _has_bytes(token) else b"" for token in tokens[UNK_ID + 1 :]]
        offsets = np.fromiter(accumulate(map(len, encoded), initial=0), np.int64, len(encoded) + 1)
        handle = self._library.textrnn_words_new(
            b"".join(encoded), pointer_to(offsets), len(encoded), UNK_ID + 1, int.from_bytes(os.urandom(8), "little")
        )
        if not handle:
            raise OSError("the native library cannot hold this vocabulary")
        self._handle = ctypes.c_void_p(handle)
        weakref.finalize(self, self._library.textrnn_words_free, self._handle)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies have a handle of their own: this one is an address."""
        return type(self), (self._tokens,)

    def encode(
        self,
        texts: Sequence[str],
        *,
        head: int,
        tail: int,
        python: Callable[[str], NDArray[np.int32]],
        threads: int | None = None,
    ) -> Flat:
        """The ids of each text.

        Args:
            texts: any strings.
            head, tail: tokens that are kept at the beginning and at the end of a text with more than head + tail.
            python: ids of one text by the Python rule, for texts that are left to it.
            threads: at most so many work; None: `available_threads()`. The ids do not depend on it.

        Raises:
            TypeError: something is not a string.
        """
        parts = []
        for chunk, payloads in chunks(texts):

            def by_python(row: int, chunk: Sequence[str] = chunk) -> NDArray[np.int32]:
                return python(chunk[row])

            parts.append(self._encode(payloads.pointers, payloads.sizes, (head, tail), by_python, threads))
        return concatenated(parts)

    def encode_one(self, text: str, *, head: int, tail: int) -> NDArray[np.int32] | None:
        """`encode` for a single text, where the preparations for many take longer than the encoding itself. [time]

        None if the text is left to Python, or a page of characters is missing: `encode` takes care of both.
        """
        data = text.encode("utf-8", "surrogatepass")
        ids = np.empty(min(len(data), head + tail), np.int32)
        pointer, size, count, status = (
            ctypes.c_char_p(data),
            ctypes.c_int64(len(data)),
            ctypes.c_int64(),
            ctypes.c_uint8(),
        )
        refer = ctypes.byref
        found = self._library.textrnn_words_encode(
            *(self._handle, refer(pointer), refer(size), 1, head, tail, 1),
            *(pointer_to(ids), len(ids), refer(count), refer(status), pointer_to(np.zeros(PAGES, np.uint8))),
        )
        return ids[:found] if found >= 0 and status.value == DONE else None

    def encode_bytes(
        self,
        data: bytes | bytearray | memoryview | NDArray[np.uint8],
        offsets: NDArray[np.int64],
        *,
        head: int,
        tail: int,
        python: Callable[[str], NDArray[np.int32]],
        threads: int | None = None,
    ) -> Flat:
        """The same for texts that are UTF-8 in one buffer: text i is `data[offsets[i]:offsets[i + 1]]`.

        Nothing is copied. The middle of a long text that is not kept may go unread, and so unchecked.

        Raises:
            ValueError: the offsets do not rise within the buffer.
            UnicodeDecodeError: what was read is not UTF-8.
        """
        buffer = np.frombuffer(data, np.uint8) if len(data) else np.empty(0, np.uint8)
        offsets = np.ascontiguousarray(offsets, np.int64)
        if offsets.ndim != 1 or not len(offsets) or offsets[0] < 0 or offsets[-1] > len(buffer):
            raise ValueError(f"offsets must rise from 0 to at most {len(buffer)}, the size of the buffer in bytes")
        if (offsets[1:] < offsets[:-1]).any():
            raise ValueError("offsets must not fall")

        def by_python(row: int) -> NDArray[np.int32]:
            return python(buffer[offsets[row] : offsets[row + 1]].tobytes().decode())

        pointers = (offsets[:-1] + buffer.ctypes.data).astype(np.uintp)
        return self._encode(pointers, np.diff(offsets), (head, tail), by_python, threads)

    def _encode(
        self,
        pointers: NDArray[np.uintp],
        sizes: NDArray[np.int64],
        kept: tuple[int, int],
        by_python: Callable[[int], NDArray[np.int32]],
        threads: int | None,
    ) -> Flat:
        threads = threads or available_threads()
        flat, status, wanted = self._call(pointers, sizes, kept, threads)
        if wanted.any():
            set_pages(wanted)
            again = np.flatnonzero(status == PAGE_WANTED)
            second, second_status, _ = self._call(pointers[again], sizes[again], kept, threads)
            status[again] = second_status
            flat = replaced(flat, again, np.split(second.ids, second.offsets[1:-1]))
        rows = np.flatnonzero(status != DONE)
        return replaced(flat, rows, [by_python(row) for row in rows.tolist()]) if len(rows) else flat

    def _call(
        self, pointers: NDArray[np.uintp], sizes: NDArray[np.int64], kept: tuple[int, int], threads: int
    ) -> tuple[Flat, NDArray[np.uint8], NDArray[np.uint8]]:
        """Ids, what became of each text [texts] and which pages are missing [PAGES]."""
        room = int(np.minimum(sizes, sum(kept)).sum())  # a token takes a byte at least
        ids = np.empty(room, np.int32)
        lengths = np.empty(len(sizes), np.int64)
        status = np.empty(len(sizes), np.uint8)
        wanted = np.zeros(PAGES, np.uint8)
        count = self._library.textrnn_words_encode(
            self._handle,
            *(pointer_to(pointers), pointer_to(sizes), len(sizes), *kept, threads),
            *(pointer_to(ids), room, pointer_to(lengths), pointer_to(status), pointer_to(wanted)),
        )
        if count < 0:
            raise MemoryError("there is no memory left for the ids")
        offsets = np.zeros(len(sizes) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return Flat(ids[:count], offsets), status, wanted


def replaced(flat: Flat, rows: NDArray[np.int64], texts: Sequence[NDArray[np.int32]]) -> Flat:
    """`flat` with the ids of the texts at `rows`, which were empty in it."""
    ids, offsets = flat
    pieces: list[NDArray[np.int32]] = []
    done = 0
    for row, text in zip(rows.tolist(), texts, strict=True):
        pieces += [ids[done : offsets[row]], text]
        done = offsets[row]
    lengths = np.diff(offsets)
    lengths[rows] = [len(text) for text in texts]
    return Flat(np.concatenate([*pieces, ids[done:]]), np.concatenate([[0], np.cumsum(lengths)]))


def concatenated(parts: Sequence[Flat]) -> Flat:
    if len(parts) == 1:
        return parts[0]
    ids = np.concatenate([part.ids for part in parts]) if parts else np.empty(0, np.int32)
    lengths = [np.diff(part.offsets) for part in parts]
    return Flat(ids, np.concatenate([np.zeros(1, np.int64), *lengths]).cumsum())


def _has_bytes(token: str) -> bool:
    try:
        token.encode()
    except UnicodeEncodeError:
        return False
    return True
