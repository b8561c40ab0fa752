"""The bytes of a file, decompressed, one after the other, with a look ahead and the size where it is known."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from textrnn.data.streams import decompressed, opened
from textrnn.errors import DataError

MAX_LINE_BYTES = 1 << 22
"""65,536 numbers, the largest embedding, of 60 characters each."""


class ByteSource:
    """Reads forward only, so that compressed files are read like others; memory holds a chunk and what was asked for.

    Args:
        chunks: the bytes, piece by piece.
        path: for messages.
        size: of all bytes; None where compression hides it.
    """

    def __init__(self, chunks: Iterator[bytes], path: Path, size: int | None) -> None:
        self._chunks = chunks
        self._buffer = bytearray()
        self._start = 0
        """What of the buffer is read already: cutting it off each time would copy the rest each time."""
        self.path = path
        self.size = size
        self.position = 0

    def peek(self, count: int) -> bytes:
        """The next `count` bytes, fewer at the end; they stay to be read."""
        while len(self._buffer) - self._start < count:
            if self._start:
                del self._buffer[: self._start]
                self._start = 0
            if not (chunk := next(self._chunks, b"")):
                break  # pieces are never empty but at the end
            self._buffer += chunk
        return bytes(self._buffer[self._start : self._start + count])

    def read(self, count: int, what: str) -> bytes:
        """Exactly `count` bytes.

        Raises:
            DataError: the file ends before.
        """
        found = self.peek(count)
        if len(found) < count:
            raise self.error(f"cut short: expected {count} bytes of {what}, found {len(found)}")
        self._advance(count)
        return found

    def until(self, end: bytes, limit: int, what: str) -> bytes:
        """The bytes before the next `end` (one byte), which is read too; at the end of the file what is left.

        Raises:
            DataError: there are more than `limit` of them.
        """
        looked = 0
        while True:
            place = self._buffer.find(end, self._start + looked)
            if 0 <= place <= self._start + limit:
                found = bytes(self._buffer[self._start : place])
                self._advance(len(found) + 1)
                return found
            looked = len(self._buffer) - self._start
            if looked > limit:
                raise self.error(f"not a file of word vectors: {what} of more than {limit} bytes")
            if len(self.peek(looked + 1)) == looked:
                found = bytes(self._buffer[self._start :])
                self._advance(looked)
                return found

    def at_end(self) -> bool:
        """Whether everything is read."""
        return not self.peek(1)

    def room_for(self, count: int, what: str) -> None:
        """Refuse what a header announces where the file cannot hold it.

        Raises:
            DataError: fewer than `count` bytes are left.
        """
        if self.size is not None and count > self.size - self.position:
            raise self.error(
                f"cut short or damaged: {what} need {count} bytes, the file has {self.size - self.position} left"
            )

    def error(self, message: str, line: int | None = None) -> DataError:
        """An error that names the file."""
        return DataError(message, path=self.path, line=line)

    def _advance(self, count: int) -> None:
        self._start += count
        self.position += count


@contextmanager
def byte_source(path: str | Path) -> Iterator[ByteSource]:
    """The bytes of a file; gzip and zstd are decompressed on the way.

    Raises:
        DataError: there is no such file, it is a folder, a device or a pipe, or it cannot be read.
    """
    path = Path(path)
    with opened(path) as file:
        if not path.is_file():
            raise DataError("expected a regular file, found a device or a pipe", path=path)
        chunks = decompressed(file, path)
        first = next(chunks, b"")
        with path.open("rb") as raw:
            plain = raw.read(len(first[:8])) == first[:8]
        yield ByteSource(chain([first], chunks), path, path.stat().st_size if plain else None)
