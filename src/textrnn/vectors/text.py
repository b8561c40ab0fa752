"""Vectors as text, a word and its numbers a line: GloVe, and word2vec's and fastText's `.vec` with a header line.

The header, where there is one, has two numbers: how many words, and how many features. Words may hold spaces (some of
GloVe's do), so the features are counted from the end of a line.
"""

import re

import numpy as np
from numpy.typing import NDArray

from textrnn.vectors.rows import Wanted, WordVectors, gathered, refusal
from textrnn.vectors.source import MAX_LINE_BYTES, ByteSource

LARGEST_SIZE = 65_536
"""Of an embedding; see `ModelConfig.embedding_size`."""
_NUMBER = re.compile(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf|infinity)", re.IGNORECASE)


def header_of(line: bytes) -> tuple[int, int] | None:
    """Words and features that a first line announces; None where it is no header."""
    fields = line.split()
    if len(fields) == 2 and all(field.isdigit() and len(field) <= 18 for field in fields):
        return int(fields[0]), int(fields[1])
    return None


def looks_like_text(line: bytes) -> bool:
    """Whether a line ends in a number and holds no control characters: what floats of 4 bytes do not do."""
    last = line.rstrip().rpartition(b" ")[2].rpartition(b"\t")[2]
    return _NUMBER.fullmatch(last) is not None and not any(byte < 32 and byte not in b"\t\r" for byte in line)


def size_of(line: bytes) -> int:
    """Features of a line without a header before it: numbers at its end, but for the word at its beginning."""
    fields = _fields(line)
    size = 0
    while size < len(fields) - 1 and _NUMBER.fullmatch(fields[-1 - size]):
        size += 1
    return size


def read_text(source: ByteSource, wanted: Wanted, size: int, announced: int | None) -> WordVectors:
    """Read all lines, the header's excepted.

    Args:
        source: at the first line with a vector.
        wanted: which rows to keep.
        size: features of each vector.
        announced: number of vectors by the header; None without one.

    Raises:
        DataError: a line has another number of features, or a number is none; the message names the line.
    """
    if announced is not None:
        source.room_for(announced * 2 * size, f"{announced} words with {size} features")
    rows: dict[int, NDArray[np.float32]] = {}
    count, line_number = 0, 1 if announced is None else 2
    while not source.at_end():
        line = source.until(b"\n", MAX_LINE_BYTES, "a line")
        if line and not line.isspace():
            word = _word(source, line, size, line_number)
            if (index := wanted.place(word)) is not None:
                rows[index] = _row(source, line, size, line_number)
            count += 1
        elif not source.at_end():
            raise source.error("an empty line, expected a word and its vector", line_number)
        line_number += 1
    if announced is not None and count != announced:
        raise source.error(f"cut short or damaged: the first line announces {announced} words, found {count}")
    return gathered(wanted, rows, size, "text")


def _fields(line: bytes) -> list[bytes]:
    return line.replace(b"\t", b" ").strip(b" \r").split(b" ")


def _word(source: ByteSource, line: bytes, size: int, line_number: int) -> bytes:
    """The word of a line that has as many features as it must have."""
    fields = line.count(b" ") + line.count(b"\t")
    if fields == size and line[-1:] not in b" \t\r":  # nearly all lines: one space before each number
        return line.replace(b"\t", b" ", 1).partition(b" ")[0]
    found = _fields(line)
    more = found[1:-size]
    if len(found) <= size or (more and all(map(_NUMBER.fullmatch, more))):
        raise source.error(f"expected a word and {size} numbers, found {len(found) - 1} numbers", line_number)
    return b" ".join(found[: len(found) - size])


def _row(source: ByteSource, line: bytes, size: int, line_number: int) -> NDArray[np.float32]:
    numbers = _fields(line)[-size:]
    for number in numbers:
        if not _NUMBER.fullmatch(number):
            shown = number[:40].decode(errors="backslashreplace")
            raise source.error(f"expected a word and {size} numbers, found {shown!r} among them", line_number)
    row = np.array(list(map(float, numbers)))
    if reason := refusal(row):
        raise source.error(reason, line_number)
    return row.astype(np.float32)
