"""fastText's own model file, version 12: settings, dictionary, and the matrix with a row for each word and bucket.

A word's vector is the mean of its own row and those of its character n-grams; a word that is not in the dictionary has
the latter only. The matrix goes by in pieces and is added to the words that need it, so memory holds a vector a word of
our vocabulary. The output matrix, which follows, is not read.
"""

import struct
from typing import NamedTuple

import numpy as np

from textrnn.vectors.rows import Wanted, WordVectors, refusal
from textrnn.vectors.source import ByteSource
from textrnn.vectors.subwords import buckets_of
from textrnn.vectors.text import LARGEST_SIZE
from textrnn.vectors.word2vec import MAX_WORD_BYTES

MAGIC = struct.pack("<i", 793712314)
VERSION = 12
ROWS_AT_ONCE = 4096


class Head(NamedTuple):
    """What is needed of the settings and of the dictionary's sizes."""

    size: int
    buckets: int
    shortest: int
    longest: int
    entries: int
    words: int
    pruned: int


def read_head(source: ByteSource) -> Head:
    """The beginning of the file.

    Raises:
        DataError: of another version, cut short, or with sizes that cannot be.
    """
    _, version = struct.unpack("<2i", source.read(8, "fastText's version"))
    if version != VERSION:
        raise source.error(f"a fastText model of version {version}, expected version {VERSION}")
    settings = struct.unpack("<12id", source.read(56, "fastText's settings"))
    size, buckets, shortest, longest = settings[0], settings[8], settings[9], settings[10]
    entries, words, labels = struct.unpack("<3i", source.read(12, "fastText's dictionary"))
    _, pruned = struct.unpack("<2q", source.read(16, "fastText's dictionary"))
    if not (1 <= size <= LARGEST_SIZE and buckets >= 0 and shortest >= 0 and 0 <= longest <= 1000):
        raise source.error(f"damaged: a fastText model with {size} features, {buckets} buckets and {longest}-grams")
    if words < 0 or labels < 0 or words + labels != entries or pruned < -1:
        raise source.error(f"damaged: a dictionary of {entries} entries, {words} words and {labels} labels")
    return Head(size, buckets, shortest, longest, entries, words, pruned)


def read_fasttext(source: ByteSource, wanted: Wanted) -> WordVectors:
    """Read a model from its first byte to the end of its input matrix.

    Raises:
        DataError: the model is quantised, of another version, damaged or cut short, or holds NaN or infinity.
    """
    head = read_head(source)
    source.room_for(10 * head.entries, f"{head.entries} words")
    chosen: dict[int, tuple[bytes, int]] = {}
    for number in range(head.entries):
        word = source.until(b"\0", MAX_WORD_BYTES, "a word")
        is_label = source.read(9, "the dictionary")[8]
        if is_label != (number >= head.words):
            raise source.error("damaged: the labels of the dictionary do not follow its words")
        if not is_label and (index := wanted.place(word)) is not None:
            chosen[index] = word, number
    if head.pruned > 0 or source.read(1, "the mark of quantised models") != b"\0":
        raise source.error("a quantised fastText model, expected one that is not (its name often ends in .bin)")
    rows, features = struct.unpack("<2q", source.read(16, "the matrix"))
    if features != head.size or rows != head.words + head.buckets:
        raise source.error(
            f"damaged: a matrix of {rows} x {features}, expected {head.words + head.buckets} x {head.size}"
        )
    source.room_for(4 * rows * features, f"a matrix of {rows} x {features}")
    return _composed(source, wanted, head, chosen, rows)


def _composed(
    source: ByteSource, wanted: Wanted, head: Head, chosen: dict[int, tuple[bytes, int]], rows: int
) -> WordVectors:
    """The mean of the rows of each word of the vocabulary, `chosen` being those of the dictionary."""
    parts: list[list[int]] = [[], []]
    for index in range(2, wanted.count):
        word, number = chosen.get(index, (wanted.tokens[index].encode(), -1))
        buckets = buckets_of(word, head.shortest, head.longest, head.buckets) if head.pruned else []
        mine = [number] * (number >= 0) + [head.words + bucket for bucket in buckets]
        parts[0] += mine
        parts[1] += [index] * len(mine)
    sources, targets = np.array(parts[0], dtype=np.int64), np.array(parts[1], dtype=np.int64)
    order = np.argsort(sources, kind="stable")
    sources, targets = sources[order], targets[order]
    counts = np.bincount(targets, minlength=wanted.count)
    sums = np.zeros((wanted.count, head.size))
    for start in range(0, rows, ROWS_AT_ONCE):
        count = min(ROWS_AT_ONCE, rows - start)
        raw = source.read(4 * count * head.size, "the matrix")
        low, high = np.searchsorted(sources, [start, start + count])
        if low < high:
            piece = np.frombuffer(raw, "<f4").reshape(count, head.size)
            np.add.at(sums, targets[low:high], piece[sources[low:high] - start])
    table = (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)
    found = counts > 0
    for index in np.flatnonzero(found).tolist():
        if reason := refusal(table[index]):
            raise source.error(f"word {wanted.tokens[index]!r}: {reason}")
    composed = int(found.sum()) - len(chosen)
    return WordVectors(table, found, "fastText", composed=composed, unreadable=wanted.unreadable)
