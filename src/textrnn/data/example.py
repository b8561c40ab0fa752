"""One text with its label, and where it stands."""

from typing import Any, NamedTuple

from textrnn.errors import DataError
from textrnn.labels import AnyLabel


class Example(NamedTuple):
    """One text with its label (None where none is needed) and the place it was read from."""

    text: str
    label: AnyLabel | None
    path: str | None = None
    """The file, or "standard input"; None for texts that were handed over in memory."""
    line: int | None = None
    """In a file the line on which the record starts, counted from 1, the header included; in a Parquet file
    the row, counted from 1; in memory the row, counted from 0, as indexing does; None where a file is one
    text."""

    @property
    def place(self) -> str:
        """Where the text stands, as messages name it: "reviews.csv, line 7", "pos/12_9.txt" or "row 3"."""
        if self.path is None:
            return "unknown place" if self.line is None else f"row {self.line}"
        return self.path if self.line is None else f"{self.path}, line {self.line}"

    def error(self, message: str) -> DataError:
        """A `DataError` about this example, to be raised by the caller."""
        if self.path is None:
            return DataError(f"{self.place}: {message}")
        return DataError(message, path=self.path, line=self.line)


def as_text(value: Any) -> str:
    """`value` as a text: NumPy's strings become Python's, nothing else is converted; an empty text is legal.

    Raises:
        ValueError: `value` is missing, not a string, or holds half of a surrogate pair, which no file can
                    store.
    """
    if not isinstance(value, str):
        if value is None or (isinstance(value, float) and value != value) or type(value).__name__ == "NAType":
            raise ValueError("the text is missing")
        raise ValueError(f"the text is of type {type(value).__name__}, expected a string")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        code_point = f"U+{ord(value[error.start]):04X}"
        raise ValueError(
            f"the text holds {code_point}, half of a surrogate pair, at character {error.start + 1}"
        ) from error
    return str(value)
