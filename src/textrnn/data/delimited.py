"""CSV and TSV as RFC 4180 has them: quotes around a field that needs them, doubled inside it.

Beyond the RFC a quote in the middle of an unquoted field is a character like any other (`5" disk`).
"""

import csv
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

from textrnn.data.columns import Wanted, choose_columns
from textrnn.data.example import Example
from textrnn.data.lines import MAC_LINES, MAX_CHARACTERS
from textrnn.errors import DataError


def read_delimited(
    lines: Iterator[str], name: str, wanted: Wanted, *, delimiter: str, header: bool
) -> Iterator[Example]:
    """The examples of a CSV or TSV file; `line` is the line on which a record starts.

    Texts and labels are taken exactly as written, surrounding spaces included; blank lines are skipped.
    Without a header the columns are named "1", "2", ….

    Raises:
        DataError: a quote is not closed or not doubled, a record has more or fewer fields than the first one,
            a field is longer than `MAX_CHARACTERS`, a label is empty, or the columns cannot be chosen.
    """
    records: Iterator[tuple[int, list[str]]] = _records(lines, name, delimiter)
    line, names = next(((line, record) for line, record in records if record), (1, []))
    if not names:
        return  # nothing but blank lines
    advice = "pass --text and --label"
    if header:
        advice += "; if the first line is no header, pass --no-header"
    else:
        records = chain([(line, names)], records)
        names = [str(number) for number in range(1, len(names) + 1)]
    text, label = choose_columns(names, wanted, path=name, line=line, advice=advice)
    width = len(names)
    label_of = lru_cache(maxsize=4096, typed=True)(wanted.read_label)  # one object a label, not one a record
    for line, record in records:
        if len(record) != width:
            if not record:
                continue
            raise DataError(f"expected {width} fields, as in the first line, found {len(record)}", path=name, line=line)
        if label is None:
            yield Example(record[text], None, name, line)
            continue
        try:
            found = label_of(record[label])
        except ValueError as error:
            raise DataError(str(error), path=name, line=line) from error
        yield Example(record[text], found, name, line)


def _records(lines: Iterator[str], name: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line on which it starts; blank lines are empty records."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        # The limit belongs to the whole process, so it is raised for no longer than one record takes.
        limit = csv.field_size_limit(MAX_CHARACTERS)
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(_sentence(str(error), delimiter), path=name, line=line) from error
        finally:
            csv.field_size_limit(limit)
        yield line, record


def _sentence(error: str, delimiter: str) -> str:
    """What the csv module found, with what it expected."""
    if "unexpected end of data" in error:
        return "a quote opened in the record that starts here is never closed"
    if "field limit" in error:
        return f"a field is longer than {MAX_CHARACTERS:,} characters; is a quote not closed?"
    if "new-line character" in error:
        return f"found {MAC_LINES}, or put the text in quotes"
    if "expected after" in error:
        return (
            f"expected {delimiter!r} or the end of the line after a closing quote, found something else; "
            'a quote inside a quoted text must be doubled ("")'
        )
    return f"cannot be read as CSV: {error}"
