"""Labelled texts in memory: what training and evaluation work on."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.data.example import Example
from textrnn.errors import DataError
from textrnn.labels import AnyLabel, Label
from textrnn.tasks import SINGLE_LABEL, Task


@dataclass(frozen=True, eq=False)
class LabelledTexts:
    """Texts with their targets; where these are classes, a class is a position in `labels`."""

    texts: list[str]
    targets: NDArray[Any]
    """Class of each text [texts], whether it has each label [texts, labels], or its number [texts]."""
    labels: list[Label]
    """The classes, in the order of `textrnn.labels.ordered`, of the levels, or as a model lists them; empty where
    targets are numbers. [classes]"""
    paths: list[str | None]
    """File of each text; see `Example.path`. [texts]"""
    lines: NDArray[np.int64]
    """Line of each text; see `Example.line`; -1 where there is none. [texts]"""
    task: Task = SINGLE_LABEL
    """Says what the targets mean."""
    weights: NDArray[np.float64] | None = None
    """Of each text in what is learned from, at least 0; None: all 1. [texts]"""

    def __len__(self) -> int:
        return len(self.texts)

    def example(self, index: int) -> Example:
        """One text with its label and place."""
        line = int(self.lines[index])
        return Example(self.texts[index], self.label(index), self.paths[index], None if line < 0 else line)

    def label(self, index: int) -> AnyLabel:
        """One text's label as the data have it."""
        return self.task.label_of(self.targets[index], self.labels)

    def place(self, index: int) -> str:
        """Where a text stands, for messages: "reviews.csv, line 7"."""
        return self.example(index).place

    def counts(self) -> NDArray[np.int64]:
        """Texts a class, or of each label. [classes]"""
        if self.targets.ndim > 1:
            return np.asarray(self.targets.sum(axis=0), dtype=np.int64)
        return np.bincount(self.targets, minlength=len(self.labels)).astype(np.int64, copy=False)

    def subset(self, indices: NDArray[np.int64]) -> "LabelledTexts":
        """The texts at `indices`, in this order, with all classes kept."""
        return LabelledTexts(
            texts=[self.texts[index] for index in indices],
            targets=self.targets[indices],
            labels=self.labels,
            paths=[self.paths[index] for index in indices],
            lines=self.lines[indices],
            task=self.task,
            weights=None if self.weights is None else self.weights[indices],
        )

    def followed_by(self, other: "LabelledTexts") -> "LabelledTexts":
        """The texts of both, one after the other; classes and task are those of this one, and must be the other's."""
        weights = None
        if self.weights is not None or other.weights is not None:
            weights = np.concatenate([part._own_weights() for part in (self, other)])
        return LabelledTexts(
            texts=[*self.texts, *other.texts],
            targets=np.concatenate([self.targets, other.targets]),
            labels=self.labels,
            paths=[*self.paths, *other.paths],
            lines=np.concatenate([self.lines, other.lines]),
            task=self.task,
            weights=weights,
        )

    def _own_weights(self) -> NDArray[np.float64]:
        return np.ones(len(self)) if self.weights is None else self.weights

    def with_task(self, task: Task) -> "LabelledTexts":
        """The same for a task that has learned something."""
        return replace(self, task=task)

    def fingerprint(self) -> str:
        """The digest "sha256:…" of all labels and texts in their order, whatever file they come from.

        Hashed is, for each text: `s` for a string label or `i` for an integer one; the label in UTF-8, or in
        decimal digits; the text in UTF-8. Before label and text stands their number of bytes, 8 bytes
        little-endian, so that no two data sets give the same bytes. For several labels: `m`, how many there are in
        8 bytes, and each of them so, in the order of how they are written. For a number: `f` and its shortest
        decimal form as a label. Weights, where there are some, come after all texts as numbers of 8 bytes,
        little-endian. Paths, lines and the order of `labels` do not count.
        """
        digest = hashlib.sha256()
        for index, text in enumerate(self.texts):
            digest.update(_label_bytes(self.label(index)))
            digest.update(_prefixed(text))
        if self.weights is not None:
            digest.update(self.weights.astype("<f8").tobytes())
        return f"sha256:{digest.hexdigest()}"


def collect(
    examples: Iterable[Example], labels: Sequence[Label] | None = None, *, task: Task = SINGLE_LABEL
) -> LabelledTexts:
    """All examples in memory, in their order.

    labels: those of a model, for evaluation; a label is found by how it is written, so a CSV file's "1" is the
        model's 1. None: those of the examples, which must be enough to learn from
    task: what becomes of the labels

    Raises:
        DataError: there are no examples, one has no label or one that is not among `labels`, labels mix
            strings and integers, or all texts have one label; the message names the place.
    """
    texts: list[str] = []
    paths: list[str | None] = []
    lines: list[int] = []
    found = task.collector(labels)
    for example in examples:
        try:
            found.add(example.label)
        except ValueError as error:
            raise example.error(str(error)) from error
        texts.append(example.text)
        paths.append(example.path)
        lines.append(-1 if example.line is None else example.line)
    if not texts:
        raise DataError("there are no examples, expected at least one")
    try:
        targets, listing = found.result()
    except ValueError as error:
        raise DataError(str(error), path=paths[0]) from error
    return LabelledTexts(
        texts=texts, targets=targets, labels=listing, paths=paths, lines=np.array(lines, dtype=np.int64), task=task
    )


def _label_bytes(label: AnyLabel) -> bytes:
    if isinstance(label, tuple):
        return b"m" + len(label).to_bytes(8, "little") + b"".join(map(_label_bytes, label))
    if isinstance(label, float):
        return b"f" + _prefixed(repr(label))
    return (b"i" if isinstance(label, int) else b"s") + _prefixed(str(label))


def _prefixed(text: str) -> bytes:
    encoded = text.encode("utf-8", "surrogatepass")
    return len(encoded).to_bytes(8, "little") + encoded
