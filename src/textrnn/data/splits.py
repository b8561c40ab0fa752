"""Splitting off a validation set, and texts that stand on both sides of a split."""

import hashlib
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textrnn.data.dataset import LabelledTexts
from textrnn.errors import DataError


def split_stratified(dataset: LabelledTexts, fraction: float, seed: int) -> tuple[LabelledTexts, LabelledTexts]:
    """Training and validation texts: each class gives its share, copies of a text stay together.

    fraction: part of the texts that go to validation, 0 < fraction < 1, rounded up to whole texts
    seed:     0 to 2**63 - 1

    Texts that differ only in case or white space are copies of each other; all of them go to one side, with
    the class that comes first in `labels` if theirs differ. The order in which texts are chosen is that of a
    keyed hash of the text, so the split depends on the texts and the seed alone: neither on the order of the
    file nor on versions of NumPy. A class that has one text (or one text and its copies) stays in training.
    Both sides keep the data set's order.

    Raises:
        ValueError: `fraction` is out of range.
        DataError: no class has two different texts.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must lie between 0 and 1, got {fraction}")
    key = seed.to_bytes(8, "little")
    hashes = [
        int.from_bytes(hashlib.blake2b(comparable_bytes(text), key=key, digest_size=8).digest())
        for text in dataset.texts
    ]
    # Groups of copies, in the order of their hashes: random, but the same on every machine.
    _, group_of, sizes = np.unique(np.array(hashes, dtype=np.uint64), return_inverse=True, return_counts=True)
    strata = dataset.task.strata(dataset.targets)
    group_class = np.full(len(sizes), strata.max() + 1, dtype=np.int64)
    np.minimum.at(group_class, group_of, strata)  # [groups]

    quotas = _quotas(np.bincount(group_class, weights=sizes).astype(np.int64), fraction)
    chosen = np.zeros(len(sizes), dtype=np.bool_)  # [groups]
    for target, quota in enumerate(quotas.tolist()):
        groups = np.flatnonzero(group_class == target)
        for group in groups.tolist():  # never all of them: a quota is less than its class
            if sizes[group] <= quota:
                chosen[group] = True
                quota -= sizes[group]
    if not chosen.any():
        # Copies only: those of the text with the fewest, although they are more than the share.
        divisible = np.flatnonzero(np.bincount(group_class)[group_class] > 1)
        chosen[divisible[np.argsort(sizes[divisible], kind="stable")[:1]]] = True
    if not chosen.any():
        raise DataError(
            f"no text can be split off for validation: no class has two different texts among {len(dataset)}"
        )
    in_validation = chosen[group_of]  # [texts]
    return dataset.subset(np.flatnonzero(~in_validation)), dataset.subset(np.flatnonzero(in_validation))


class Overlap(NamedTuple):
    """A text that stands in two data sets."""

    text: str
    """As written in the second one."""
    first: str
    """Its place in the first one."""
    second: str
    """Its place in the second one."""


def overlap(train: LabelledTexts, validation: LabelledTexts) -> list[Overlap]:
    """The texts of `validation` that also stand in `train`, whatever their labels, in the order of
    `validation`.

    Two texts are the same if they differ only in case or white space, as they then do for every tokenizer.
    """
    known = {comparable_bytes(text): index for index, text in reversed(list(enumerate(train.texts)))}
    return [
        Overlap(text, train.place(known[comparable]), validation.place(index))
        for index, text in enumerate(validation.texts)
        if (comparable := comparable_bytes(text)) in known
    ]


def comparable_bytes(text: str) -> bytes:
    """What copies of a text have in common: all but case and white space."""
    return " ".join(text.casefold().split()).encode("utf-8", "surrogatepass")


def _quotas(counts: NDArray[np.int64], fraction: float) -> NDArray[np.int64]:
    """Texts of each class for validation: shares rounded down, the rest by largest remainder. [classes]"""
    shares = counts * fraction
    quotas: NDArray[np.int64] = np.floor(shares).astype(np.int64)
    remaining = math.ceil(counts.sum() * fraction) - int(quotas.sum())
    remainders = np.where(counts > 1, shares - quotas, -1.0)
    quotas[np.argsort(-remainders, kind="stable")[:remaining]] += 1
    most: NDArray[np.int64] = np.maximum(counts - 1, 0)
    return np.minimum(quotas, most)
