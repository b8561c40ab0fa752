"""Whatever a Python caller has (a path, a frame, lists, arrays) to examples."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from textrnn.data.columns import Wanted, choose_columns, listed
from textrnn.data.example import Example, as_text
from textrnn.data.readers import read_examples
from textrnn.data.streams import BinaryFile, name_of
from textrnn.errors import DataError
from textrnn.labels import AnyLabel, as_label

_ADVICE = "pass text= and label="
_END = object()


def as_examples(
    data: Any,
    labels: Any = None,
    *,
    text: str | None = None,
    label: str | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    header: bool = True,
    need_label: bool = True,
    read_label: Callable[[Any], AnyLabel] = as_label,
) -> Iterator[Example]:
    """The examples of anything that holds texts, in their order.

    data: a path, "-" or an open binary file (see `read_examples`, which gets all further arguments); a pandas
        or polars frame or a dict of columns; texts in a list, array, series or any other iterable, with
        `labels`; pairs (text, label); dicts with the same keys; or `Example`s
    labels: as many as there are texts, where `data` does not hold them
    read_label: a label from what stands in its place, as the task has it

    `Example.line` of what is in memory is the row, counted from 0. Nothing is imported that the caller has
    not imported.

    Raises:
        DataError: the data are not labelled texts; the message names the row, what was expected and what was
            found.
    """
    # A pandas frame with a column "read" would pass for a file, hence frames first.
    if not _is_table(data) and isinstance(data, str | Path | BinaryFile):
        if labels is not None:
            raise DataError("labels are given beside a file, expected them in the file", path=name_of(data))
        if isinstance(data, str):
            _check_path(data)
        return read_examples(
            data,
            text=text,
            label=label,
            format=format,
            encoding=encoding,
            header=header,
            need_label=need_label,
            read_label=read_label,
        )
    if isinstance(data, bytes | bytearray | set | frozenset) or not isinstance(data, Iterable):
        raise DataError(f"found data of type {type(data).__name__}, expected a path, a frame or a list of texts")
    if labels is not None and label is not None:
        raise DataError(f"labels are given and the column {label!r} is named, expected one of them")
    labelled = need_label or labels is not None or label is not None
    wanted = Wanted(text, label, need_label and labels is None)
    return _examples(_pairs(data, labels, wanted, labelled), read_label if labelled else lambda label: None)


def _pairs(data: Iterable[Any], labels: Any, wanted: Wanted, labelled: bool) -> Iterable[tuple[Any, Any]]:
    """Texts with their labels (None where none are needed), not checked yet."""
    if _is_table(data):
        return _from_columns(data, labels, wanted)
    values = _plain(data)
    if isinstance(values, str) or not isinstance(values, Iterable):  # an array without dimensions
        raise DataError(f"found the single value {values!r}, expected a list of texts")
    rows = iter(values)
    first = next(rows, _END)
    if first is _END:
        raise DataError("the data hold no examples, expected at least one")
    rows = chain([first], rows)
    if isinstance(first, Mapping):
        records = _from_dicts(rows, list(first), wanted)
        return records if labels is None else _zipped([text for text, _ in records], labels)
    if wanted.text is not None or wanted.label is not None:
        raise DataError(f"a list of {type(first).__name__} has no columns: leave out text= and label=")
    if labels is not None:
        return _zipped(list(rows), labels)
    if isinstance(first, Example):
        return ((example.text, example.label) for example in rows)
    if isinstance(first, tuple | list):
        return _from_pairs(rows)
    if labelled:
        raise DataError("the labels are missing: pass labels=, one a text")
    return zip(rows, repeat(None))


def _examples(pairs: Iterable[tuple[Any, Any]], read_label: Callable[[Any], AnyLabel | None]) -> Iterator[Example]:
    row = -1
    for row, (text, label) in enumerate(pairs):
        try:
            yield Example(as_text(text), read_label(label), None, row)
        except ValueError as error:
            raise DataError(f"row {row}: {error}") from error
    if row < 0:
        raise DataError("the data hold no examples, expected at least one")


def _from_columns(data: Any, labels: Any, wanted: Wanted) -> Iterable[tuple[Any, Any]]:
    columns = list(data if isinstance(data, Mapping) else data.columns)
    position, label_position = choose_columns([str(column) for column in columns], wanted, advice=_ADVICE)
    texts = _column(data, columns[position])
    if label_position is not None:
        labels = _column(data, columns[label_position])
    return zip(texts, repeat(None)) if labels is None else _zipped(list(texts), labels)


def _column(data: Any, column: Any) -> Iterable[Any]:
    values = _plain(data[column])
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise DataError(f"the column {str(column)!r} is of type {type(values).__name__}, expected a list of values")
    return values


def _from_dicts(rows: Iterable[Any], names: list[Any], wanted: Wanted) -> Iterator[tuple[Any, Any]]:
    position, label_position = choose_columns([str(name) for name in names], wanted, advice=_ADVICE)
    text = names[position]
    label = None if label_position is None else names[label_position]
    for row, record in enumerate(rows):
        if not isinstance(record, Mapping):
            raise DataError(f"row {row}: found {type(record).__name__}, expected a dict, as in row 0")
        missing = [name for name in (text, label) if name is not None and name not in record]
        if missing:
            found = listed([str(name) for name in record])
            raise DataError(f"row {row}: expected the key {missing[0]!r}, as in row 0, found {found}")
        yield record[text], None if label is None else record[label]


def _from_pairs(rows: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    for row, pair in enumerate(rows):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            found = f"{len(pair)} values" if isinstance(pair, tuple | list) else type(pair).__name__
            raise DataError(f"row {row}: found {found}, expected a pair (text, label)")
        yield pair[0], pair[1]


def _zipped(texts: list[Any], labels: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(labels, str | bytes | Mapping | set | frozenset) or not isinstance(labels, Iterable):
        raise DataError(f"found labels of type {type(labels).__name__}, expected a list, one label a text")
    values = list(_plain(labels))
    if len(values) != len(texts):
        raise DataError(f"found {len(texts)} texts and {len(values)} labels, expected one label a text")
    return zip(texts, values, strict=True)


def _is_table(data: Any) -> bool:
    return isinstance(data, Mapping) or type(data).__name__ == "DataFrame"


def _plain(values: Any) -> Any:
    """NumPy's, pandas' and polars' values as Python's; anything else as it is."""
    for method in ("to_list", "tolist"):
        if hasattr(values, method):
            return getattr(values, method)()
    return values


def _check_path(path: str) -> None:
    """A text in the place of a path is the likeliest mistake here."""
    try:
        exists = path == "-" or Path(path).exists()
    except (OSError, ValueError):
        exists = False
    if not exists:
        shown = path if len(path) <= 80 else path[:79] + "…"
        raise DataError(f"there is no file {shown!r}; texts in memory are given in a list")
