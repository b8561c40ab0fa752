"""The n-gram part of every task against scikit-learn on a matrix that is made anew, and the scales of parts."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.metrics import log_loss

from textrnn.tasks import MultiLabel, Ordinal, Regression, sigmoid
from textrnn.training.parts import fit_scales

RNG = np.random.default_rng(7)
WORDS = [" ".join(RNG.choice([f"w{k}" for k in range(40)], size=int(RNG.integers(3, 9)))) for _ in range(240)]


def test_scales_have_the_least_loss_of_every_task() -> None:
    targets = RNG.random((300, 3)) < 0.4
    one, other = (RNG.normal(size=(300, 3)) + (2 * targets - 1) * strength for strength in (1.0, 0.4))
    start = np.full(2, 0.5)

    def loss(scales: NDArray[np.float64]) -> float:
        answers = sigmoid(scales[0] * one + scales[1] * other)
        nats = np.mean([log_loss(targets[:, k], answers[:, k]) for k in range(3)])
        return float(nats + 5 / 900 * np.square(scales - start).sum())

    found = minimize(loss, start, method="Nelder-Mead").x
    np.testing.assert_allclose(fit_scales([one, other], targets, MultiLabel()), found, atol=2e-3)

    numbers = RNG.normal(10, 3, 300)
    parts = [((numbers - 10) / 3 + RNG.normal(0, noise, 300))[:, np.newaxis] for noise in (0.5, 1.0)]
    # Least squares with a ridge towards the start, in closed form.
    design, wanted = np.hstack(parts), (numbers - 10) / 3
    gram = design.T @ design / 300 + 5 / 300 * np.eye(2)
    expected = np.linalg.solve(gram, design.T @ wanted / 300 + 5 / 300 * start)
    np.testing.assert_allclose(fit_scales(parts, numbers, Regression(mean=10.0, std=3.0)), expected, atol=1e-4)

    levels = RNG.integers(0, 4, 300)
    parts = [levels[:, np.newaxis] - np.arange(3) - 0.5 + RNG.normal(0, noise, (300, 3)) for noise in (1.0, 2.0)]
    by_hand = minimize(
        lambda scales: (
            log_loss(levels, Ordinal().answers(scales[0] * parts[0] + scales[1] * parts[1]), labels=range(4))
            + 5 / 300 * np.square(scales - start).sum()
        ),
        start,
        method="Nelder-Mead",
    ).x
    np.testing.assert_allclose(fit_scales(parts, levels, Ordinal()), by_hand, atol=2e-3)


def test_the_problems_of_every_task() -> None:
    targets = RNG.random((50, 3)) < 0.4
    problems = MultiLabel().problems(targets, 3, balanced=False)
    assert [problem.columns for problem in problems] == [((k, 1.0),) for k in range(3)]
    assert all((problem.values == targets[:, k]).all() for k, problem in enumerate(problems))
    levels = np.array([0, 1, 2, 3, 2, 0])
    asked = [(problem.rows, problem.values) for problem in Ordinal().problems(levels, 3, balanced=False)]
    assert [rows.tolist() for rows, _ in asked if rows is not None] == [[0, 1, 2, 3, 4, 5], [1, 2, 3, 4], [2, 3, 4]]
    assert [further.tolist() for _, further in asked] == [
        [False, True, True, True, True, False],
        [False, True, True, True],
        [False, True, False],
    ]
    [number] = Regression(mean=2.0, std=4.0).problems(np.array([6.0, -2.0]), 1, balanced=False)
    assert number.values.tolist() == [1.0, -1.0]
