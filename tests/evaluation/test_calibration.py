"""Calibration against scikit-learn, against cases worked out by hand, and against a grid of temperatures."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sklearn.calibration
import sklearn.metrics
from scipy.special import log_softmax, softmax

from textrnn.evaluation import brier_score, evaluate, fit_temperature

SIZES = [(2, 500), (3, 40), (20, 3000)]


@pytest.mark.parametrize(("classes", "examples"), SIZES)
def test_reliability_table_is_scikit_learns(drawn: Callable[..., Any], classes: int, examples: int) -> None:
    targets, probabilities = drawn(classes, examples)
    found = evaluate(targets, probabilities, range(classes)).calibration
    certainty = probabilities.astype(np.float64).max(axis=1)
    right = probabilities.argmax(axis=1) == targets
    accuracy, confidence = sklearn.calibration.calibration_curve(right, certainty, n_bins=15)
    np.testing.assert_allclose([row.accuracy.value for row in found.bins], accuracy, atol=1e-12)
    np.testing.assert_allclose([row.confidence for row in found.bins], confidence, atol=1e-12)
    sizes = np.array([row.examples for row in found.bins])
    assert sizes.sum() == examples
    assert found.error == pytest.approx(float(sizes @ np.abs(accuracy - confidence)) / examples, abs=1e-12)
    for row in found.bins:
        inside = (certainty > row.low) & (certainty <= row.high)
        assert inside.sum() == row.examples
        assert row.accuracy.low <= row.accuracy.value <= row.accuracy.high


@pytest.mark.parametrize("examples", [30, 600])
def test_bins_of_equal_size_are_scikit_learns(examples: int) -> None:
    """Where the examples divide by 15, quantiles cut them in the same places."""
    generator = np.random.default_rng(examples)
    probabilities = generator.dirichlet(np.ones(4), size=examples)
    targets, certainty = generator.integers(4, size=examples), probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == targets
    accuracy, confidence = sklearn.calibration.calibration_curve(right, certainty, n_bins=15, strategy="quantile")
    found = evaluate(targets, probabilities, range(4)).calibration.adaptive_error
    assert found == pytest.approx(float(np.abs(accuracy - confidence).mean()), abs=1e-12)


def test_calibration_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.39, 0.61], [0.0, 1.0]])
    found = evaluate(np.array([0, 1, 1, 1, 1]), probabilities, ["a", "b"]).calibration
    assert [(row.examples, round(row.confidence, 6), row.accuracy.value) for row in found.bins] == [
        (1, 0.6, 1.0),  # 0.6 is the upper limit of its bin
        (1, 0.61, 1.0),
        (2, 0.9, 0.5),
        (1, 1.0, 1.0),
    ]
    assert found.error == pytest.approx((0.4 + 0.39 + 2 * 0.4 + 0) / 5)
    assert found.adaptive_error == pytest.approx((0.4 + 0.39 + 0.1 + 0.9 + 0) / 5)  # each example its own bin
    assert found.brier == pytest.approx((0.01 + 0.81 + 0.16 + 0.39**2 + 0) / 5)


def test_true_probabilities_are_calibrated_and_sharpened_ones_are_not() -> None:
    generator = np.random.default_rng(3)
    logits = generator.normal(scale=1.5, size=(40_000, 3))
    probabilities = softmax(logits, axis=1)
    targets = (probabilities.cumsum(axis=1) > generator.random((40_000, 1))).argmax(axis=1)
    assert evaluate(targets, probabilities, range(3)).calibration.error < 0.01
    assert evaluate(targets, softmax(3 * logits, axis=1), range(3)).calibration.error > 0.1
    assert fit_temperature(logits, targets) == pytest.approx(1, abs=0.03)
    assert fit_temperature(3 * logits.astype(np.float32), targets) == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize(("classes", "examples"), SIZES)
def test_brier_score_is_scikit_learns(drawn: Callable[..., Any], classes: int, examples: int) -> None:
    targets, probabilities = drawn(classes, examples)
    exact = probabilities.astype(np.float64)
    given = exact[:, 1] if classes == 2 else exact / exact.sum(axis=1, keepdims=True)
    expected = sklearn.metrics.brier_score_loss(targets, given, labels=list(range(classes)))
    assert brier_score(targets, probabilities) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("classes", [2, 5, 150])
@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_temperature_has_the_least_log_loss_of_a_grid(classes: int, scale: float) -> None:
    generator = np.random.default_rng(classes)
    targets = generator.integers(classes, size=300)
    logits = generator.normal(size=(300, classes))
    logits[np.arange(300), targets] += 1.5
    logits = (scale * logits + generator.normal(size=(300, 1)) * 50).astype(
        np.float32
    )  # a shift of a row means nothing

    def log_loss(temperature: float) -> float:
        rows = log_softmax(logits.astype(np.float64) / temperature, axis=1)
        return float(-rows[np.arange(300), targets].mean())

    found = fit_temperature(logits, targets)
    losses = [log_loss(temperature) for temperature in np.geomspace(0.05, 20, 400)]
    assert log_loss(found) <= min(losses)
    step = 1e-4
    assert (log_loss(found * (1 + step)) - log_loss(found * (1 - step))) / (2 * step) == pytest.approx(0, abs=1e-5)


def test_temperature_without_a_least_log_loss_stays_within_its_limits() -> None:
    logits = np.array([[2.0, -1.0], [0.5, 3.0]])
    assert fit_temperature(logits, np.array([0, 1])) == 0.05
    assert fit_temperature(logits, np.array([1, 0])) == 20
    assert fit_temperature(np.zeros((2, 2)), np.array([1, 0])) == 20


@pytest.mark.parametrize(
    ("logits", "targets", "message"),
    [
        (np.array([[np.inf, 0.0]]), np.array([0]), "logits: expected finite floats"),
        (np.array([0.0, 1.0]), np.array([0]), "logits: expected finite floats"),
        (np.array([[0, 1]]), np.array([0]), "logits: expected finite floats"),
        (np.zeros((2, 2)), np.array([0]), "targets: expected 2"),
        (np.zeros((2, 2)), np.array([0, 2]), "targets: expected class indices from 0 to 1, got 2"),
        (np.zeros((0, 2)), np.zeros(0, dtype=int), "expected at least one example"),
        (np.zeros((1, 1)), np.array([0]), "expected at least two classes"),
        (np.zeros((1, 0)), np.array([0]), "expected at least two classes"),
    ],
)
def test_temperature_refuses_what_is_none(logits: Any, targets: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_temperature(logits, targets)
