"""Labelled texts in memory: what training and evaluation work on."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textrnn.data.example import Example
from textrnn.errors import DataError
from textrnn.labels import Label, ordered


@dataclass(frozen=True, eq=False)
class LabelledTexts:
    """Texts with their classes; a class is a position in `labels`."""

    texts: list[str]
    targets: NDArray[np.int64]
    """Class of each text. [texts]"""
    labels: list[Label]
    """The classes, in the order of `textrnn.labels.ordered`, or as a model lists them. [classes]"""
    paths: list[str | None]
    """File of each text; see `Example.path`. [texts]"""
    lines: NDArray[np.int64]
    """Line of each text; see `Example.line`; -1 where there is none. [texts]"""

    def __len__(self) -> int:
        return len(self.texts)

    def example(self, index: int) -> Example:
        """One text with its label and place."""
        line = int(self.lines[index])
        label = self.labels[self.targets[index]]
        return Example(self.texts[index], label, self.paths[index], None if line < 0 else line)

    def place(self, index: int) -> str:
        """Where a text stands, for messages: "reviews.csv, line 7"."""
        return self.example(index).place

    def counts(self) -> NDArray[np.int64]:
        """Texts a class. [classes]"""
        return np.bincount(self.targets, minlength=len(self.labels)).astype(np.int64, copy=False)

    def subset(self, indices: NDArray[np.int64]) -> "LabelledTexts":
        """The texts at `indices`, in this order, with all classes kept."""
        return LabelledTexts(
            texts=[self.texts[index] for index in indices],
            targets=self.targets[indices],
            labels=self.labels,
            paths=[self.paths[index] for index in indices],
            lines=self.lines[indices],
        )

    def fingerprint(self) -> str:
        """The digest "sha256:…" of all labels and texts in their order, whatever file they come from.

        Hashed is, for each text: `s` for a string label or `i` for an integer one; the label in UTF-8, or in
        decimal digits; the text in UTF-8. Before label and text stands their number of bytes, 8 bytes
        little-endian, so that no two data sets give the same bytes. Paths, lines and the order of `labels` do
        not count.
        """
        prefixes = [(b"i" if isinstance(label, int) else b"s") + _prefixed(str(label)) for label in self.labels]
        digest = hashlib.sha256()
        for target, text in zip(self.targets.tolist(), self.texts, strict=True):
            digest.update(prefixes[target])
            digest.update(_prefixed(text))
        return f"sha256:{digest.hexdigest()}"


def collect(examples: Iterable[Example], labels: Sequence[Label] | None = None) -> LabelledTexts:
    """All examples in memory, in their order.

    labels: the classes of a model, for evaluation; a label is found by how it is written, so a CSV file's "1" is the
        model's 1. None: the classes of the examples, at least two

    Raises:
        DataError: there are no examples, one has no label or one that is not among `labels`, labels mix
            strings and integers, or all texts have one label; the message names the place.
    """
    texts: list[str] = []
    paths: list[str | None] = []
    lines: list[int] = []
    targets: list[int] = []
    classes: dict[Label, int] = {} if labels is None else {label: target for target, label in enumerate(labels)}
    # A CSV file cannot tell 1 from "1": against given labels, what is written alike is the same.
    by_writing = {str(label): target for label, target in classes.items()}
    for example in examples:
        label = example.label
        target = None if label is None else classes.get(label)
        if target is None and labels is not None:
            target = by_writing.get(str(label))
        if target is None:
            if label is None:
                raise example.error("the label is missing")
            if labels is not None:
                raise example.error(_unknown(label, labels))
            target = classes[label] = _new_class(example, label, classes)
        texts.append(example.text)
        targets.append(target)
        paths.append(example.path)
        lines.append(-1 if example.line is None else example.line)
    if not texts:
        raise DataError("there are no examples, expected at least one")
    if labels is None and len(classes) == 1:
        raise DataError(
            f"all {len(texts)} texts have the label {next(iter(classes))!r}, expected at least two labels",
            path=paths[0],
        )
    listing = ordered(classes) if labels is None else list(labels)
    rank = {label: position for position, label in enumerate(listing)}
    positions = np.array([rank[label] for label in classes], dtype=np.int64)
    return LabelledTexts(
        texts=texts,
        targets=positions[np.array(targets, dtype=np.int64)],
        labels=listing,
        paths=paths,
        lines=np.array(lines, dtype=np.int64),
    )


def _new_class(example: Example, label: Label, classes: dict[Label, int]) -> int:
    if classes:
        try:
            ordered([next(iter(classes)), label])
        except ValueError as error:
            raise example.error(str(error)) from error
    return len(classes)


def _unknown(label: Label, labels: Sequence[Label], limit: int = 10) -> str:
    known = ", ".join(repr(other) for other in labels[:limit])
    if len(labels) > limit:
        known += f", … ({len(labels)} in all)"
    return f"unknown label {label!r}, expected one of {known}"


def _prefixed(text: str) -> bytes:
    encoded = text.encode("utf-8", "surrogatepass")
    return len(encoded).to_bytes(8, "little") + encoded
