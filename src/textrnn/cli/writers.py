"""Predictions as CSV or JSON Lines."""

import re
from collections.abc import Callable, Sequence
from typing import IO, Any, Protocol

import msgspec

from textrnn.labels import Label
from textrnn.runtime import Prediction


class Writer(Protocol):
    """Writes predictions chunk by chunk."""

    def write(self, texts: Sequence[str], predictions: Sequence[Prediction]) -> None:
        """Append one row for each prediction."""


class CsvWriter:
    """A header, then `label,probability` and one column `p(LABEL)` for every label."""

    def __init__(
        self, file: IO[bytes], labels: Sequence[Label], *, with_text: bool, abstention: str | None = None
    ) -> None:
        """abstention: the word that stands for the label where the classifier abstains; None: nothing, or null."""
        self.file = file
        self.with_text = with_text
        self.abstention = abstention
        self._write_rows([["text"] * with_text + ["label", "probability"] + [f"p({label})" for label in labels]])

    def write(self, texts: Sequence[str], predictions: Sequence[Prediction]) -> None:
        rows: list[list[str]] = []
        for text, prediction in zip(texts, predictions, strict=True):
            numbers = [f"{value:.6f}" for value in (prediction.probability, *prediction.probabilities.values())]
            label = (self.abstention or "") if prediction.label is None else str(prediction.label)
            rows.append([text] * self.with_text + [label, *numbers])
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
    """One object a line: `label`, `probability`, `probabilities` by label."""

    def __init__(
        self, file: IO[bytes], labels: Sequence[Label], *, with_text: bool, abstention: str | None = None
    ) -> None:
        """abstention: the word that stands for the label where the classifier abstains; None: nothing, or null."""
        self.file = file
        self.with_text = with_text
        self.abstention = abstention

    def write(self, texts: Sequence[str], predictions: Sequence[Prediction]) -> None:
        for text, prediction in zip(texts, predictions, strict=True):
            row: dict[str, Any] = {"text": text} if self.with_text else {}
            row |= {
                "label": self.abstention if prediction.label is None else prediction.label,
                "probability": round(prediction.probability, 6),
                "probabilities": {str(label): round(value, 6) for label, value in prediction.probabilities.items()},
            }
            self.file.write(msgspec.json.encode(row) + b"\n")


WRITERS: dict[str, Callable[..., Writer]] = {"csv": CsvWriter, "jsonl": JsonLinesWriter}
