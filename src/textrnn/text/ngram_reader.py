"""The n-grams of many texts, by native code where it was built."""

import ctypes
from collections.abc import Sequence
from itertools import accumulate, chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.native import available_threads, library
from textrnn.native.memory import pointer_to
from textrnn.text.native_pages import DONE, PAGE_WANTED, PAGES, set_pages
from textrnn.text.native_words import Flat, concatenated, replaced
from textrnn.text.ngrams import NgramRule, keys_of_tokens, numbered
from textrnn.text.payloads import chunks
from textrnn.text.tokenizer import TOKENIZERS


class NgramReader:
    """From texts to the keys of their n-grams. Nothing is cut off, however long a text is."""

    def __init__(self, tokenizer: str, rule: NgramRule, *, native: bool = True) -> None:
        """`tokenizer`: its name; `native`: whether native code may do it."""
        self.rule = rule
        self._by_words = tokenizer == "words"
        self._tokenize = TOKENIZERS[tokenizer]
        self._kernels = library() if native else None

    def keys(self, texts: Sequence[str]) -> Flat:
        """The different n-grams of each text, as `keys_of_tokens` has them, one text after the other."""
        if self._kernels is None:
            return Flat(*numbered(keys_of_tokens(self._tokenize(text), self.rule) for text in texts))
        if not self._by_words:
            return self._of_tokens([self._tokenize(text) for text in texts])
        parts = []
        for chunk, payloads in chunks(texts):
            flat, status, wanted = self._of_texts(payloads.pointers, payloads.sizes)
            if wanted.any():
                set_pages(wanted)
                again = np.flatnonzero(status == PAGE_WANTED)
                second, second_status, _ = self._of_texts(payloads.pointers[again], payloads.sizes[again])
                status[again] = second_status
                flat = replaced(flat, again, np.split(second.ids, second.offsets[1:-1]))
            if len(rows := np.flatnonzero(status != DONE)):
                left = self._of_tokens([self._tokenize(chunk[row]) for row in rows.tolist()])
                flat = replaced(flat, rows, np.split(left.ids, left.offsets[1:-1]))
            parts.append(flat)
        return concatenated(parts)

    def _of_texts(
        self, pointers: NDArray[np.uintp], sizes: NDArray[np.int64]
    ) -> tuple[Flat, NDArray[np.uint8], NDArray[np.uint8]]:
        """Keys, what became of each text [texts] and which pages are missing [PAGES]; see native_words.py."""
        lengths, status = np.zeros(len(sizes), np.int64), np.zeros(len(sizes), np.uint8)
        wanted = np.zeros(PAGES, np.uint8)
        flat = self._taken(
            lengths,
            "textrnn_ngrams_of_texts",
            *(pointer_to(pointers), pointer_to(sizes), len(sizes), *self.rule, available_threads()),
            *(pointer_to(lengths), pointer_to(status), pointer_to(wanted)),
        )
        return flat, status, wanted

    def _of_tokens(self, texts: Sequence[Sequence[str]]) -> Flat:
        encoded = [token.encode("utf-8", "surrogatepass") for token in chain.from_iterable(texts)]
        ends = np.fromiter(accumulate(map(len, encoded)), np.uint32, len(encoded))
        counts = np.fromiter(map(len, texts), np.int64, len(texts))
        lengths = np.zeros(len(texts), np.int64)
        return self._taken(
            lengths,
            "textrnn_ngrams_of_tokens",
            *(b"".join(encoded), pointer_to(ends), pointer_to(counts), len(texts), *self.rule, pointer_to(lengths)),
        )

    def _taken(self, lengths: NDArray[np.int64], function: str, *arguments: Any) -> Flat:
        handle = ctypes.c_void_p()
        count = getattr(self._kernels, function)(*arguments, ctypes.byref(handle))
        if count < 0:
            raise MemoryError("there is no memory left for the n-grams")
        keys = np.empty(count, np.int32)
        self._kernels.textrnn_ngrams_take(handle, pointer_to(keys))  # type: ignore[union-attr]
        return Flat(keys, np.concatenate([np.zeros(1, np.int64), lengths.cumsum()]))
