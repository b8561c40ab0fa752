"""Which format a file of word vectors has, and what it holds for a vocabulary."""

from collections.abc import Sequence
from pathlib import Path

from textrnn.vectors.fasttext import MAGIC, read_fasttext, read_head
from textrnn.vectors.rows import Wanted, WordVectors
from textrnn.vectors.source import MAX_LINE_BYTES, ByteSource, byte_source
from textrnn.vectors.text import LARGEST_SIZE, header_of, looks_like_text, read_text, size_of
from textrnn.vectors.word2vec import read_word2vec


def vector_size(path: str | Path) -> int:
    """Features of the vectors in a file; reads its beginning only.

    Raises:
        DataError: see `read_vectors`.
    """
    with byte_source(path) as source:
        if source.peek(len(MAGIC)) == MAGIC:
            return read_head(source).size
        return _head(source)[0]


def read_vectors(path: str | Path, tokens: Sequence[str]) -> WordVectors:
    """The vectors of a vocabulary's words.

    Recognised by their content, also compressed by gzip or zstd: GloVe's text, word2vec's and fastText's text with a
    header line, word2vec's binary format, fastText's models. The file is read once from its beginning to its end, and
    only the rows of the vocabulary are kept.

    Args:
        path: a file.
        tokens: in the order of their ids, `<PAD>` and `<UNK>` first; these get no vector.

    Raises:
        DataError: there is no such file, or it is damaged, cut short, a quantised fastText model, or something else.
        MissingDependencyError: the file is compressed by zstd and the library zstandard is not installed.
    """
    wanted = Wanted(tokens)
    with byte_source(path) as source:
        if source.peek(len(MAGIC)) == MAGIC:
            return read_fasttext(source, wanted)
        size, announced = _head(source)
        if announced is None:
            return read_text(source, wanted, size, None)
        source.until(b"\n", MAX_LINE_BYTES, "the first line")
        is_text = looks_like_text(_first_line(source))
        return (read_text if is_text else read_word2vec)(source, wanted, size, announced)


def _head(source: ByteSource) -> tuple[int, int | None]:
    """Features, and the number of words where a header announces it."""
    line = _first_line(source)
    if (announced := header_of(line)) is not None:
        words, size = announced
        if not 1 <= size <= LARGEST_SIZE or not words:
            raise source.error(
                f"the first line announces {words} words with {size} features, expected 1 to {LARGEST_SIZE} features"
            )
        return size, words
    if not line:
        raise source.error("not a file of word vectors: it is empty")
    size = size_of(line) if looks_like_text(line) else 0
    if not 1 <= size <= LARGEST_SIZE:
        raise source.error(
            "not a file of word vectors: expected a word and its numbers in the first line, or fastText's binary model",
        )
    return size, None


def _first_line(source: ByteSource) -> bytes:
    """The next line, which stays to be read; at most as long as a line may be."""
    count = 1 << 16
    while True:
        beginning = source.peek(count)
        line, end, _ = beginning.partition(b"\n")
        if end or len(beginning) < count or count >= MAX_LINE_BYTES:
            return line
        count *= 2
