"""Texts that belong to none of a model's classes, set apart by their label."""

from collections.abc import Iterable, Sequence

from textrnn.data.example import Example
from textrnn.errors import ConfigError, DataError
from textrnn.labels import Label


def set_apart(examples: Iterable[Example], label: Label, labels: Sequence[Label]) -> tuple[list[Example], list[str]]:
    """The examples with any other label, and the texts of those labelled `label`, by how it is written.

    labels: the classes of the model, to which `label` must not belong

    Raises:
        ConfigError: `label` is one of the model's classes.
        DataError: no example has the label, or all have it.
    """
    written = str(label)
    if written in map(str, labels):
        raise ConfigError(f"out_of_scope: expected a label that the model does not know, got its class {label!r}")
    known: list[Example] = []
    unknown: list[str] = []
    for example in examples:
        if str(example.label) == written:
            unknown.append(example.text)
        else:
            known.append(example)
    if not unknown:
        raise DataError(f"out_of_scope: no text has the label {label!r}")
    if not known:
        raise DataError(f"out_of_scope: all texts have the label {label!r}, expected some of the model's classes, too")
    return known, unknown
