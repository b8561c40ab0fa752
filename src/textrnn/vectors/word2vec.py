"""word2vec's binary format: a header line with two numbers, then word, space and 32-bit little-endian floats.

The original writes a line feed after each vector, other writers do not; no word begins with one.
"""

import numpy as np
from numpy.typing import NDArray

from textrnn.vectors.rows import Wanted, WordVectors, gathered, refusal
from textrnn.vectors.source import ByteSource

MAX_WORD_BYTES = 65_536


def read_word2vec(source: ByteSource, wanted: Wanted, size: int, announced: int) -> WordVectors:
    """Read all vectors.

    Args:
        source: after the header line.
        wanted: which rows to keep.
        size, announced: features and number of vectors by the header.

    Raises:
        DataError: the file is cut short, longer than announced, or a vector holds NaN or infinity.
    """
    source.room_for(announced * (4 * size + 2), f"{announced} words with {size} features")
    rows: dict[int, NDArray[np.float32]] = {}
    for number in range(1, announced + 1):
        if source.at_end():
            raise source.error(f"cut short: the header announces {announced} words, found {number - 1}")
        word = source.until(b" ", MAX_WORD_BYTES, "a word").lstrip(b"\n")
        raw = source.read(4 * size, f"vector {number}")
        if (index := wanted.place(word)) is not None:
            row = np.frombuffer(raw, "<f4")
            if reason := refusal(row):
                raise source.error(f"word {number}: {reason}")
            rows[index] = row
    if source.peek(2) not in (b"", b"\n"):
        raise source.error(f"damaged: the header announces {announced} words, after which more bytes follow")
    return gathered(wanted, rows, size, "word2vec")
