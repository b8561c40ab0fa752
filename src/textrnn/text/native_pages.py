"""Python's Unicode tables for the rule `words` in C++, handed over in pages when a text first needs one."""

import ctypes
import functools
import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.native import library
from textrnn.native.memory import pointer_to
from textrnn.text.tokenizer import replacement

PAGE = 256
PAGES = 0x1100
DONE, PYTHON, PAGE_WANTED = range(3)
"""What the native code says about a text."""

JOINS, CUTS, ALONE, VANISHES = range(4)
LEFT_TO_PYTHON = 1 << 23


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
        functions().textrnn_words_set_page(page, pointer_to(_page(page)))


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
