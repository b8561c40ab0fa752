import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
from numpy.typing import NDArray
from scipy.special import ndtri

from textrnn.evaluation import evaluate, intervals
from textrnn.evaluation.intervals import bootstrap_macro_f1, wilson


def confusion_of(targets: NDArray[Any], predicted: NDArray[Any], classes: int) -> NDArray[np.int64]:
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (targets, predicted), 1)
    return counts


def test_wilson_of_eight_in_ten_is_the_published_interval() -> None:
    found = wilson(8, 10, confidence=0.95)
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (0.8, 0.4902, 0.9433)


@pytest.mark.parametrize(("correct", "examples"), [(0, 1), (0, 25), (7, 7), (3, 11), (24_000, 25_000)])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_wilson_is_the_closed_formula(correct: int, examples: int, confidence: float) -> None:
    z, p, n = float(ndtri(0.5 + confidence / 2)), correct / examples, examples
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    found = wilson(correct, examples, confidence=confidence)
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half), abs=1e-12)


def test_bootstrap_equals_scikit_learn_on_every_resample(drawn: Callable[..., Any]) -> None:
    """The same multinomial draws, unfolded into examples and scored one by one; some miss a class."""
    targets, probabilities = drawn(7, 25, seed=3)
    targets[targets == 5] = 4  # class 5 never occurs, unless it is predicted
    predicted = probabilities.argmax(axis=1)
    predicted[predicted == 5] = 4
    confusion = confusion_of(targets, predicted, 7)
    true, guess = np.nonzero(confusion)
    scores = []
    for counts in np.random.default_rng(11).multinomial(25, confusion[true, guess] / 25, size=300):
        y, p = np.repeat(true, counts), np.repeat(guess, counts)
        present = len(set(targets.tolist()) | set(predicted.tolist()))
        # Without `labels`, scikit-learn averages over the classes that the resample has.
        scores.append(sklearn.metrics.f1_score(y, p, average="macro", zero_division=0) * present / 7)
    expected = np.quantile(scores, [0.05, 0.95])
    found = bootstrap_macro_f1(confusion, confidence=0.9, seed=11, resamples=300)
    assert found == pytest.approx(tuple(expected), abs=1e-12)


def test_bootstrap_agrees_with_resampled_examples(drawn: Callable[..., Any]) -> None:
    targets, probabilities = drawn(4, 300)
    predicted = probabilities.argmax(axis=1)
    generator = np.random.default_rng(1)
    scores = []
    for _ in range(1000):
        chosen = generator.integers(300, size=300)
        scores.append(sklearn.metrics.f1_score(targets[chosen], predicted[chosen], labels=range(4), average="macro"))
    found = bootstrap_macro_f1(confusion_of(targets, predicted, 4), confidence=0.95, seed=0)
    # The interval is about 0.1 wide; a quantile of 1,000 resamples has a standard error of about 0.003.
    assert found == pytest.approx(tuple(np.quantile(scores, [0.025, 0.975])), abs=0.012)


def test_bootstrap_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(5)
    population = np.array([[30, 8, 2], [5, 20, 5], [4, 2, 24]]) / 100
    hits = population.diagonal()
    truth = np.mean(2 * hits / (population.sum(axis=0) + population.sum(axis=1)))
    covered = 0
    for seed in range(200):
        confusion = generator.multinomial(300, population.ravel()).reshape(3, 3)
        low, high = bootstrap_macro_f1(confusion, confidence=0.9, seed=seed, resamples=300)
        covered += low <= truth <= high
    assert 0.82 <= covered / 200 <= 0.96  # 0.9 with a standard error of 0.021


def test_interval_contains_the_value_where_classes_are_many_and_small(drawn: Callable[..., Any]) -> None:
    targets, probabilities = drawn(150, 450)
    found = evaluate(targets, probabilities, range(150)).macro_f1
    assert found.low < found.value < found.high


def test_seed_decides_and_chunks_do_not(drawn: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    targets, probabilities = drawn(5, 200)
    once = evaluate(targets, probabilities, range(5), seed=1)
    assert evaluate(targets, probabilities, range(5), seed=1) == once
    assert evaluate(targets, probabilities, range(5), seed=2).macro_f1 != once.macro_f1
    monkeypatch.setattr(intervals, "CELLS_AT_ONCE", 70)
    assert evaluate(targets, probabilities, range(5), seed=1) == once


def test_memory_is_bounded_with_every_cell_filled() -> None:
    tracemalloc.start()
    bootstrap_macro_f1(np.full((150, 150), 3), confidence=0.95, seed=0, resamples=200)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 2**20
