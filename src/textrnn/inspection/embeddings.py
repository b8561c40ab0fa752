"""What the embeddings have learned: words near a word, and a map of them.

The networks of a model have embeddings of their own. Here a word is all of them side by side, so that no network is
taken for the whole: each scaled to length 1 for neighbours, so that the cosine is the mean of the networks' cosines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textrnn.errors import ConfigError
from textrnn.files import require
from textrnn.modelfile import member_prefixes
from textrnn.runtime import Classifier
from textrnn.text import UNK_ID


@dataclass(frozen=True)
class EmbeddingMap:
    """Words in the plane."""

    words: tuple[str, ...]
    points: NDArray[np.float64]
    """[words, 2]"""
    method: str
    explained: NDArray[np.float64] | None
    """The share of the variance on each axis, 0 to 1, of principal components; else None. [2]"""


def neighbours(classifier: Classifier, word: str, *, count: int = 10) -> list[tuple[str, float]]:
    """The words whose embeddings have the largest cosine with this one's, the nearest first, and that cosine.

    Raises:
        ConfigError: the word is not in the vocabulary, or its embedding is zero.
    """
    ids = dict(zip(classifier.header.vocabulary, range(len(classifier.header.vocabulary)), strict=True))
    place = ids.get(word, 0)
    if place <= UNK_ID:
        raise ConfigError(f"word: expected one of the {len(ids) - 2:,} words of the vocabulary, got {word!r}")
    cosines = np.zeros(len(ids))
    for table in _tables(classifier):
        lengths = np.linalg.norm(table, axis=1)
        if lengths[place] == 0:
            raise ConfigError(f"word: the embedding of {word!r} is zero, so that no direction is near to it")
        cosines += table @ table[place] / (np.maximum(lengths, 1e-30) * lengths[place])
    cosines /= classifier.header.model.members
    cosines[[0, 1, place]] = -np.inf  # <PAD> and <UNK> are no words
    nearest = np.argsort(-cosines, kind="stable")[: min(count, len(ids) - 3)]
    return [(classifier.header.vocabulary[at], float(cosines[at])) for at in nearest.tolist()]


def embedding_map(
    classifier: Classifier, words: Sequence[str] | None = None, *, count: int = 300, method: str = "pca", seed: int = 0
) -> EmbeddingMap:
    """Words in the plane, such that near ones have similar embeddings.

    Args:
        classifier: a classifier.
        words: of the vocabulary; None: the `count` most frequent ones.
        count: of words where none are given.
        method: `pca`, the two principal components, each axis turned so that its largest number is positive; `umap`
            (McInnes, Healy and Melville 2018, arXiv:1802.03426), where that is installed.
        seed: of UMAP's random numbers.

    Raises:
        ConfigError: a word is not in the vocabulary, there are fewer than three, or there is no such method.
        MissingDependencyError: UMAP is not installed.
    """
    if method not in ("pca", "umap"):
        raise ConfigError(f"method: expected pca or umap, got {method!r}")
    ids = {word: at for at, word in enumerate(classifier.header.vocabulary) if at > UNK_ID}
    chosen = list(ids)[:count] if words is None else list(words)
    if missing := [word for word in chosen if word not in ids]:
        raise ConfigError(f"words: expected words of the vocabulary, got {missing[0]!r}")
    if len(chosen) < 3:
        raise ConfigError(f"words: expected at least three for a map, got {len(chosen)}")
    rows = np.concatenate([table[[ids[word] for word in chosen]] for table in _tables(classifier)], axis=1)
    if method == "umap":
        umap = require("umap", extra="umap", purpose="this map")
        few = len(chosen) < 16  # too few for eigenvectors to begin with
        layout = umap.UMAP(
            n_components=2,
            n_neighbors=min(15, len(chosen) - 1),
            init="random" if few else "spectral",
            random_state=seed,
            n_jobs=1,
        )
        points = layout.fit_transform(rows)
        return EmbeddingMap(tuple(chosen), np.asarray(points, dtype=np.float64), "umap", None)
    points, explained = principal_components(rows)
    return EmbeddingMap(tuple(chosen), points, "pca", explained)


def principal_components(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first two: points [rows, 2], and the share of the variance on each axis [2]."""
    left, singular, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    points = np.zeros((len(rows), 2))
    used = min(2, len(singular))
    points[:, :used] = left[:, :used] * singular[:used]
    points *= np.where(points[np.abs(points).argmax(axis=0), [0, 1]] < 0, -1.0, 1.0)
    explained = np.zeros(2)
    explained[:used] = (singular**2)[:used] / max(float((singular**2).sum()), 1e-300)
    return points, explained


def _tables(classifier: Classifier) -> list[NDArray[np.float64]]:
    """The embeddings of each network. [vocabulary, features] each"""
    prefixes = member_prefixes(classifier.header.model)
    return [classifier.weights[f"{prefix}embedding.weight"].astype(np.float64) for prefix in prefixes]
