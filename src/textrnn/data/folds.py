"""Folds for cross-validation."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from textrnn.data.dataset import LabelledTexts
from textrnn.data.splits import comparable_bytes
from textrnn.errors import DataError


def stratified_folds(dataset: LabelledTexts, folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each text, from 0: every class is spread evenly, copies of a text stay together. [texts]

    seed: 0 to 2**63 - 1

    As in `split_stratified`, texts that differ only in case or white space are copies of each other, and the order
    comes from a keyed hash of the text, so that the folds depend on the texts and the seed alone.

    Raises:
        ValueError: there are fewer than two folds.
        DataError: there are fewer different texts than folds.
    """
    if folds < 2:
        raise ValueError(f"folds: expected at least 2, got {folds}")
    key = seed.to_bytes(8, "little")
    hashes = [
        int.from_bytes(hashlib.blake2b(comparable_bytes(text), key=key, digest_size=8).digest())
        for text in dataset.texts
    ]
    _, group_of, sizes = np.unique(np.array(hashes, dtype=np.uint64), return_inverse=True, return_counts=True)
    if len(sizes) < folds:
        raise DataError(f"folds: expected at least {folds} different texts for {folds} folds, got {len(sizes)}")
    strata = dataset.task.strata(dataset.targets)
    group_class = np.full(len(sizes), strata.max() + 1, dtype=np.int64)
    np.minimum.at(group_class, group_of, strata)  # [groups]
    fold_of_group = np.zeros(len(sizes), dtype=np.int64)
    in_fold = np.zeros(folds, dtype=np.int64)  # texts, of all classes: small classes then do not all go to the first
    for target in range(int(strata.max()) + 1):
        of_class = np.zeros(folds, dtype=np.int64)
        for group in np.flatnonzero(group_class == target).tolist():
            fold = int(np.lexsort((in_fold, of_class))[0])  # the emptiest of this class, of these the emptiest at all
            fold_of_group[group] = fold
            of_class[fold] += sizes[group]
            in_fold[fold] += sizes[group]
    return fold_of_group[group_of]
