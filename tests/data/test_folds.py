"""Folds for cross-validation: classes spread evenly, copies together, the same on every machine."""

import numpy as np
import pytest

from textrnn.data import as_examples, collect, stratified_folds
from textrnn.errors import DataError


@pytest.mark.parametrize("folds", [2, 3, 5, 10])
def test_every_class_is_spread_evenly(folds: int) -> None:
    texts = [f"text {i}" for i in range(203)]
    labels = ["a" if i % 7 else "b" if i % 2 else "c" for i in range(203)]
    dataset = collect(as_examples(texts, labels))
    fold_of = stratified_folds(dataset, folds, 1)
    for target in range(3):
        counts = np.bincount(fold_of[dataset.targets == target], minlength=folds)
        assert counts.max() - counts.min() <= 1
    sizes = np.bincount(fold_of, minlength=folds)
    assert sizes.max() - sizes.min() <= 1
    np.testing.assert_array_equal(fold_of, stratified_folds(dataset, folds, 1))
    assert (fold_of != stratified_folds(dataset, folds, 2)).any()
    order = np.random.default_rng(0).permutation(203)
    np.testing.assert_array_equal(stratified_folds(dataset.subset(order), folds, 1), fold_of[order])


def test_copies_stay_together() -> None:
    texts = [["Good  film", "good film", "x"][i % 3] + f" {i // 6}" for i in range(60)]
    dataset = collect(as_examples(texts, [i % 2 for i in range(60)]))
    fold_of = stratified_folds(dataset, 4, 0)
    places: dict[str, set[int]] = {}
    for text, fold in zip(texts, fold_of.tolist(), strict=True):
        places.setdefault(" ".join(text.lower().split()), set()).add(fold)
    assert len(places) == 20 and all(len(folds) == 1 for folds in places.values())
    assert set(fold_of.tolist()) == {0, 1, 2, 3}


def test_too_few_texts_or_folds() -> None:
    dataset = collect(as_examples(["a", "A", "b"], [0, 1, 1]))
    with pytest.raises(DataError, match="expected at least 3 different texts for 3 folds, got 2"):
        stratified_folds(dataset, 3, 0)
    with pytest.raises(ValueError, match="folds: expected at least 2, got 1"):
        stratified_folds(dataset, 1, 0)
