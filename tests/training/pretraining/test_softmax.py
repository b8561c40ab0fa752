"""The estimated softmax against PyTorch's full one, and its gradients against finite differences."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from textrnn.training.pretraining.candidates import Sampler
from textrnn.training.pretraining.softmax import exact_losses, linear_cross_entropy

VOCABULARY = 60


def random_problem(rows: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Features, table, bias and targets, in float64."""
    stream = torch.Generator().manual_seed(seed)
    features = torch.randn(rows, 5, dtype=torch.float64, generator=stream)
    table = torch.randn(VOCABULARY, 5, dtype=torch.float64, generator=stream)
    bias = torch.randn(VOCABULARY, dtype=torch.float64, generator=stream)
    return features, table, bias, torch.randint(VOCABULARY, (rows,), generator=stream)


@pytest.mark.parametrize("rows", [1, 3, 7, 2100])  # some parts of the batch empty, and several blocks in each
def test_linear_cross_entropy_is_pytorchs(rows: int) -> None:
    features, table, bias, targets = random_problem(rows)
    ours = [some.clone().requires_grad_() for some in (features, table, bias)]
    theirs = [some.clone().requires_grad_() for some in (features, table, bias)]
    loss = linear_cross_entropy(ours[0], ours[1], ours[2], targets)
    expected = cross_entropy(theirs[0] @ theirs[1].t() + theirs[2], targets)
    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=1e-12)
    (3 * loss).backward()
    (3 * expected).backward()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-10, atol=1e-12)
    each = cross_entropy(features @ table.t() + bias, targets, reduction="none")
    torch.testing.assert_close(exact_losses(features, table, bias, targets), each, rtol=1e-12, atol=1e-12)


def test_gradients_by_finite_differences() -> None:
    features, table, bias, targets = random_problem(6)
    arguments = [some.requires_grad_() for some in (features, table, bias)]
    assert torch.autograd.gradcheck(lambda a, b, c: linear_cross_entropy(a, b, c, targets), arguments)


def test_large_logits_do_not_overflow() -> None:
    features, table, bias, targets = random_problem(5)
    loss = linear_cross_entropy((1e4 * features).float(), table.float(), bias.float(), targets)
    assert math.isfinite(loss.item())


def counts() -> NDArray[np.int64]:
    return (3000 / np.arange(1, VOCABULARY + 1) ** 1.1).astype(np.int64)


def estimated(sampler: Sampler, problem: tuple[Tensor, Tensor, Tensor, Tensor], seed: int) -> tuple[float, Tensor]:
    """Loss, and the gradient of the features, with one draw of candidates."""
    features, table, bias, targets = problem
    found = sampler.candidates(targets.numpy(), np.random.default_rng(seed))
    ids = torch.from_numpy(found.ids)
    assert np.array_equal(found.ids[found.columns[targets.numpy()]], targets.numpy())
    features = features.clone().requires_grad_()
    loss = linear_cross_entropy(
        features,
        table[ids],
        bias[ids] + torch.from_numpy(found.log_weights).double(),
        torch.from_numpy(found.columns[targets.numpy()].astype(np.int64)),
    )
    loss.backward()
    assert features.grad is not None
    return loss.item(), features.grad


def test_the_sum_of_exponentials_is_unbiased() -> None:
    """Its mean over 4,000 draws is the sum over all words, within five standard errors."""
    sampler = Sampler(counts(), head=10, draws=4)
    scores = np.random.default_rng(1).normal(size=VOCABULARY)
    targets = np.array([3, 40, 40, 12])
    sums = []
    for seed in range(4000):
        found = sampler.candidates(targets, np.random.default_rng(seed))
        sums.append(np.exp(scores[found.ids] + found.log_weights).sum())
        exact = found.ids[found.log_weights == 0]
        assert {*range(10), 12, 40} <= set(exact.tolist())
    error = np.std(sums) / len(sums) ** 0.5
    assert abs(np.mean(sums) - np.exp(scores).sum()) < 5 * error
    assert 0 < error < 0.05 * np.exp(scores).sum()


def test_with_many_draws_loss_and_gradient_come_to_those_of_the_full_softmax() -> None:
    problem = random_problem(8)
    features, table, bias, targets = problem
    exact_features = features.clone().requires_grad_()
    exact = cross_entropy(exact_features @ table.t() + bias, targets)
    exact.backward()
    assert exact_features.grad is not None
    errors = []
    for draws in (20, 20_000):
        sampler = _without_full(draws)
        loss, gradient = estimated(sampler, problem, seed=0)
        errors.append((abs(loss - exact.item()), (gradient - exact_features.grad).norm().item()))
    assert errors[1][0] < 0.02 and errors[1][1] < 0.03
    assert errors[1][0] < errors[0][0] and errors[1][1] < errors[0][1]


def _without_full(draws: int) -> Sampler:
    """A sampler that samples although the vocabulary is small."""
    sampler = Sampler(counts(), head=5, draws=4)
    sampler.draws = draws
    return sampler


def test_a_small_vocabulary_has_the_full_softmax() -> None:
    sampler = Sampler(counts(), head=40, draws=10)
    problem = random_problem(8)
    found = sampler.candidates(problem[3].numpy(), np.random.default_rng(0))
    assert np.array_equal(found.ids, np.arange(VOCABULARY)) and not found.log_weights.any()
    features, table, bias, targets = problem
    expected = cross_entropy(features @ table.t() + bias, targets).item()
    assert estimated(sampler, problem, 0)[0] == pytest.approx(expected, rel=1e-12)
