"""Parquet, batch by batch."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from textrnn.data.columns import Wanted, choose_columns
from textrnn.data.example import Example, as_text
from textrnn.data.streams import COMPRESSIONS, Source, decompressed, name_of, opened
from textrnn.errors import DataError
from textrnn.files import require

_ROWS = 1024  # read at a time


def read_parquet(source: Source, wanted: Wanted) -> Iterator[Example]:
    """The examples of a Parquet file; `line` is the row, counted from 1.

    Raises:
        DataError: the file is damaged, the text's column does not hold strings, a text or label is missing,
            or the columns cannot be chosen.
        MissingDependencyError: the library pyarrow is not installed.
    """
    name = name_of(source)
    pyarrow = require("pyarrow", extra="formats", purpose=f"{name}: reading Parquet")
    parquet = require("pyarrow.parquet", extra="formats", purpose=f"{name}: reading Parquet")
    with _seekable(source, name) as file:
        row = 0
        try:
            table = parquet.ParquetFile(file)
            names = list(table.schema_arrow.names)
            position, label_position = choose_columns(names, wanted, path=name)
            text = names[position]
            label = None if label_position is None else names[label_position]
            _check_text(pyarrow, text, table.schema_arrow.field(position).type, name)
            columns = [text] if label is None else [text, label]
            for batch in table.iter_batches(batch_size=_ROWS, columns=columns):
                texts = batch.column(text).to_pylist()
                labels = [None] * len(texts) if label is None else batch.column(label).to_pylist()
                for value, found in zip(texts, labels, strict=True):
                    row += 1
                    yield _example(value, found, wanted, label is not None, name, row)
        except DataError:
            raise
        except (pyarrow.ArrowException, OSError, ValueError, KeyError) as error:
            reason = " ".join(str(error).split())
            raise DataError(f"damaged, or not a Parquet file (after {row} rows): {reason}", path=name) from error


def _check_text(pyarrow: Any, column: str, kind: Any, name: str) -> None:
    types = pyarrow.types
    values = kind.value_type if types.is_dictionary(kind) else kind
    is_view = getattr(types, "is_string_view", lambda _: False)  # from pyarrow 16 on
    if not (types.is_string(values) or types.is_large_string(values) or is_view(values)):
        raise DataError(f"the column {column!r} holds {kind}, expected strings as texts", path=name)


def _example(text: Any, label: Any, wanted: Wanted, labelled: bool, name: str, row: int) -> Example:
    try:
        return Example(as_text(text), wanted.read_label(label) if labelled else None, name, row)
    except ValueError as error:
        raise DataError(str(error), path=name, line=row) from error


@contextmanager
def _seekable(source: Source, name: str) -> Iterator[IO[bytes]]:
    """The file itself, or a copy on the disk of what cannot be read back to front (piped, compressed)."""
    plain = isinstance(source, str | Path) and name_of(source) != "standard input"
    if plain and Path(name).suffix.lower() not in COMPRESSIONS:
        with opened(source) as file:
            yield cast(IO[bytes], file)
        return
    with tempfile.TemporaryFile() as copy:
        with opened(source) as file:
            for chunk in decompressed(file, source):
                copy.write(chunk)
        copy.seek(0)
        yield copy
