"""How often each token of the rule `words` occurs, counted in C++: what `Counter` over the Python rule says."""

import ctypes
import os
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from textrnn.native.memory import pointer_to
from textrnn.text.native_pages import DONE, PAGE_WANTED, PAGES, functions, set_pages
from textrnn.text.payloads import Payloads, chunks
from textrnn.text.tokenizer import words


def count_words(texts: Iterable[str]) -> dict[str, int]:
    """Occurrences of each token of all texts, in the order of first appearance.

    On one thread, for the order is that of the texts.

    Raises:
        OSError: there is no native library, or it cannot hold these tokens.
        TypeError: something is not a string.
    """
    library = functions()
    handle = ctypes.c_void_p(library.textrnn_words_counter_new(int.from_bytes(os.urandom(8), "little")))
    if not handle:
        raise MemoryError("there is no memory left to count tokens")
    try:
        for chunk, payloads in chunks(texts):
            _count(library, handle, chunk, payloads)
        return _counts(library, handle)
    finally:
        library.textrnn_words_counter_free(handle)


def _count(library: Any, handle: ctypes.c_void_p, texts: Sequence[str], payloads: Payloads) -> None:
    status = ctypes.c_uint8(DONE)
    wanted = np.zeros(PAGES, np.uint8)
    done = 0
    while done < len(texts):
        pointers, sizes = payloads.pointers[done:], payloads.sizes[done:]
        done += _checked(
            library.textrnn_words_count(
                *(handle, pointer_to(pointers), pointer_to(sizes), len(sizes)),
                *(ctypes.byref(status), pointer_to(wanted)),
            )
        )
        if status.value == PAGE_WANTED:
            set_pages(wanted)
            wanted[:] = 0
        elif status.value != DONE:
            encoded = [token.encode("utf-8", "surrogatepass") for token in words(texts[done])]
            offsets = np.fromiter(accumulate(map(len, encoded), initial=0), np.int64, len(encoded) + 1)
            _checked(library.textrnn_words_count_tokens(handle, b"".join(encoded), pointer_to(offsets), len(encoded)))
            done += 1


def _checked(result: int) -> int:
    if result == -3:
        raise OSError("the native library cannot hold these tokens")
    if result < 0:
        raise MemoryError("there is no memory left to count tokens")
    return result


def _counts(library: Any, handle: ctypes.c_void_p) -> dict[str, int]:
    size = ctypes.c_int64()
    different = library.textrnn_words_counts(handle, ctypes.byref(size), None, None, None)
    tokens = ctypes.create_string_buffer(size.value + 1)
    ends = np.zeros(different + 1, np.int64)
    counts = np.empty(different, np.int64)
    library.textrnn_words_counts(handle, None, tokens, pointer_to(ends[1:]), pointer_to(counts))
    data = tokens.raw
    found = (data[begin:end].decode("utf-8", "surrogatepass") for begin, end in pairwise(ends.tolist()))
    return dict(zip(found, counts.tolist(), strict=True))
