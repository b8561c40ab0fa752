"""Files to examples, one at a time: every format behind one function."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args

from textrnn.data.columns import Wanted
from textrnn.data.delimited import read_delimited
from textrnn.data.example import Example
from textrnn.data.folders import read_folder
from textrnn.data.jsonlines import read_json_lines
from textrnn.data.lines import MAC_LINES, MAX_CHARACTERS, text_lines
from textrnn.data.parquet import read_parquet
from textrnn.data.streams import COMPRESSIONS, Source, decompressed, name_of, opened
from textrnn.errors import DataError
from textrnn.labels import AnyLabel, as_label

Format = Literal["csv", "tsv", "jsonl", "parquet", "txt"]
FORMATS: tuple[str, ...] = get_args(Format)
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json-lines": "jsonl",
    ".jsonlines": "jsonl",
    ".parquet": "parquet",
    ".txt": "txt",
}


def read_examples(
    source: Source,
    *,
    text: str | None = None,
    label: str | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    header: bool = True,
    need_label: bool = True,
    read_label: Callable[[Any], AnyLabel] = as_label,
) -> Iterator[Example]:
    """The examples of a file or folder in their order, read as they are asked for, in constant memory.

    source:     a path, "-" for standard input, or a file open in binary mode. CSV, TSV, JSON lines, Parquet
                or, where no label is needed, plain text with one text a line (a blank line is an empty text);
                each also compressed (gzip, zstd); or a folder with one folder of .txt files a class
    text:       the text's column; None: recognised by its name
    label:      the label's column; None: recognised by its name where a label is needed
    format:     one of `FORMATS`; None: told by the suffix; plain text from standard input where no label is
                needed
    encoding:   of all formats but Parquet; a UTF-8 byte order mark is dropped
    header:     whether the first line of a CSV or TSV file names the columns; else they are "1", "2", …
    need_label: False: labels are read only where `label` names a column, or the source is a folder
    read_label: a label from what stands in its place, as the task has it; raises ValueError with a sentence

    Labels from CSV, TSV and folders are strings, exactly as written; integers in JSON and Parquet stay
    integers. Nothing is read before the first example is asked for.

    Raises:
        DataError: the source cannot be read as labelled texts; the message names file and line, what was
            expected and what was found.
        MissingDependencyError: zstandard or pyarrow is needed and not installed.
    """
    name = name_of(source)
    wanted = Wanted(text, label, need_label, read_label)
    if isinstance(source, str | Path) and name != "standard input" and _is_folder(Path(source)):
        examples = _from_folder(source, wanted, format, encoding)
    else:
        examples = _from_file(source, wanted, _format(source, format, need_label), encoding, header)
    first = next(examples, None)
    if first is None:
        raise DataError("the file holds no examples", path=name)
    yield first
    yield from examples


def _from_file(source: Source, wanted: Wanted, format: str, encoding: str, header: bool) -> Iterator[Example]:
    if format == "parquet":
        yield from read_parquet(source, wanted)
        return
    name = name_of(source)
    with opened(source) as file:
        lines = text_lines(decompressed(file, source), name, encoding)
        if format == "jsonl":
            yield from read_json_lines(lines, name, wanted)
        elif format == "txt":
            yield from _read_plain(lines, name, wanted)
        else:
            delimiter = "\t" if format == "tsv" else ","
            yield from read_delimited(lines, name, wanted, delimiter=delimiter, header=header)


def _read_plain(lines: Iterator[str], name: str, wanted: Wanted) -> Iterator[Example]:
    if wanted.need_label or wanted.label is not None or wanted.text is not None:
        raise DataError(
            "plain text has no columns and no labels, expected csv, tsv, jsonl, parquet or a folder",
            path=name,
        )
    for number, line in enumerate(lines, start=1):
        text = line.removesuffix("\n").removesuffix("\r")
        if number == 1 and "\r" in text:
            raise DataError(f"found {MAC_LINES}", path=name, line=1)
        if len(text) > MAX_CHARACTERS:
            raise DataError(f"the line is longer than {MAX_CHARACTERS:,} characters", path=name, line=number)
        yield Example(text, None, name, number)


def _from_folder(folder: str | Path, wanted: Wanted, format: str | None, encoding: str) -> Iterator[Example]:
    if format is not None:
        raise DataError(f"is a folder, expected a file of the format {format}", path=folder)
    if wanted.text is not None or wanted.label is not None:
        raise DataError("a folder has no columns: leave out --text and --label", path=folder)
    return _with_labels(read_folder(folder, encoding), wanted)


def _with_labels(examples: Iterator[Example], wanted: Wanted) -> Iterator[Example]:
    for example in examples:
        try:
            yield example._replace(label=wanted.read_label(example.label))
        except ValueError as error:
            raise example.error(str(error)) from error


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long; opening it will say so
        return False


def _format(source: Source, format: str | None, need_label: bool) -> str:
    """The format asked for, or the one that the suffix tells."""
    name = name_of(source)
    if format is not None:
        if format not in FORMATS:
            raise DataError(f"unknown format {format!r}, expected one of {', '.join(FORMATS)}", path=name)
        return format
    path = Path(name)
    if path.suffix.lower() in COMPRESSIONS:
        path = path.with_suffix("")
    if path.suffix.lower() in SUFFIXES:
        return SUFFIXES[path.suffix.lower()]
    if name == "standard input" and not need_label:
        return "txt"
    with opened(source):  # a missing file is reported as missing
        pass
    found = f"the suffix {path.suffix!r}" if path.suffix else "no suffix"
    raise DataError(f"cannot tell the format from {found}: pass --format, one of {', '.join(FORMATS)}", path=name)
