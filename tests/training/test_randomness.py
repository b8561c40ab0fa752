"""The random stream against PyTorch's own DataLoader and dropout."""

from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from textrnn.training.randomness import dataloader_order, dropout_from, random_stream


@pytest.mark.parametrize(("examples", "seed"), [(40, 42), (1, 0), (1000, 7)])
def test_order_is_that_of_a_shuffling_dataloader(examples: int, seed: int) -> None:
    torch.manual_seed(seed)
    loader: Any = DataLoader(list(range(examples)), batch_size=8, shuffle=True)  # type: ignore[arg-type]
    stream = random_stream(seed)
    for _ in range(3):  # the stream moves on as the ambient one does
        expected = torch.cat(list(loader)).tolist()
        assert dataloader_order(examples, stream).tolist() == expected
    assert torch.equal(torch.rand(3, generator=stream), torch.rand(3))


def test_dropout_zeroes_and_scales() -> None:
    drop = dropout_from(random_stream(0), 0.3)
    features = torch.full((1000, 1000), 2.0)
    dropped = drop(features)
    kept = dropped != 0
    assert torch.allclose(dropped[kept], torch.tensor(2 / 0.7))
    assert abs(kept.double().mean().item() - 0.7) < 5 * (0.3 * 0.7 / 1e6) ** 0.5
    assert not torch.equal(drop(features), dropped)


def test_dropout_of_zero_draws_nothing() -> None:
    stream = random_stream(0)
    before = stream.get_state()
    features = torch.ones(3)
    assert dropout_from(stream, 0.0)(features) is features
    assert torch.equal(stream.get_state(), before)


def test_dropout_has_the_gradient_of_its_mask() -> None:
    features = torch.randn(50, requires_grad=True)
    dropped = dropout_from(random_stream(3), 0.5)(features)
    (gradient,) = torch.autograd.grad(dropped.sum(), features)
    torch.testing.assert_close(gradient, (dropped != 0).float() * 2)
