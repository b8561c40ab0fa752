"""Selective prediction, lengths and out-of-scope figures against scikit-learn and against loops written out."""

from collections.abc import Callable
from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pytest
import sklearn.metrics

from textrnn.evaluation import evaluate, to_text
from textrnn.evaluation.selection import accuracy_by_length, select


def risk_coverage(wrong: list[bool]) -> float:
    """Mean error rate of the first 1, 2, … examples, which are the most certain ones."""
    return sum(sum(wrong[:n]) / n for n in range(1, len(wrong) + 1)) / len(wrong)


@pytest.mark.parametrize(("classes", "examples"), [(2, 500), (3, 47), (20, 2000)])
def test_handing_over_by_loops(drawn: Callable[..., Any], classes: int, examples: int) -> None:
    targets, probabilities = drawn(classes, examples)
    probabilities = 0.9 * probabilities.astype(np.float64) + 0.1 * np.random.default_rng(9).dirichlet(
        np.ones(classes), size=examples
    )
    found = evaluate(targets, probabilities, range(classes)).selection
    rows = sorted(
        ((float(row.max()), int(row.argmax()) != target) for row, target in zip(probabilities, targets, strict=True)),
        reverse=True,
    )
    assert len({certainty for certainty, _ in rows}) == examples  # no ties, so each share is met
    assert found.area == pytest.approx(risk_coverage([wrong for _, wrong in rows]), abs=1e-12)
    for share, row in zip((0.05, 0.1, 0.2), found.handovers, strict=True):
        count = int(share * examples)
        handed, kept = rows[examples - count :], rows[: examples - count]
        assert row.examples == count
        assert row.errors_found == sum(wrong for _, wrong in handed)
        assert row.errors_left == sum(wrong for _, wrong in kept)
        assert row.accuracy.value == pytest.approx(1 - row.errors_left / len(kept))
        assert row.threshold == kept[-1][0]


def test_area_takes_ties_as_if_in_random_order() -> None:
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.3, 0.7], [0.7, 0.3], [0.6, 0.4]])
    targets = np.array([0, 1, 1, 0, 1])
    certainties, wrong = [0.9, 0.7, 0.7, 0.7, 0.6], [False, True, False, False, True]
    every = [
        risk_coverage([wrong[i] for i in order])
        for order in permutations(range(5))
        if all(certainties[a] >= certainties[b] for a, b in pairwise(order))
    ]
    assert len(every) == 6
    assert select(targets, probabilities).area == pytest.approx(np.mean(every), abs=1e-12)


def test_equally_certain_texts_are_handed_over_together_or_not_at_all() -> None:
    probabilities = np.array([[0.6, 0.4]] * 4 + [[0.9, 0.1]] * 16)
    targets = np.array([1] * 4 + [0] * 16)
    found = select(targets, probabilities).handovers
    assert [row.examples for row in found] == [0, 0, 4]
    assert [row.errors_left for row in found] == [4, 4, 0]
    assert [row.threshold for row in found] == [0.6, 0.6, 0.9]
    assert [int((probabilities.max(axis=1) < row.threshold).sum()) for row in found] == [0, 0, 4]


@pytest.mark.parametrize("seed", range(3))
def test_buckets_of_lengths(seed: int) -> None:
    generator = np.random.default_rng(seed)
    lengths, right = generator.geometric(0.05, size=700), generator.random(700) < 0.7
    found = accuracy_by_length(right, lengths)
    assert found[0].low == lengths.min() and found[-1].high == lengths.max()
    assert len(found) == 4 and sum(row.examples for row in found) == 700
    for row, following in zip(found, [*found[1:], None], strict=True):
        inside = (lengths >= row.low) & (lengths <= row.high)
        assert row.examples == inside.sum()
        assert row.accuracy.value == pytest.approx(right[inside].mean())
        assert abs(row.examples - 175) <= (lengths == row.high).sum() + (lengths == row.low).sum()
        assert following is None or row.high < following.low


def test_buckets_of_equal_lengths_are_one() -> None:
    found = accuracy_by_length(np.array([True, False, True]), np.array([7, 7, 7]))
    assert [(row.low, row.high, row.examples) for row in found] == [(7, 7, 3)]
    found = accuracy_by_length(np.array([True, False, True, True]), np.array([0, 0, 0, 9]))
    assert [(row.low, row.high, row.examples, row.accuracy.value) for row in found] == [(0, 0, 3, 2 / 3), (9, 9, 1, 1)]


@pytest.mark.parametrize("outside", [1, 60, 900])
def test_out_of_scope_is_scikit_learns(drawn: Callable[..., Any], outside: int) -> None:
    targets, probabilities = drawn(4, 333)
    unknown = np.random.default_rng(1).dirichlet(np.full(4, 0.8), size=outside)
    unknown[0] = probabilities[5] / probabilities[5].sum(dtype=np.float64)
    found = evaluate(targets, probabilities, range(4), out_of_scope=("none", unknown)).out_of_scope
    assert found is not None and (found.label, found.examples) == ("none", outside)
    certainty = np.concatenate([probabilities.astype(np.float64).max(axis=1), unknown.max(axis=1)])
    inside = np.arange(333 + outside) < 333
    assert found.auroc == pytest.approx(sklearn.metrics.roc_auc_score(inside, certainty), abs=1e-12)
    false, true, thresholds = sklearn.metrics.roc_curve(inside, certainty, drop_intermediate=False)
    first = int(np.argmax(true >= 0.95))
    assert found.threshold == pytest.approx(thresholds[first], abs=1e-12)
    assert found.fpr_at_95_tpr == pytest.approx(false[first], abs=1e-12)
    assert f"out of scope ({outside:,} texts labelled none" in to_text(
        evaluate(targets, probabilities, range(4), out_of_scope=("none", unknown))
    )


def test_what_does_not_fit_is_refused(drawn: Callable[..., Any]) -> None:
    targets, probabilities = drawn(3, 10)
    for unknown, message in [
        (np.zeros((0, 3)), "out_of_scope: .*at least one example"),
        (np.array([[0.5, 0.5]]), "out_of_scope: expected 3 classes as elsewhere, got 2"),
        (np.array([[0.5, 0.5, 0.5]]), "out_of_scope: .*add up to 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            evaluate(targets, probabilities, range(3), out_of_scope=("x", unknown))
    with pytest.raises(ValueError, match="lengths: expected 10"):
        evaluate(targets, probabilities, range(3), lengths=np.arange(9))
