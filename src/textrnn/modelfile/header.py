"""The JSON header of a model file, as typed records. `docs/model-file.md` is the specification."""

from typing import Annotated

import msgspec
from msgspec import Meta

from textrnn.config import ModelConfig, TextConfig, TrainingConfig, VocabularyConfig
from textrnn.history import BaselineRecord, EpochRecord
from textrnn.labels import Label
from textrnn.modelfile.tensors import Shape, network_tensors

FORMAT_VERSION = 1
"""Raised with every change that an older reader would misunderstand."""


class DataProvenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which texts a model was trained on; enough to recognise them, not to recover them."""

    fingerprint: str
    """SHA-256 over the labels and texts in order; the same whatever the file format."""
    examples: int
    validation_fingerprint: str | None
    validation_examples: int


class VectorsProvenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which word vectors a training began with, and how much of the texts they cover."""

    file: str
    """Its name without folders."""
    fingerprint: str
    """SHA-256 over the rows that were used; the same whatever the file format."""
    words: int
    """Of the vocabulary, that have a vector."""
    tokens: float
    """Share of the training tokens, 0 to 1."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model came to be."""

    data: DataProvenance
    vocabulary: VocabularyConfig
    training: TrainingConfig
    versions: dict[str, str]
    """Of textrnn, torch, numpy and Python."""
    history: list[EpochRecord]
    best_epoch: int
    """The epoch whose weights the file holds."""
    metrics: dict[str, float]
    """Validation metrics of that epoch, by name; empty without a validation set."""
    vectors: VectorsProvenance | None = None
    """None where the embeddings began at random."""
    interrupted: bool = False
    """Whether the training was stopped by hand before its end."""
    baseline: BaselineRecord | None = None
    """The network beside a linear model on the validation texts, where that was asked for."""


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of a classifier but its weights."""

    format_version: int
    labels: list[Label]
    """In the order of the network's outputs."""
    text: TextConfig
    vocabulary: Annotated[list[str], Meta(min_length=2)]
    model: ModelConfig
    provenance: Provenance | None = None


def expected_tensors(header: Header) -> dict[str, Shape]:
    """The name and shape of every tensor (32-bit floats) that a file with this header holds."""
    return dict(network_tensors(header.model, vocabulary_size=len(header.vocabulary), classes=len(header.labels)))
