"""JSON lines: one object a line."""

import json
from collections.abc import Iterator
from typing import Any

from textrnn.data.columns import Wanted, choose_columns, listed
from textrnn.data.example import Example, as_text
from textrnn.data.lines import MAC_LINES, MAX_CHARACTERS
from textrnn.errors import DataError


def read_json_lines(lines: Iterator[str], name: str, wanted: Wanted) -> Iterator[Example]:
    """The examples of a JSON lines file. The first object's keys are the columns; blank lines are skipped.

    Raises:
        DataError: a line is not one JSON object, lacks the text or the label, or has a text that is no string
            or a label that is neither a string nor an integer; or the columns cannot be chosen.
    """
    chosen: tuple[str, str | None] | None = None
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_CHARACTERS:
            raise DataError(f"the line is longer than {MAX_CHARACTERS:,} characters", path=name, line=number)
        if line.isspace():
            continue
        record = _object(line, name, number)
        if chosen is None:
            names = list(record)
            position, label_position = choose_columns(names, wanted, path=name, line=number)
            chosen = names[position], None if label_position is None else names[label_position]
        text, label = chosen
        try:
            yield Example(
                as_text(record[text]), None if label is None else wanted.read_label(record[label]), name, number
            )
        except KeyError as error:
            raise DataError(
                f"expected the key {error.args[0]!r}, as in the first object, found {listed(list(record))}",
                path=name,
                line=number,
            ) from error
        except ValueError as error:
            raise DataError(str(error), path=name, line=number) from error


def _object(line: str, name: str, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        if line.lstrip().startswith("["):
            message = "found a JSON array, expected JSON lines (one object a line)"
        elif "\r" in line.strip():
            message = f"found {MAC_LINES}"
        elif isinstance(error, json.JSONDecodeError):
            message = f"invalid JSON at column {error.colno}: {error.msg}; expected one object a line"
        else:
            message = f"invalid JSON: {str(error) or 'nested too deeply'}"
        raise DataError(message, path=name, line=number) from error
    if isinstance(record, dict):
        return record
    found = "a JSON array" if isinstance(record, list) else f"the JSON value {line.strip()[:40]}"
    raise DataError(f"found {found}, expected JSON lines (one object a line)", path=name, line=number)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The json module alone would keep the last of several values and say nothing."""
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has the key {repeated!r} twice")
    return record
