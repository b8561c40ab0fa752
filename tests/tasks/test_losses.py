"""Losses against PyTorch's own, scikit-learn's, the papers' equations by hand, and finite differences."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.utils.class_weight import compute_class_weight
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from textrnn.config import TrainingConfig
from textrnn.tasks import SINGLE_LABEL, MultiLabel, Ordinal, Regression, Task
from textrnn.training.losses import Loss, log_levels, loss_of
from textrnn.training.steps import divergence

RNG = np.random.default_rng(0)
SETS = RNG.random((9, 4)) < 0.4
CASES: dict[str, tuple[Task, NDArray[Any], int]] = {
    "single_label": (SINGLE_LABEL, np.array([0, 1, 2, 2, 3, 0, 0, 1, 3]), 4),
    "multi_label": (MultiLabel(), SETS, 4),
    "ordinal": (Ordinal(), np.array([0, 1, 1, 4, 3, 0, 0, 4, 3]), 4),
    "regression": (Regression(mean=3.0, std=2.0), RNG.normal(3, 2, 9), 1),
}


def scores(outputs: int, seed: int = 1) -> NDArray[np.float64]:
    return 3 * np.random.default_rng(seed).standard_normal((9, outputs))


def made(name: str, **settings: Any) -> tuple[Loss, Task, NDArray[Any], NDArray[np.float64]]:
    task, targets, outputs = CASES[name]
    return loss_of(task, TrainingConfig(**settings), targets, outputs), task, targets, scores(outputs)


def value(loss: Loss, logits: NDArray[np.float64], targets: NDArray[Any]) -> float:
    return loss(torch.from_numpy(logits), torch.from_numpy(targets)).item()


@pytest.mark.parametrize("name", CASES)
def test_the_loss_in_torch_is_the_tasks_own_and_its_slope_that_of_finite_differences(name: str) -> None:
    loss, task, targets, logits = made(name)
    expected, slope = task.loss_and_slope(targets, logits)
    assert value(loss, logits, targets) == pytest.approx(expected, rel=1e-9)
    assert expected == pytest.approx(task.score("loss", targets, task.answers(logits)), rel=1e-9)
    probe = torch.from_numpy(logits).requires_grad_()
    loss(probe, torch.from_numpy(targets)).backward()
    assert probe.grad is not None
    np.testing.assert_allclose(slope / len(targets), probe.grad.numpy(), rtol=1e-6, atol=1e-10)
    for row, column in ((0, 0), (3, logits.shape[1] - 1), (8, 0)):
        moved = [logits.copy(), logits.copy()]
        moved[0][row, column] += 1e-5
        moved[1][row, column] -= 1e-5
        difference = (task.loss_and_slope(targets, moved[0])[0] - task.loss_and_slope(targets, moved[1])[0]) / 2e-5
        assert slope[row, column] / len(targets) == pytest.approx(difference, rel=1e-5, abs=1e-9)


def test_the_usual_losses_are_scikit_learns() -> None:
    loss, task, targets, logits = made("single_label")
    assert value(loss, logits, targets) == pytest.approx(log_loss(targets, task.answers(logits)), rel=1e-9)
    loss, task, targets, logits = made("multi_label")
    each = [log_loss(targets[:, k], task.answers(logits)[:, k], labels=[False, True]) for k in range(4)]
    assert value(loss, logits, targets) == pytest.approx(np.mean(each), rel=1e-9)
    loss, task, targets, logits = made("ordinal")
    assert value(loss, logits, targets) == pytest.approx(log_loss(targets, task.answers(logits), labels=range(5)))
    loss, task, targets, logits = made("regression")
    assert value(loss, logits, targets) == pytest.approx(mean_squared_error(targets, 3 + 2 * logits[:, 0]) / 4)


def test_corn_is_the_papers_equation() -> None:
    """Shi, Cao, Raschka (2021), equation of L(X, y): a sum over the conditional sets S_j, divided by their sizes."""
    loss, _, targets, logits = made("ordinal")
    total, sizes = 0.0, 0
    for j in range(4):
        for score, level in zip(logits[:, j], targets, strict=True):
            if level > j - 1:
                sigmoid = 1 / (1 + math.exp(-score))
                total -= math.log(sigmoid) if level > j else math.log(1 - sigmoid)
                sizes += 1
    paper = total / sizes
    assert value(loss, logits, targets) * len(targets) / sizes == pytest.approx(paper, rel=1e-9)


def test_the_levels_are_products_of_conditional_probabilities() -> None:
    logits = scores(4)
    sigmoids = 1 / (1 + np.exp(-logits))
    answers = Ordinal().answers(logits)
    for row in range(9):
        above = [1.0, *np.cumprod(sigmoids[row]), 0.0]
        np.testing.assert_allclose(answers[row], -np.diff(above), rtol=1e-9)
    np.testing.assert_allclose(answers, log_levels(torch.from_numpy(logits)).exp().numpy(), rtol=1e-9)
    extreme = Ordinal().answers(np.array([[800.0, -800.0], [-800.0, 800.0]], dtype=np.float32))
    np.testing.assert_allclose(extreme, [[0, 1, 0], [1, 0, 0]], atol=1e-12)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_loss_is_the_papers_equation(gamma: float) -> None:
    """Lin et al. (2017), equation 4: FL = -(1 - p_t)^gamma log p_t."""
    loss, task, targets, logits = made("single_label", focal=gamma)
    chosen = task.answers(logits)[np.arange(9), targets]
    assert value(loss, logits, targets) == pytest.approx(np.mean(-((1 - chosen) ** gamma) * np.log(chosen)), rel=1e-9)
    loss, task, targets, logits = made("multi_label", focal=gamma)
    chosen = np.where(targets, task.answers(logits), 1 - task.answers(logits))
    assert value(loss, logits, targets) == pytest.approx(np.mean(-((1 - chosen) ** gamma) * np.log(chosen)), rel=1e-9)


def test_focal_loss_has_a_slope_where_nothing_is_left_to_learn() -> None:
    for name, targets in (("single_label", torch.tensor([0])), ("multi_label", torch.tensor([[True, False]]))):
        logits = torch.tensor([[60.0, -60.0]], requires_grad=True)
        made(name, focal=0.5)[0](logits, targets).backward()
        assert logits.grad is not None and torch.isfinite(logits.grad).all()


def single(array: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.float32))


def test_balanced_weights_are_scikit_learns_and_weigh_as_pytorch_does() -> None:
    loss, _, targets, logits = made("single_label", class_weight="balanced")
    weights = compute_class_weight("balanced", classes=np.arange(4), y=targets)
    expected = cross_entropy(single(logits), torch.from_numpy(targets), weight=single(weights)).item()
    for gamma in (0.0, 1e-9):
        loss = made("single_label", class_weight="balanced", focal=gamma)[0]
        assert loss(single(logits), torch.from_numpy(targets)).item() == pytest.approx(expected, rel=1e-5)

    loss, _, targets, logits = made("multi_label", class_weight="balanced")
    of_label = np.stack([compute_class_weight("balanced", classes=np.arange(2), y=targets[:, k]) for k in range(4)])
    share = of_label[np.arange(4), targets.astype(int)]
    each = binary_cross_entropy_with_logits(single(logits), single(targets), weight=single(share)).item()
    found = loss(single(logits), torch.from_numpy(targets)).item()
    assert found == pytest.approx(each / share.mean(), rel=1e-5)

    loss, task, targets, logits = made("ordinal", class_weight="balanced")
    share = compute_class_weight("balanced", classes=np.array([0, 1, 3, 4]), y=targets) * 4 / 5  # level 2 has no text
    nats, of_text = -np.log(task.answers(logits)[np.arange(9), targets]), share[np.searchsorted([0, 1, 3, 4], targets)]
    found = loss(single(logits), torch.from_numpy(targets)).item()
    assert found == pytest.approx((of_text * nats).sum() / of_text.sum(), rel=1e-5)


def test_the_divergence_of_two_readings() -> None:
    one, other = scores(4), scores(4, seed=2)
    both = torch.from_numpy(np.concatenate([one, other]))
    p, q = MultiLabel().answers(one), MultiLabel().answers(other)
    directed = [a * np.log(a / b) + (1 - a) * np.log((1 - a) / (1 - b)) for a, b in ((p, q), (q, p))]
    expected = (directed[0].mean() + directed[1].mean()) / 2
    assert divergence(both, made("multi_label")[0]).item() == pytest.approx(expected, rel=1e-9)
    p, q = Ordinal().answers(one), Ordinal().answers(other)
    expected = ((p - q) * np.log(p / q)).sum(axis=1).mean() / 2
    assert divergence(both, made("ordinal")[0]).item() == pytest.approx(expected, rel=1e-9)
    squares = np.square(one[:, :1] - other[:, :1]).mean()
    assert divergence(both[:, :1], made("regression")[0]).item() == pytest.approx(squares, rel=1e-9)


def test_what_is_right_is_what_is_decided() -> None:
    for name in ("single_label", "multi_label", "ordinal"):
        loss, task, targets, logits = made(name)
        hits = task.decided(task.answers(logits)) == targets
        expected = hits.all(axis=1).sum() if hits.ndim > 1 else hits.sum()
        assert loss.correct(torch.from_numpy(logits), torch.from_numpy(targets)) == expected
    loss, _, targets, logits = made("regression")
    assert loss.correct(torch.from_numpy(logits), torch.from_numpy(targets)) is None
    assert [made(name)[0].native for name in CASES] == [True, False, False, False]
    assert not made("single_label", focal=1.0)[0].native


def test_the_biases_begin_at_the_log_odds_of_the_labels() -> None:
    """With half a text more on either side; the probabilities are then the shares of the texts."""
    targets = np.arange(400)[:, np.newaxis] < np.array([4, 100, 0])
    found = MultiLabel().answers(np.asarray(MultiLabel().first_bias(targets))[np.newaxis])[0]
    np.testing.assert_allclose(found, np.array([4.5, 100.5, 0.5]) / 401, rtol=1e-12)


@pytest.mark.parametrize("gamma", [0.0, 2.0])
@pytest.mark.parametrize("balance", ["none", "balanced"])
@pytest.mark.parametrize("name", CASES)
def test_a_text_that_weighs_two_counts_as_two_texts_and_one_that_weighs_nothing_as_none(
    name: str, balance: Any, gamma: float
) -> None:
    if name == "regression" and (gamma or balance != "none"):
        return
    loss, _, targets, logits = made(name, class_weight=balance, focal=gamma)
    logits = logits.astype(np.float32)
    weights = np.array([1, 2, 0, 1, 1, 2, 1, 0, 1], dtype=np.float32)
    times = weights.astype(int)
    weighted = loss(*map(torch.from_numpy, (logits, targets, weights))).item()
    repeated = value(loss, np.repeat(logits, times, axis=0), np.repeat(targets, times, axis=0))
    assert weighted == pytest.approx(repeated, rel=1e-5)
    assert loss(*map(torch.from_numpy, (logits, targets, 0 * weights))).item() == 0


def test_weighted_texts_in_a_batch_are_pytorchs_sum_of_products() -> None:
    loss, _, targets, logits = made("single_label")
    weights = torch.linspace(0, 1, 9, dtype=torch.float64)
    each = cross_entropy(torch.from_numpy(logits), torch.from_numpy(targets), reduction="none")
    mine = loss(torch.from_numpy(logits), torch.from_numpy(targets), weights)
    assert mine.item() == pytest.approx(((each * weights).sum() / weights.sum()).item(), rel=1e-9)
