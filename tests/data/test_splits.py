"""Splits: every class gives its share, copies stay together, and nothing but texts and seed decides."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from textrnn.data import LabelledTexts, as_examples, collect, overlap, split_stratified
from textrnn.errors import DataError


def labelled(rows: list[tuple[str, int]]) -> LabelledTexts:
    return collect(as_examples(rows), labels=sorted({label for _, label in rows}))


def test_shares_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    for classes, texts, fraction in ((2, 100, 0.1), (6, 5452, 0.2), (150, 3000, 0.1), (150, 1501, 0.25)):
        weights = rng.dirichlet(np.full(classes, 5.0))
        targets = np.concatenate(
            [np.repeat(np.arange(classes), 2), rng.choice(classes, texts - 2 * classes, p=weights)]
        )
        data = labelled([(f"text {row}", target) for row, target in enumerate(targets.tolist())])
        train, validation = split_stratified(data, fraction, seed=1)
        ours = validation.counts()
        _, theirs = train_test_split(targets, test_size=fraction, stratify=targets, random_state=0)
        theirs = np.bincount(theirs, minlength=classes)
        assert len(validation) == theirs.sum()
        assert np.abs(ours - theirs).max() <= 1
        assert (train.counts() + ours == data.counts()).all()


ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "A ", "b", "c", "D", " d", "e", "f", "g", "h\n", "H", ""]), st.integers(0, 3)),
    min_size=1,
    max_size=60,
)


@given(ROWS, st.floats(0.01, 0.99), st.integers(0, 2**63 - 1))
def test_every_text_once_and_copies_together(rows: list[tuple[str, int]], fraction: float, seed: int) -> None:
    data = labelled(rows)
    try:
        train, validation = split_stratified(data, fraction, seed)
    except DataError:
        groups = {(text.strip().lower()): label for text, label in sorted(rows, key=lambda row: -row[1])}
        assert max(Counter(groups.values()).values()) == 1
        return
    examples = Counter(train.example(index) for index in range(len(train)))
    examples.update(validation.example(index) for index in range(len(validation)))
    assert examples == Counter(data.example(index) for index in range(len(data)))
    assert overlap(train, validation) == []
    assert len(train) and len(validation)
    assert (np.diff(train.lines) > 0).all() and (np.diff(validation.lines) > 0).all()


def test_classes_with_a_single_text_stay_in_training() -> None:
    rows = [(f"text {row}", 0) for row in range(50)] + [("only", 1), ("twice", 2), ("TWICE", 2)]
    for seed in range(20):
        train, validation = split_stratified(labelled(rows), 0.5, seed)
        assert train.counts()[1:].tolist() == [1, 2]
        assert validation.counts()[1:].tolist() == [0, 0]


def test_copies_alone_are_split_too() -> None:
    train, validation = split_stratified(labelled([("a", 0)] * 5 + [("b", 0)] * 3 + [("c", 1)]), 0.1, seed=0)
    assert train.texts == ["a"] * 5 + ["c"]
    assert validation.texts == ["b"] * 3


def test_the_split_is_the_same_for_ever() -> None:
    data = labelled([(f"text {row}", row % 2) for row in range(20)])
    _, validation = split_stratified(data, 0.2, seed=42)
    assert validation.texts == ["text 7", "text 11", "text 16", "text 18"]
    _, other = split_stratified(data, 0.2, seed=43)
    assert other.texts != validation.texts


def test_the_order_of_the_file_does_not_matter() -> None:
    rows = [(f"text {row}", row % 3) for row in range(100)]
    _, validation = split_stratified(labelled(rows), 0.2, seed=1)
    _, reversed_validation = split_stratified(labelled(rows[::-1]), 0.2, seed=1)
    assert sorted(validation.texts) == sorted(reversed_validation.texts)


def test_each_text_is_chosen_about_equally_often() -> None:
    data = labelled([(f"text {row}", row % 2) for row in range(20)])
    chosen = Counter(text for seed in range(500) for text in split_stratified(data, 0.2, seed)[1].texts)
    assert len(chosen) == 20
    assert all(60 < count < 140 for count in chosen.values())  # 100 expected, standard deviation 9


def test_refused() -> None:
    data = labelled([("a", 0), ("b", 1)])
    with pytest.raises(DataError, match="no class has two different texts among 2"):
        split_stratified(data, 0.5, seed=0)
    for fraction in (0.0, 1.0, -0.1):
        with pytest.raises(ValueError, match="fraction must lie between 0 and 1"):
            split_stratified(data, fraction, seed=0)


def test_overlap_names_both_places() -> None:
    train = labelled([("Good  film", 0), ("bad", 1), ("good film", 0)])
    test = labelled([("new", 0), ("good film ", 1)])
    assert [tuple(found) for found in overlap(train, test)] == [("good film ", "row 0", "row 1")]
