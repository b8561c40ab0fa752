"""fastText's character n-grams (Bojanowski et al. 2017, arXiv:1607.04606): which rows make up a word.

A word is put between < and >. Its n-grams of `shortest` to `longest` characters, the bare < and > left out, are hashed
(32-bit FNV-1a, each byte as a signed number, as fastText has done from its beginning) into `buckets` rows.
"""

END_OF_SENTENCE = b"</s>"
"""Has no n-grams."""


def hashed(ngram: bytes) -> int:
    """fastText's hash: FNV-1a, except that bytes from 128 on count as negative numbers of 32 bits."""
    value = 2166136261
    for byte in ngram:
        value ^= byte if byte < 128 else byte | 0xFFFFFF00
        value = value * 16777619 & 0xFFFFFFFF
    return value


def ngrams(word: bytes, shortest: int, longest: int) -> list[bytes]:
    """The n-grams of a word in UTF-8, in fastText's order; one that occurs twice stands twice."""
    if word == END_OF_SENTENCE or longest < 1:
        return []
    bracketed = b"<" + word + b">"
    # Continuation bytes are 10xxxxxx: characters begin at all others.
    starts = [place for place, byte in enumerate(bracketed) if byte & 0xC0 != 0x80]
    characters = len(starts)
    starts.append(len(bracketed))
    found = []
    for first in range(characters):
        for length in range(max(shortest, 1), min(longest, characters - first) + 1):
            if length > 1 or 0 < first < characters - 1:
                found.append(bracketed[starts[first] : starts[first + length]])
    return found


def buckets_of(word: bytes, shortest: int, longest: int, buckets: int) -> list[int]:
    """The bucket of each n-gram of a word."""
    return [hashed(ngram) % buckets for ngram in ngrams(word, shortest, longest)] if buckets else []
