"""Runs of neighbouring tokens, and of characters within a token, as numbers: which n-grams a text holds.

An n-gram is known by 30 bits of a hash and one bit for its kind. Among a million n-grams, one in a thousand that was
never seen is taken for another. The native code (native/ngram_keys.h) computes the very same numbers.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MULTIPLIER = 0x9E3779B97F4A7C15
"""2**64 divided by the golden ratio, odd: multiplicative hashing (Knuth, volume 3, section 6.4)."""
SHIFT = 34
OF_CHARACTERS = 1 << 30
"""The bit of keys of characters' n-grams."""
BEGIN_OF_TOKEN, END_OF_TOKEN = 0x110000, 0x110001
"""Beyond all code points."""
_64_BITS = 2**64 - 1


class NgramRule(NamedTuple):
    """Which n-grams count."""

    tokens: int
    """Tokens of the longest n-gram, shorter ones down to single tokens belong to it; 0: none.

    Before the first token stands the beginning of the text, which is no n-gram on its own."""
    characters: int = 0
    """The same of the characters of one token, with its beginning and end; 0: none."""


def keys_of_tokens(tokens: Sequence[str], rule: NgramRule, *, begins: bool = True) -> NDArray[np.int32]:
    """The key of every different n-gram of a text, those of tokens first, in the order in which they appear. [n-grams]

    begins: whether the first token is the first one of the text.
    """
    hashes = list(map(hash_of, ["", *tokens] if begins else tokens))
    keys = dict.fromkeys(_runs(hashes, rule.tokens, marks=(0,) if begins else ()))
    for token in tokens if rule.characters else ():
        keys.update(dict.fromkeys(_keys_of_characters(token, rule.characters)))
    return np.fromiter(keys, np.int32, len(keys))


@functools.lru_cache(maxsize=1 << 16)
def hash_of(token: str) -> int:
    """FNV-1a (Fowler, Noll and Vo) of a token's UTF-8, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in token.encode("utf-8", "surrogatepass"):
        value = (value ^ byte) * 0x100000001B3 & _64_BITS
    return value


def places_of(keys: NDArray[np.int32], known: NDArray[np.int32]) -> NDArray[np.int64]:
    """Where each key stands among the known ones; -1: nowhere.

    Args:
        keys: [any number]
        known: ascending, [known]
    """
    if not len(known):
        return np.full(len(keys), -1, dtype=np.int64)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[places] == keys, places, -1)


@functools.lru_cache(maxsize=1 << 16)
def _keys_of_characters(token: str, longest: int) -> tuple[int, ...]:
    items = [BEGIN_OF_TOKEN, *map(ord, token), END_OF_TOKEN]
    return tuple(key | OF_CHARACTERS for key in _runs(items, longest, marks=(0, len(items) - 1)))


def _runs(items: Sequence[int], longest: int, marks: tuple[int, ...]) -> Iterator[int]:
    """Hashes of all runs of 1 to `longest` items, but for those of one item at a place in `marks`."""
    for first in range(len(items)):
        value = 0
        for last in range(first, min(first + longest, len(items))):
            value = (value + items[last] + 1) * MULTIPLIER & _64_BITS
            if last > first or first not in marks:
                yield value >> SHIFT


def numbered(keys: Iterable[NDArray[np.int32]]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The keys of many texts one after the other, and where each text's begin and end: [n-grams], [texts + 1]."""
    parts = [np.empty(0, np.int32), *keys]
    return np.concatenate(parts), np.cumsum([len(part) for part in parts])
