"""Which texts go together into one batch."""

import numpy as np
from numpy.typing import NDArray

POOL_BATCHES = 50
"""Batches that are cut out of one pool of texts sorted by length."""


def bucketed(lengths: NDArray[np.int64], batch_size: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Batches of texts of similar length, in random order; every text once. Each is [batch], positions.

    lengths:    steps a text. [texts]
    batch_size: texts a batch; one batch may be smaller
    rng:        decides everything: the same state gives the same batches

    In batches of 32, of the steps computed those on padding fall from 53 % to 3 % for sst2 and from 22 % to 1
    % for imdb (training parts, tokenizer `words`, at most 256 tokens), compared with batches cut from the
    shuffled texts.

    Texts are shuffled, sorted by length within pools of `POOL_BATCHES` batches, and cut into batches, which
    are shuffled in turn.
    """
    pool = POOL_BATCHES * _checked(batch_size)
    shuffled = rng.permutation(len(lengths))
    # A stable sort after the shuffle mixes texts of equal length anew each epoch.
    pools = [part[np.argsort(lengths[part], kind="stable")] for part in in_order(shuffled, pool)]
    batches = [batch for part in pools for batch in in_order(part, batch_size)]
    return [batches[position] for position in rng.permutation(len(batches))]


def by_length(lengths: NDArray[np.int64], batch_size: int) -> list[NDArray[np.int64]]:
    """Batches from the longest text to the shortest, for prediction; equal lengths keep their order.

    The largest batch comes first, so that memory runs out at once or never. `lengths` is [texts]; each batch
    is [batch], positions.
    """
    return in_order(np.argsort(-lengths, kind="stable"), batch_size)


def in_order(permutation: NDArray[np.int64], batch_size: int) -> list[NDArray[np.int64]]:
    """Batches of a given order, [texts] of positions; the last one may be smaller."""
    return [permutation[start : start + batch_size] for start in range(0, len(permutation), _checked(batch_size))]


def _checked(batch_size: int) -> int:
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    return batch_size
