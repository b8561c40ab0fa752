"""Bytes from a path, standard input or an open file, decompressed piece by piece."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

from textrnn.errors import DataError
from textrnn.files import require

CHUNK_BYTES = 1 << 18
# A zstd block of 4 bytes can stand for 128 KiB, and the library offers no limit on what one call returns:
# this many bytes at a time keep even a decompression bomb below 128 MiB.
ZSTD_CHUNK_BYTES = 1 << 12

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"\x50\x2a\x4d\x18": "zstd"}


@runtime_checkable
class BinaryFile(Protocol):
    """Anything that hands out bytes: a file opened in binary mode, a socket's file, `io.BytesIO`."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


Source = str | Path | BinaryFile
"""A path, "-" for standard input, or a file opened in binary mode."""


def name_of(source: Source) -> str:
    """The source as messages name it."""
    if isinstance(source, str | Path):
        return "standard input" if str(source) == "-" else str(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "open file"


@contextmanager
def opened(source: Source) -> Iterator[BinaryFile]:
    """The source as a binary file; closed afterwards if it was opened here.

    Raises:
        DataError: there is no such file, it is a folder, or it cannot be opened.
    """
    if not isinstance(source, str | Path):
        yield source
        return
    if str(source) == "-":
        if (standard_input := getattr(sys.stdin, "buffer", None)) is None:
            raise DataError("is closed, expected bytes", path=name_of(source))
        yield standard_input
        return
    try:
        file = Path(source).open("rb")  # noqa: SIM115 - only opening is inside the try
    except FileNotFoundError as error:
        raise DataError("there is no such file", path=source) from error
    except IsADirectoryError as error:
        raise DataError("is a folder, expected a file", path=source) from error
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be opened: {_reason(error)}", path=source) from error
    with file:
        yield file


def decompressed(file: BinaryFile, source: Source) -> Iterator[bytes]:
    """The bytes of an opened source, piece by piece; gzip and zstd are recognised by their first bytes.

    Raises:
        DataError: the compressed data are damaged or cut short, a path promises a compression that the file
            does not have, the file hands out text instead of bytes, or the disk fails.
        MissingDependencyError: the data are zstd and the library zstandard is not installed.
    """
    name = name_of(source)
    try:
        raw = _Peekable(file, name)
        compression = next((kind for magic, kind in _MAGIC.items() if raw.head.startswith(magic)), None)
        # An open file may carry the name of a compressed one and hand out its content, as gzip.open does.
        promised = COMPRESSIONS.get(Path(name).suffix.lower()) if isinstance(source, str | Path) else None
        if raw.head and promised and compression != promised:
            raise DataError(
                f"expected {promised} data, as the suffix says, found a file that starts with 0x{raw.head.hex()}",
                path=name,
            )
        if compression == "gzip":
            # GzipFile asks for nothing but `read` as long as nobody seeks.
            with gzip.GzipFile(fileobj=cast(Any, raw)) as unzipped:
                while chunk := unzipped.read1(CHUNK_BYTES):
                    yield chunk
        elif compression == "zstd":
            yield from _from_zstd(raw, name)
        else:
            while chunk := raw.read1(CHUNK_BYTES):
                yield chunk
    except DataError:
        raise
    except EOFError as error:
        raise DataError("the gzip data are cut short: the end marker is missing", path=name) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"the gzip data are damaged: {error}", path=name) from error
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read: {_reason(error)}", path=name) from error


def _from_zstd(raw: "_Peekable", name: str) -> Iterator[bytes]:
    """The library's own stream reader takes a file cut short for a whole one, hence frame by frame."""
    zstandard = require("zstandard", extra="formats", purpose=f"{name}: reading zstd data")
    frame = None
    compressed = b""
    try:
        while compressed := compressed or raw.read(ZSTD_CHUNK_BYTES):
            if frame is None:
                frame = zstandard.ZstdDecompressor().decompressobj()
            if chunk := frame.decompress(compressed):
                yield chunk
            compressed = b""
            if frame.eof:
                compressed, frame = frame.unused_data, None
    except zstandard.ZstdError as error:
        raise DataError(f"the zstd data are damaged: {error}", path=name) from error
    if frame is not None:
        raise DataError("the zstd data are cut short: the last frame is not finished", path=name)


class _Peekable:
    """A binary file whose first bytes, those that tell a compression, are known before they are read."""

    def __init__(self, file: BinaryFile, name: str) -> None:
        self.file = file
        self.name = name
        self.head = b""
        self.read1_of_file = getattr(file, "read1", file.read)
        head = b""
        # No more than needed: whoever types or pipes a short first line is waiting for an answer.
        while any(len(head) < len(magic) and magic.startswith(head) for magic in _MAGIC):
            if not (part := self.read1(max(map(len, _MAGIC)) - len(head))):
                break
            head += part
        self.head = head

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes, fewer only at the end."""
        parts: list[bytes] = []
        while size > 0 and (part := self.read1(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def read1(self, size: int) -> bytes:
        """What is there already, at most `size` bytes: lines typed or piped are answered as they come."""
        if self.head:
            part, self.head = self.head[:size], self.head[size:]
            return part
        found = self.read1_of_file(size)
        if isinstance(found, str):
            raise DataError("the file is open in text mode, expected binary mode ('rb')", path=self.name)
        return cast(bytes, found)


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
