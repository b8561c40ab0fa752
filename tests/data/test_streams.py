"""Compression, encodings and standard input, whatever the format."""

import gzip
import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from textrnn.data import FORMATS, Source, read_examples
from textrnn.data.lines import text_lines
from textrnn.data.streams import opened
from textrnn.errors import DataError, MissingDependencyError

CONTENT = "text,label\n" + "".join(f"some text number {row},{'ab'[row % 2]}\n" for row in range(20_000))
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".zst": zstandard.ZstdCompressor().compress,
    "": lambda raw: raw,
}


def texts(source: Source, **options: str | bool | None) -> list[str]:
    return [example.text for example in read_examples(source, **options)]  # type: ignore[arg-type]


EXPECTED = [f"some text number {row}" for row in range(20_000)]


@pytest.mark.parametrize("suffix", COMPRESS)
def test_compressed_files_and_members_one_after_the_other(suffix: str, tmp_path: Path) -> None:
    raw = CONTENT.encode()
    path = tmp_path / f"reviews.csv{suffix}"
    path.write_bytes(COMPRESS[suffix](raw))
    assert texts(path) == EXPECTED
    path.write_bytes(COMPRESS[suffix](raw[:100_001]) + COMPRESS[suffix](raw[100_001:]))
    assert texts(str(path)) == EXPECTED


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_an_open_file_that_decompresses_already(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"reviews.csv{suffix}"
    path.write_bytes(COMPRESS[suffix](CONTENT.encode()))
    with gzip.open(path) if suffix == ".gz" else zstandard.open(path) as file:
        assert texts(file) == EXPECTED if suffix == ".gz" else texts(file, format="csv") == EXPECTED


class Trickle(io.RawIOBase):
    """A pipe that hands out few bytes at a time, and has no `read1`."""

    def __init__(self, content: bytes, piece: int) -> None:
        self.content = content
        self.piece = piece

    def read(self, size: int = -1, /) -> bytes:
        size = min(size, self.piece)
        part, self.content = self.content[:size], self.content[size:]
        return part


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_pieces_of_any_size_give_the_same_texts(suffix: str, piece: int) -> None:
    raw = "".join(CONTENT.splitlines(keepends=True)[:150]).encode()
    whole = texts(io.BytesIO(raw), format="csv", need_label=False, text="text")
    twice = COMPRESS[suffix](raw[:1001]) + COMPRESS[suffix](raw[1001:])
    assert texts(Trickle(twice, piece), format="csv", need_label=False, text="text") == whole


def test_a_skippable_zstd_frame_is_skipped() -> None:
    skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"note"
    content = COMPRESS[".zst"](b"text,label\na,b\n")
    assert texts(io.BytesIO(skippable + content), format="csv") == ["a"]


DAMAGED: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "gzip cut short": (
        ".gz",
        lambda raw: raw[:-20],
        ": the gzip data are cut short: the end marker is missing",
    ),
    "gzip changed": (
        ".gz",
        lambda raw: raw[:500] + bytes(100) + raw[600:],
        ": the gzip data are damaged: Error -3 while decompressing data: ",
    ),
    "gzip and something else": (
        ".gz",
        lambda raw: raw + b"something else",
        ": the gzip data are damaged: Not a gzipped file (b'so')",
    ),
    "zstd cut short": (
        ".zst",
        lambda raw: raw[:-20],
        ": the zstd data are cut short: the last frame is not finished",
    ),
    "zstd changed": (
        ".zst",
        lambda raw: raw[:9] + b"\xff" * 100 + raw[109:],
        ": the zstd data are damaged: ",
    ),
    "zstd and something else": (".zst", lambda raw: raw + b"something", ": the zstd data are damaged: "),
    "not gzip": (
        ".gz",
        lambda _: b"text,label\n",
        ": expected gzip data, as the suffix says, found a file that starts with 0x74657874",
    ),
    "not zstd": (
        ".zst",
        lambda _: b"text,label\n",
        ": expected zstd data, as the suffix says, found a file that starts with 0x74657874",
    ),
    "empty": (".gz", lambda _: b"", ": the file is empty"),
    "compressed nothing": (".zst", lambda _: COMPRESS[".zst"](b""), ": the file is empty"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_compression(name: str, tmp_path: Path) -> None:
    suffix, damage, sentence = DAMAGED[name]
    path = tmp_path / f"reviews.csv{suffix}"
    path.write_bytes(damage(COMPRESS[suffix](CONTENT.encode())))
    with pytest.raises(DataError) as caught:
        texts(path)
    assert str(caught.value).startswith(f"{path}{sentence}")


def test_without_zstandard_a_sentence_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "reviews.csv.zst"
    path.write_bytes(COMPRESS[".zst"](b"text,label\n"))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingDependencyError, match=r"reading zstd data needs the library zstandard"):
        texts(path)


class Standard:
    def __init__(self, content: bytes) -> None:
        self.buffer = io.BufferedReader(io.BytesIO(content))


@pytest.mark.parametrize("suffix", COMPRESS)
def test_standard_input(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Standard(COMPRESS[suffix](b"one\ntwo\n")))
    found = list(read_examples("-", need_label=False))
    assert [(example.text, example.place) for example in found] == [
        ("one", "standard input, line 1"),
        ("two", "standard input, line 2"),
    ]
    monkeypatch.setattr(sys, "stdin", Standard(COMPRESS[suffix](b"text,label\none,a\n")))
    assert texts(Path("-"), format="csv") == ["one"]


def test_standard_input_with_labels_needs_a_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Standard(b"text,label\none,a\n"))
    with pytest.raises(DataError) as caught:
        texts("-")
    assert str(caught.value) == (
        "standard input: cannot tell the format from no suffix: pass --format, one of csv, tsv, jsonl, parquet, txt"
    )


