"""The rule `words` and the vocabulary in C++: many texts to ids, identical to the Python rule.

The Unicode tables are this Python's own, handed over in pages of 256 code points when a text first needs one. A text
that the native code cannot treat exactly as Python does comes back unread, and Python does it; see `_page`.
"""

import ctypes
import functools
import os
import unicodedata
import weakref
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textrnn.native import available_threads, library
from textrnn.text.payloads import chunks
from textrnn.text.tokenizer import replacement
from textrnn.text.vocabulary import UNK_ID

PAGE = 256
PAGES = 0x1100
DONE, PYTHON, PAGE_WANTED = range(3)
"""What the native code says about a text."""

JOINS, CUTS, ALONE, VANISHES = range(4)
LEFT_TO_PYTHON = 1 << 23


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
            b"".join(encoded), offsets.ctypes, len(encoded), UNK_ID + 1, int.from_bytes(os.urandom(8), "little")
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
        return _concatenated(parts)

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
            *(ids.ctypes, len(ids), refer(count), refer(status), np.zeros(PAGES, np.uint8).ctypes),
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
            flat = _replaced(flat, again, np.split(second.ids, second.offsets[1:-1]))
        rows = np.flatnonzero(status != DONE)
        return _replaced(flat, rows, [by_python(row) for row in rows.tolist()]) if len(rows) else flat

    def _call(
        self, pointers: NDArray[np.uintp], sizes: NDArray[np.int64], kept: tuple[int, int], threads: int
    ) -> tuple[Flat, NDArray[np.uint8], NDArray[np.uint8]]:
        """Ids, what became of each text [texts] and which pages are missing [PAGES]."""
        room = int(np.minimum(sizes, sum(kept)).sum())  # a token takes a byte at least
        ids = np.empty(room, np.int32)
        lengths = np.empty(len(sizes), np.int64)
        status = np.empty(len(sizes), np.uint8)
        wanted = np.zeros(PAGES, np.uint8)
        # `array.ctypes` keeps the array alive during the call, an address would not.
        count = self._library.textrnn_words_encode(
            self._handle,
            *(pointers.ctypes, sizes.ctypes, len(sizes), *kept, threads),
            *(ids.ctypes, room, lengths.ctypes, status.ctypes, wanted.ctypes),
        )
        if count < 0:
            raise MemoryError("there is no memory left for the ids")
        offsets = np.zeros(len(sizes) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return Flat(ids[:count], offsets), status, wanted


@functools.cache
def functions() -> Any:
    """The native library with the types of its functions.

    Raises:
        OSError: there is none.
    """
    found = library()
    if found is None:
        raise OSError("the native library is not there")
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    found.textrnn_words_new.argtypes = [ctypes.c_char_p, pointer, size, ctypes.c_int32, ctypes.c_uint64]
    found.textrnn_words_new.restype = pointer
    found.textrnn_words_free.argtypes = [pointer]
    found.textrnn_words_free.restype = None
    found.textrnn_words_set_page.argtypes = [ctypes.c_int32, pointer]
    found.textrnn_words_set_page.restype = ctypes.c_int32
    found.textrnn_words_encode.argtypes = [
        *(pointer, pointer, pointer, size, size, size, ctypes.c_int32),
        *(pointer, size, pointer, pointer, pointer),
    ]
    found.textrnn_words_encode.restype = size
    found.textrnn_words_counter_new.argtypes = [ctypes.c_uint64]
    found.textrnn_words_counter_new.restype = pointer
    found.textrnn_words_counter_free.argtypes = [pointer]
    found.textrnn_words_counter_free.restype = None
    found.textrnn_words_count.argtypes = [pointer, pointer, pointer, size, pointer, pointer]
    found.textrnn_words_count.restype = size
    found.textrnn_words_count_tokens.argtypes = [pointer, ctypes.c_char_p, pointer, size]
    found.textrnn_words_count_tokens.restype = size
    found.textrnn_words_counts.argtypes = [pointer] * 5
    found.textrnn_words_counts.restype = size
    return found


def set_pages(wanted: NDArray[np.uint8]) -> None:
    """Hands over the pages that are not 0 in `wanted`. [PAGES]"""
    for page in np.flatnonzero(wanted).tolist():
        functions().textrnn_words_set_page(page, _page(page).ctypes)


def _page(page: int) -> NDArray[np.uint32]:
    """What `words` does with each of 256 code points. [PAGE]

    Bits 0 to 20 are the lower-case code point, 21 and 22 what it does, 24 to 31 its combining class. Bit 23 says that
    Python must do the text, because the character is not all that counts: normal form C may change it or compose it
    with the one before, its lower case has several characters or depends on its neighbours (final sigma), or it is
    half a surrogate pair.
    """
    return np.array([_entry(chr(code)) for code in range(page * PAGE, (page + 1) * PAGE)], dtype=np.uint32)


def _entry(character: str) -> int:
    small = character.lower()
    if (
        len(small) != 1
        or character == "Σ"
        or "\ud800" <= character <= "\udfff"
        or not unicodedata.is_normalized("NFC", character)
        or character in _composing()
    ):
        return LEFT_TO_PYTHON
    becomes = replacement(ord(small))
    if not becomes:
        does = VANISHES
    elif not becomes.split():
        does = CUTS
    else:
        does = JOINS if becomes == small else ALONE
    return ord(small) | does << 21 | unicodedata.combining(character) << 24


@functools.cache
def _composing() -> frozenset[str]:
    """Every character that normal form C may compose with one before it, and some more.

    They are those that stand second or later in a canonical decomposition. All decompositions are below U+20000 but
    for Han characters, which become one other character; the first 588 Hangul syllables hold every jamo.
    """
    ranges = [(0xC0, 0xAC00 + 588), (0xF900, 0x20000)]
    codes = np.concatenate([np.arange(*ends, dtype="<u4") for ends in ranges])
    with_breaks = np.full((len(codes), 2), ord("\n"), dtype="<u4")
    with_breaks[:, 0] = codes
    decomposed = unicodedata.normalize("NFD", with_breaks.tobytes().decode("utf-32-le"))
    found = np.frombuffer(decomposed.encode("utf-32-le"), dtype="<u4")
    later = found[1:][(found[1:] != ord("\n")) & (found[:-1] != ord("\n"))]
    return frozenset(map(chr, set(later.tolist())))


def _replaced(flat: Flat, rows: NDArray[np.int64], texts: Sequence[NDArray[np.int32]]) -> Flat:
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


def _concatenated(parts: Sequence[Flat]) -> Flat:
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
