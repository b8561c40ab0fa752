"""The JSON header of a model file, as typed records. `docs/model-file.md` is the specification."""

from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from textrnn.config import ModelConfig, TextConfig, TrainingConfig, VocabularyConfig
from textrnn.history import BaselineRecord, EpochRecord, PartRecord
from textrnn.labels import Label
from textrnn.modelfile.tensors import NGRAM_KEYS, Shape, network_tensors, ngram_tensors
from textrnn.tasks import SINGLE_LABEL, AnyTask

FORMAT_VERSION = 1
"""Raised with every change that an older reader would misunderstand."""


class DataProvenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which texts a model was trained on; enough to recognise them, not to recover them."""

    fingerprint: str
    """SHA-256 over the labels and texts in order; the same whatever the file format."""
    examples: int
    validation_fingerprint: str | None
    validation_examples: int


class TextsProvenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which texts a base was trained on."""

    fingerprint: str
    """SHA-256 over the texts in order."""
    texts: int
    tokens: int
    validation_texts: int


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
    parts: list[PartRecord] = []
    """Of a model that has several, or whose scores are calibrated; `history` is then the first network's."""
    vectors: VectorsProvenance | None = None
    """None where the embeddings began at random."""
    base: TextsProvenance | None = None
    """The texts that a base was pre-trained on from which the networks began; None where there was none."""
    unlabelled_examples: int = 0
    """Texts without labels from which the networks learned, by self-training or virtual adversarial training."""
    interrupted: bool = False
    """Whether the training was stopped by hand before its end."""
    baseline: BaselineRecord | None = None
    """The network beside a linear model on the validation texts, where that was asked for."""


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of a classifier but its weights."""

    format_version: int
    labels: list[Label]
    """In the order of the network's outputs, or of the levels; none where a number is predicted."""
    task: AnyTask = SINGLE_LABEL
    """What the outputs mean."""
    text: TextConfig
    vocabulary: Annotated[list[str], Meta(min_length=2)]
    model: ModelConfig
    ngrams: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    """N-grams that have a row of weights."""
    provenance: Provenance | None = None


def expected_tensors(header: Header) -> dict[str, Shape]:
    """The name and shape of every tensor (numbers of 32 bits) that a file with this header holds."""
    classes = header.task.outputs(len(header.labels))
    return {
        **dict(network_tensors(header.model, vocabulary_size=len(header.vocabulary), classes=classes)),
        **dict(ngram_tensors(header.model, ngrams=header.ngrams, classes=classes)),
    }


def expected_type(name: str) -> np.dtype[Any]:
    """The type of a tensor in a file: 32-bit floats, but for the keys of the n-grams."""
    return np.dtype("<i4" if name == NGRAM_KEYS else "<f4")
