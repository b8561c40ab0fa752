"""Logistic regressions side by side, against scikit-learn one after the other."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array, random_array
from sklearn.linear_model import LogisticRegression

from textrnn.training import newton
from textrnn.training.newton import Columns, block_size, logistic

RNG = np.random.default_rng(5)
TEXTS, FEATURES, PROBLEMS = 300, 120, 5


def problem() -> tuple[csr_array, NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]:
    """A matrix, ratios of very different size, classes that are not equally frequent, weights of which some are 0."""
    matrix = csr_array(random_array((TEXTS, FEATURES), density=0.1, format="csr", rng=RNG), dtype=np.float32)
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    ratios = (RNG.standard_normal((FEATURES, PROBLEMS)) * 10 ** RNG.uniform(-2, 1, (FEATURES, 1))).astype(np.float32)
    drawn = matrix @ (ratios * RNG.standard_normal(ratios.shape)) + RNG.standard_normal((TEXTS, PROBLEMS))
    inside = drawn > np.quantile(drawn, np.linspace(0.2, 0.9, PROBLEMS), axis=0).diagonal()
    weights = np.where(RNG.random(inside.shape) < 0.2, 0, RNG.random(inside.shape) * 3).astype(np.float32)
    return matrix, ratios, inside, weights


@pytest.mark.parametrize("strength", [0.01, 1.0, 30.0])
def test_every_problem_has_the_solution_of_scikit_learn(strength: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newton, "ENOUGH", 1e-8)
    matrix, ratios, inside, weights = problem()
    found = logistic(Columns(matrix), ratios, inside, weights, strength)
    for k in range(PROBLEMS):
        scaled = matrix.toarray().astype(np.float64) * ratios[:, k]
        model = LogisticRegression(C=strength, solver="liblinear", tol=1e-9, max_iter=10_000)
        model.fit(scaled, inside[:, k], sample_weight=weights[:, k].astype(np.float64))
        scores = matrix @ found[:-1, k] + found[-1, k]
        expected = model.decision_function(scaled)
        np.testing.assert_allclose(scores, expected, atol=2e-3 * max(1.0, float(expected.std())))
        np.testing.assert_allclose(found[-1, k], model.intercept_[0], atol=5e-3)


def objective(
    matrix: csr_array, ratios: NDArray[np.float32], inside: NDArray[np.bool_], weights: NDArray[np.float32],
    strength: float, found: NDArray[np.float32],
) -> NDArray[np.float64]:  # fmt: skip
    u, b = found[:-1].astype(np.float64), found[-1].astype(np.float64)
    losses = np.logaddexp(0, -np.where(inside, 1, -1) * (matrix.astype(np.float64) @ u + b))
    found_loss: NDArray[np.float64] = strength * (weights * losses).sum(axis=0)
    found_loss += ((u / ratios) ** 2).sum(axis=0) / 2 + b**2 / 2
    return found_loss


def test_what_is_enough_leaves_little() -> None:
    """The loss is at its least to a ten-thousandth, from 0 as from the solution of another strength."""
    matrix, ratios, inside, weights = problem()
    columns = Columns(matrix)
    weaker = logistic(columns, ratios, inside, weights, 0.1)
    for start in (None, weaker):
        reached = objective(
            matrix, ratios, inside, weights, 1.0, logistic(columns, ratios, inside, weights, 1.0, start)
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(newton, "ENOUGH", 1e-9)
            least = objective(matrix, ratios, inside, weights, 1.0, logistic(columns, ratios, inside, weights, 1.0))
        assert (reached <= least * (1 + 1e-4)).all()
    assert not np.allclose(weaker, logistic(columns, ratios, inside, weights, 1.0), atol=1e-2)


def test_problems_side_by_side_do_not_disturb_each_other() -> None:
    matrix, ratios, inside, weights = problem()
    columns = Columns(matrix)
    alone = [
        logistic(columns, ratios[:, k : k + 1], inside[:, k : k + 1], weights[:, k : k + 1], 1.0)
        for k in range(PROBLEMS)
    ]
    together = logistic(columns, ratios, inside, weights, 1.0)
    # Alone a problem ends when it is solved, together it may be solved further.
    np.testing.assert_allclose(matrix @ together[:-1], matrix @ np.hstack(alone)[:-1], rtol=0.01, atol=0.02)


def test_classes_that_can_be_told_apart_perfectly_and_ratios_of_nothing() -> None:
    matrix = csr_array(np.eye(40, dtype=np.float32))
    inside = (np.arange(40) < 20)[:, np.newaxis]
    ratios = np.where(np.arange(40) < 20, 5, -5).astype(np.float32)[:, np.newaxis]
    ratios[::4] = 0  # says nothing: the text is told by the bias only
    found = logistic(Columns(matrix), ratios, inside, np.ones((40, 1), np.float32), 1000.0)
    assert np.isfinite(found).all() and np.abs(found[:-1][::4]).max() < 1e-3
    told = np.flatnonzero(np.arange(40) % 4)
    assert ((matrix @ found[:-1] + found[-1])[told, 0] > 0).tolist() == (told < 20).tolist()


def test_blocks_are_no_larger_than_memory_allows() -> None:
    assert block_size(0) == block_size(1000) == 16
    assert block_size(1_000_000) == 4 and block_size(10**9) == 1
