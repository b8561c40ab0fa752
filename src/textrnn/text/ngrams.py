"""Runs of neighbouring tokens as numbers: which n-grams a text holds.

An n-gram is known by 31 bits of a hash of its ids. Among a million n-grams, one in two thousand that was never seen is
taken for another. The native code (native/ngrams.cpp) computes the very same numbers.
"""

import numpy as np
from numpy.typing import NDArray

MULTIPLIER = 0x9E3779B97F4A7C15
"""2**64 divided by the golden ratio, odd: multiplicative hashing (Knuth, volume 3, section 6.4)."""
KEY_BITS = 31


def ngram_keys(
    ids: NDArray[np.int32], offsets: NDArray[np.int64], longest: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The key of every different n-gram of each text.

    Args:
        ids: the texts one after the other: text i is `ids[offsets[i]:offsets[i + 1]]`.
        offsets: [texts + 1]
        longest: tokens of the longest n-gram; shorter ones down to single tokens belong to it.

    Returns:
        (the keys of each text, ascending and different from each other, [n-grams]; where each text's begin and end,
        [texts + 1])
    """
    texts = len(offsets) - 1
    rows = np.repeat(np.arange(texts, dtype=np.uint64), np.diff(offsets))
    ids = ids[offsets[0] : offsets[-1]]
    found = []
    hashes = np.zeros(len(ids), dtype=np.uint64)
    for length in range(1, min(longest, len(ids)) + 1):
        last_ids = ids[length - 1 :].astype(np.uint64)
        # h of (a, ..., y, z) = (h of (a, ..., y) + z + 1) * M modulo 2**64; each stands where its n-gram begins.
        hashes = (hashes[: len(last_ids)] + last_ids + np.uint64(1)) * np.uint64(MULTIPLIER)
        first, last = rows[: len(hashes)], rows[length - 1 :]
        keys = (first << np.uint64(KEY_BITS)) | (hashes >> np.uint64(64 - KEY_BITS))
        found.append(keys[first == last])
    if not found:
        return np.empty(0, dtype=np.int32), np.zeros(texts + 1, dtype=np.int64)
    different = np.unique(np.concatenate(found))
    owners = (different >> np.uint64(KEY_BITS)).astype(np.int64)
    keys = (different & np.uint64(2**KEY_BITS - 1)).astype(np.int32)
    return keys, np.searchsorted(owners, np.arange(texts + 1))


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
