"""A training that begins with word vectors: where they go, and how fast they move."""

import logging
from pathlib import Path
from typing import Any

import torch

from textrnn.config import Recipe
from textrnn.errors import ConfigError
from textrnn.model import TextClassifier
from textrnn.modelfile import VectorsProvenance
from textrnn.text import TextEncoder
from textrnn.training.examples import EncodedExamples
from textrnn.vectors import Coverage, WordVectors, read_vectors, vector_size

logger = logging.getLogger("textrnn")

TUNED_RATE = 0.1
"""Share of the learning rate with which vectors are tuned: they know more than a few thousand texts can tell them."""


def with_vector_size(settings: dict[str, Any], vectors: str | Path | None) -> dict[str, Any]:
    """The settings with the embedding size that a file of vectors asks for, before hours of work begin.

    Raises:
        ConfigError: another size is among the settings.
        DataError: the file cannot be read.
    """
    if vectors is None:
        return settings
    size = vector_size(vectors)
    if (asked := settings.get("embedding_size", size)) != size:
        raise ConfigError(f"embedding_size: expected {size}, the size of the vectors in {vectors}, got {asked!r}")
    return settings | {"embedding_size": size}


def begin_with_vectors(
    path: str | Path,
    recipe: Recipe,
    model: TextClassifier,
    encoder: TextEncoder,
    training: EncodedExamples,
    stream: torch.Generator,
) -> VectorsProvenance:
    """Read the vectors of the vocabulary into an initialised model, and set how it learns them.

    Words without a vector get normal numbers with the standard deviation of those that have one.

    Raises:
        ConfigError: the embedding size is not that of the vectors, or no word has a vector.
        DataError: the file cannot be read.
    """
    vectors = read_vectors(path, encoder.vocabulary.tokens)
    if vectors.size != recipe.model.embedding_size:
        raise ConfigError(
            f"embedding_size: expected {vectors.size}, the size of the vectors in {path}, "
            f"got {recipe.model.embedding_size}"
        )
    coverage = Coverage.of(vectors.found, training.texts.ids)
    if not coverage.words:
        raise ConfigError(f"vectors: none of the {coverage.of_words} words of the vocabulary has a vector in {path}")
    logger.info("%s (%s): %s%s", path, vectors.kind, coverage, remarks(vectors))
    place_vectors(model, vectors, stream)
    model.embedding_rate = 0.0 if recipe.training.vectors_training == "frozen" else TUNED_RATE
    model.embedding.weight.requires_grad_(model.embedding_rate > 0)
    return VectorsProvenance(
        file=Path(path).name.encode(errors="backslashreplace").decode(),  # a name need not be text
        fingerprint=vectors.fingerprint(),
        words=coverage.words,
        tokens=coverage.tokens / max(coverage.of_tokens, 1),
    )


@torch.no_grad()
def place_vectors(model: TextClassifier, vectors: WordVectors, stream: torch.Generator) -> None:
    """Fill the embedding: the vectors, random rows of their deviation for other words, zeros for the padding."""
    table = model.embedding.weight
    table.normal_(std=vectors.deviation(), generator=stream)
    found = torch.from_numpy(vectors.found)
    table[found] = torch.from_numpy(vectors.rows)[found]
    table[model.embedding.padding_idx] = 0


def remarks(vectors: WordVectors) -> str:
    """What else a user should know."""
    parts = []
    if vectors.composed:
        parts.append(f"{vectors.composed:,} of them made of their character n-grams")
    if vectors.unreadable:
        parts.append(f"{vectors.unreadable:,} words of the file are not UTF-8 and were left out")
    return "".join(f"; {part}" for part in parts)
