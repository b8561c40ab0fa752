"""What a training tells of itself to those who watch it, beside its steps and epochs."""

import msgspec

from textrnn.config import Recipe
from textrnn.history import PartRecord
from textrnn.labels import Label


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """Told once, before the first step."""

    recipe: Recipe
    labels: list[Label]
    """Empty where a number is predicted."""
    examples: int
    """Training texts."""
    validation_examples: int
    tokens: int
    """Of the training texts, after cutting."""
    vocabulary: int


class WatchedText(msgspec.Struct, frozen=True, kw_only=True):
    """One text and what a model says of it."""

    text: str
    expected: str | None
    """Its label as it is written; None where it is not known."""
    predicted: str
    right: bool | None
    """None where the label is not known, or is a number."""
    answer: list[float]
    """The probability of every label, or the number."""


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """One network after one epoch."""

    epoch: int
    """Counted from 1."""
    texts: list[WatchedText]
    """Judged by this network alone."""
    gradient_norms: dict[str, float]
    """Before clipping, of the loss without dropout over the same few training texts; by the modules' names."""
    network: int = 1
    """Counted from 1."""


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """Told once, when the model is complete."""

    metrics: dict[str, float]
    """Of the whole model on the validation texts, by name; empty without any."""
    parts: list[PartRecord]
    """Of a model that has several."""
    texts: list[WatchedText]
    """Judged by the whole model."""
    best_epoch: int
    """Of the first network."""
    interrupted: bool
