"""Bytes to lines of text; a line is what ends with a line feed, and nothing else ends one."""

import codecs
import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain

from textrnn.errors import DataError

MAX_CHARACTERS = 16 * 2**20
"""Longest line or field, in characters; a longer one is refused before it is in memory."""

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

# What people rename to .csv: no text starts so.
_NOT_TEXT = {
    b"PK\x03\x04": "an Excel workbook or another zip file",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
    b"%PDF": "a PDF file",  # what decides over compression has read four bytes
}
MAC_LINES = "a carriage return without a line feed (old Mac line endings?): end the lines with \\n or \\r\\n"


def text_lines(chunks: Iterable[bytes], name: str, encoding: str) -> Iterator[str]:
    """The lines of a file, each with its line end; a byte order mark is dropped.

    Raises:
        DataError: the file is empty, is not text in this encoding (the message names the byte and the line),
            holds NUL bytes, or has a line longer than `MAX_CHARACTERS`; or there is no encoding of this name.
    """
    # StringIO cuts at line feeds only and in C; str.splitlines would also cut at U+2028 and form feeds.
    return chain.from_iterable(io.StringIO(block, newline="\n") for block in _blocks(chunks, name, encoding))


def decoder_for(encoding: str, name: str) -> codecs.IncrementalDecoder:
    """A decoder that can be fed piece by piece.

    Raises:
        DataError: there is no text encoding of this name.
    """
    try:
        codec = codecs.lookup(encoding)
        io.TextIOWrapper(io.BytesIO(), encoding)  # refuses codecs such as rot13 that are not from bytes to text
    except (LookupError, ValueError, TypeError) as error:
        raise DataError(f"unknown encoding {encoding!r}, expected for example utf-8 or cp1252", path=name) from error
    return codec.incrementaldecoder()


def _blocks(chunks: Iterable[bytes], name: str, encoding: str) -> Iterator[str]:
    """Whole lines, many at a time."""
    decoder = decoder_for(encoding, name)
    pending: list[str] = []  # the beginning of a line whose end is not read yet
    pending_characters = 0
    line = 1
    at_start = empty = True
    for chunk in chain(chunks, (None,)):
        if at_start and chunk:
            for mark, kind in _NOT_TEXT.items():
                if chunk.startswith(mark):
                    raise DataError(
                        f"found {kind}, expected text: save the data as CSV with the encoding utf-8", path=name
                    )
        text = _decode(decoder, chunk, name, encoding, line, at_start)
        if at_start and text:
            at_start = False
            text = text.removeprefix("\ufeff")
        empty = empty and not text
        if "\0" in text:
            line += text[: text.index("\0")].count("\n")
            raise DataError(
                "found a NUL byte, expected text; if this is UTF-16, pass --encoding utf-16",
                path=name,
                line=line,
            )
        cut = text.rfind("\n") + 1
        if cut:
            block = "".join((*pending, text[:cut]))
            pending, pending_characters = [], 0
            line += block.count("\n")
            yield block
        pending.append(text[cut:])
        pending_characters += len(text) - cut
        if pending_characters > MAX_CHARACTERS:
            if any("\r" in part.rstrip("\r") for part in pending):
                raise DataError(MAC_LINES, path=name, line=line)
            raise DataError(f"the line is longer than {MAX_CHARACTERS:,} characters", path=name, line=line)
    if empty:
        raise DataError("the file is empty", path=name)
    if pending_characters:
        yield "".join(pending)


def _decode(
    decoder: codecs.IncrementalDecoder,
    chunk: bytes | None,
    name: str,
    encoding: str,
    line: int,
    at_start: bool,
) -> str:
    """One chunk's characters (None: the end); `line` is the line on which the chunk starts."""
    state = decoder.getstate()
    try:
        text = decoder.decode(chunk or b"", final=chunk is None)
        if encoding != "utf-8":
            text.encode()  # some codecs (utf-7, unicode_escape) let halves of surrogate pairs through
    except UnicodeDecodeError as error:
        found = next((kind for mark, kind in _BYTE_ORDER_MARKS.items() if error.object.startswith(mark)), None)
        if at_start and found:
            raise DataError(
                f"found the byte order mark of {found}, expected {encoding}: pass --encoding {found}",
                path=name,
                line=1,
            ) from error
        decoder.setstate(state)
        before = ""
        with suppress(UnicodeError):  # the codecs for host names fail on parts of what they read
            before = decoder.decode((chunk or b"")[: max(0, error.start - len(state[0]))])
        raise DataError(
            f"byte 0x{error.object[error.start]:02x} is not {encoding} ({error.reason}): pass --encoding, "
            "for example cp1252",
            path=name,
            line=line + before.count("\n"),
        ) from error
    except UnicodeError as error:
        raise DataError(f"not text in the encoding {encoding}: {error}", path=name, line=line) from error
    return text