def test_closed_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(DataError, match="standard input: is closed, expected bytes"):
        texts("-", format="csv")


def test_lines_are_handed_out_as_they_come() -> None:
    read = 0

    class Typed:
        def read(self, size: int, /) -> bytes:
            nonlocal read
            read += 1
            return f"{read}\n".encode()

    endless = read_examples(Typed(), format="txt", need_label=False)
    for line in (1, 2, 3):
        assert next(endless).text == str(line)
        assert read == line


SOURCES: dict[str, tuple[str, dict[str, str], str]] = {
    "missing": ("absent.csv", {}, ": there is no such file"),
    "missing, without a suffix": ("absent", {}, ": there is no such file"),
    "folder": ("folder.csv", {"format": "csv"}, ": is a folder, expected a file of the format csv"),
    "unknown suffix": (
        "reviews.json.gz",
        {},
        ": cannot tell the format from the suffix '.json': pass --format, one of csv, tsv, jsonl, parquet, txt",
    ),
    "unknown format": (
        "reviews.json.gz",
        {"format": "json"},
        ": unknown format 'json', expected one of csv, tsv, jsonl, parquet, txt",
    ),
    "name too long": ("x" * 300, {"format": "csv"}, ": cannot be opened: File name too long"),
    "NUL in the name": ("a\0b", {"format": "csv"}, ": cannot be opened: embedded null byte"),
    "unknown encoding": (
        "good.csv",
        {"encoding": "utf8000"},
        ": unknown encoding 'utf8000', expected for example utf-8 or cp1252",
    ),
    "not an encoding of text": (
        "good.csv",
        {"encoding": "rot13"},
        ": unknown encoding 'rot13', expected for example utf-8 or cp1252",
    ),
    "wrong UTF-16": (
        "good.csv",
        {"encoding": "utf-16"},
        ", line 1: not text in the encoding utf-16: UTF-16 stream does not start with BOM",
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_sources_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    file, options, sentence = SOURCES[name]
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "good.csv").write_text("text,label\na,b\n")
    (tmp_path / "reviews.json.gz").write_bytes(gzip.compress(b"[]"))
    path = tmp_path / file
    with pytest.raises(DataError) as caught:
        texts(path, **options)
    assert str(caught.value) == f"{path}{sentence}"


def test_a_folder_that_appears_in_the_place_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder, expected a file"), opened(tmp_path):
        pass


def test_a_file_in_text_mode_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text("text,label\na,b\n")
    with path.open() as file, pytest.raises(DataError) as caught:
        texts(file)  # type: ignore[arg-type]
    assert str(caught.value) == f"{path}: the file is open in text mode, expected binary mode ('rb')"
    with path.open("rb") as file:
        assert texts(file) == ["a"]


def test_a_failing_disk_is_told() -> None:
    class Failing(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(DataError, match="open file: cannot be read: Input/output error"):
        texts(Failing(), format="csv")


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "gb18030"]


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n")), min_size=1),
    st.sampled_from(ENCODINGS),
    st.integers(1, 9),
)
def test_every_encoding_in_pieces_of_every_size(lines: list[str], encoding: str, piece: int) -> None:
    content = "x" + "\n".join(lines)  # a byte order mark at the start is dropped, as it should be
    raw = content.encode(encoding)
    pieces = (raw[start : start + piece] for start in range(0, len(raw), piece))
    found = [line.removesuffix("\n") for line in text_lines(pieces, "some file", encoding)]
    expected = content.split("\n")
    assert found == (expected if expected[-1] else expected[:-1])


@given(st.integers(0, 300), st.integers(1, 50), st.sampled_from(["utf-8", "utf-16-le", "shift_jis"]))
def test_the_line_of_a_wrong_byte(line: int, piece: int, encoding: str) -> None:
    wrong = {"utf-8": b"\xff", "utf-16-le": b"\x00\xdc", "shift_jis": b"\xff"}[encoding]
    raw = "\u3042\n".encode(encoding) * line + wrong + "\n\n".encode(encoding)
    pieces = (raw[start : start + piece] for start in range(0, len(raw), piece))
    with pytest.raises(DataError, match=rf"^some file, line {line + 1}: byte 0x\w\w is not {encoding} \("):
        list(text_lines(pieces, "some file", encoding))


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(DataError, match="line 1: not text in the encoding utf-7: "):
        list(text_lines([b"+2AA-"], "some file", "utf-7"))


BYTES = st.lists(
    st.binary(max_size=30)
    | st.sampled_from([b"text,label\n", b'{"text": "a", "label": 1}\n', b'"', b",", b"\n", b"\r", b"PAR1", b"[", b"\0"])
    | st.sampled_from([b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18", b"\xff\xfe", b"\xef\xbb\xbf"])
).map(b"".join)


@given(BYTES, st.sampled_from(FORMATS), st.sampled_from(["utf-8", "utf-16", "gbk", "utf-7", "idna", "punycode"]))
@settings(max_examples=500)
def test_whatever_the_bytes_there_are_texts_or_a_sentence(content: bytes, format: str, encoding: str) -> None:
    for packed in (content, gzip.compress(content), COMPRESS[".zst"](content)):
        for need_label in (True, False):
            options = {"format": format, "encoding": encoding, "need_label": need_label}
            try:
                assert all(isinstance(text, str) for text in texts(io.BytesIO(packed), **options))
            except DataError as error:
                assert "open file" in str(error)
