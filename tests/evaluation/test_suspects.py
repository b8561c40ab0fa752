"""Confident learning against cleanlab called directly, and against labels that were made wrong on purpose."""

import sys

import numpy as np
import pytest
from cleanlab.count import compute_confident_joint
from cleanlab.filter import find_label_issues
from numpy.typing import NDArray

from textrnn.errors import MissingDependencyError
from textrnn.evaluation import find_suspects


def noisy(
    classes: int, examples: int, *, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Given targets of which a tenth are wrong, the true ones, and probabilities of a classifier of some skill."""
    generator = np.random.default_rng(seed)
    true = generator.integers(classes, size=examples)
    logits = generator.normal(size=(examples, classes))
    logits[np.arange(examples), true] += 4
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    given = true.copy()
    wrong = generator.choice(examples, size=examples // 10, replace=False)
    given[wrong] = (given[wrong] + generator.integers(1, classes, size=len(wrong))) % classes
    return given, true, probabilities


@pytest.mark.parametrize(("classes", "examples"), [(2, 400), (5, 1000)])
def test_wrong_labels_are_found_as_cleanlab_finds_them(classes: int, examples: int) -> None:
    given, true, probabilities = noisy(classes, examples)
    labels = [f"class {i}" for i in range(classes)]
    found = find_suspects(given, probabilities, labels, texts=[f"text {i}" for i in range(examples)])
    expected = find_label_issues(given, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1)
    assert [row.index for row in found] == list(expected)
    wrong = set(np.flatnonzero(given != true).tolist())
    indices = [row.index for row in found]
    assert len(wrong & set(indices)) / len(wrong) > 0.8
    assert len(wrong & set(indices)) / len(indices) > 0.7
    assert np.mean([row.suggested == labels[true[row.index]] for row in found]) > 0.8
    for row in found:
        assert row.text == f"text {row.index}"
        assert row.label == labels[given[row.index]] != row.suggested
        assert row.suggested == labels[probabilities[row.index].argmax()]
        assert row.score == pytest.approx(probabilities[row.index, given[row.index]])
    assert [row.score for row in found] == sorted(row.score for row in found)


def test_suspects_by_hand() -> None:
    """Both classes' mean probability over their own examples is 0.7; one example of each reaches the other's."""
    first = np.array([0.9, 0.9, 0.9, 0.1])
    probabilities = np.concatenate([np.stack([first, 1 - first], axis=1), np.stack([1 - first, first], axis=1)])
    given = np.array([0] * 4 + [1] * 4)
    assert compute_confident_joint(given, probabilities, calibrate=False).tolist() == [[3, 1], [1, 3]]
    found = find_suspects(given, probabilities, ["a", "b"], places=[f"d.csv, line {i}" for i in range(8)])
    assert [(row.index, row.label, row.suggested, round(row.score, 9), row.place) for row in found] == [
        (3, "a", "b", 0.1, "d.csv, line 3"),
        (7, "b", "a", 0.1, "d.csv, line 7"),
    ]


def test_classes_without_examples_are_never_suggested() -> None:
    given, _, probabilities = noisy(3, 300)
    wide = np.concatenate([0.4 * probabilities, np.full((300, 1), 0.6)], axis=1)  # a fourth class that nobody gave
    found, narrow = find_suspects(given, wide, range(4)), find_suspects(given, probabilities, range(3))
    assert [(row.index, row.suggested) for row in found] == [(row.index, row.suggested) for row in narrow]
    assert [row.score for row in found] == pytest.approx([row.score for row in narrow])
    assert len(found) > 20
    wide[7] = [0, 0, 0, 1]
    assert all(row.suggested != 3 for row in find_suspects(given, wide, range(4)))
    assert find_suspects(np.zeros(3, dtype=int), np.full((3, 2), 0.5), ["a", "b"]) == []


def test_few_examples_of_a_class_warn_nobody() -> None:
    given, _, probabilities = noisy(3, 60)
    given[0] = 2
    one = np.where(given == 2, 0, given)
    one[5] = 2
    assert isinstance(find_suspects(one, probabilities, range(3)), list)


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    with pytest.raises(MissingDependencyError, match=r"cleanlab.*pip install 'textrnn\[suspects\]'"):
        find_suspects(np.array([0, 1]), np.full((2, 2), 0.5), ["a", "b"])
