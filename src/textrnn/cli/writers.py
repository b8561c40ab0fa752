"""Predictions as CSV or JSON Lines."""

import re
from collections.abc import Callable, Sequence
from typing import IO, Any, Protocol

import msgspec

from textrnn.labels import Label
from textrnn.tasks import SINGLE_LABEL, Prediction, Task


class Writer(Protocol):
    """Writes predictions chunk by chunk."""

    def write(self, texts: Sequence[str], predictions: Sequence[Prediction]) -> None:
        """Append one row for each prediction."""


class CsvWriter:
    """A header, then the columns that the task has, such as `label,probability` and `p(LABEL)` for every label."""

    def __init__(
        self,
        file: IO[bytes],
        labels: Sequence[Label],
        *,
        task: Task = SINGLE_LABEL,
        with_text: bool,
        abstention: str | None = None,
    ) -> None:
        """abstention: the word that stands for the label where the classifier abstains; None: nothing, or null."""
        self.file = file
        self.task = task
        self.with_text = with_text
        self.abstention = abstention
        self._write_rows([["text"] * with_text + task.columns(labels)])

    def write(self, texts: Sequence[str], predictions: Sequence[Prediction]) -> None:
        rows: list[list[str]] = []
        for text, prediction in zip(texts, predictions, strict=True):
            rows.append([text] * self.with_text + self.task.row(prediction, self.abstention))
        self._write_rows(rows)

    def _write_rows(self, rows: list[list[str]]) -> None:
        self.file.write(csv_rows(rows))


def csv_rows(rows: Sequence[Sequence[str]]) -> bytes:
    """Rows of a CSV file, each with its line's end."""
    # Python's csv.writer takes five times as long over long texts, and before 3.13 it does not quote a lone carriage
    # return, which a reader takes for the end of the row.
    lines = [",".join([_quoted(field) if _SPECIAL(field) else field for field in row]) for row in rows]
    return "\n".join([*lines, ""]).encode()


_SPECIAL = re.compile('[",\r\n]').search


def _quoted(field: str) -> str:
    """A field with a character that means something in CSV, as RFC 4180 has it."""
    return '"' + field.replace('"', '""') + '"'


class JsonLinesWriter:
    """One object a line with what the task has, such as `label`, `probability`, `probabilities` by label."""

    def __init__(
        self,
        file: IO[bytes],
        labels: Sequence[Label],
        *,
        task: Task = SINGLE_LABEL,
        with_text: bool,
        abstention: str | None = None,
    ) -> None:
        """abstention: the word that stands for the label where the classifier abstains; None: nothing, or null."""
        self.file = file
        self.task = task
        self.with_text = with_text
        self.abstention = abstention

    def write(self, texts: Sequence[str], predictions: Sequence[Prediction]) -> None:
        for text, prediction in zip(texts, predictions, strict=True):
            row: dict[str, Any] = {"text": text} if self.with_text else {}
            row |= self.task.record(prediction, self.abstention)
            self.file.write(msgspec.json.encode(row) + b"\n")


WRITERS: dict[str, Callable[..., Writer]] = {"csv": CsvWriter, "jsonl": JsonLinesWriter}
