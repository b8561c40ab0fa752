"""Poolings against loops over each row's own steps."""

import pytest
import torch

from textrnn.model import POOLINGS

LENGTHS = torch.tensor([5, 3, 1, 0])


@pytest.mark.parametrize("name", POOLINGS)
def test_each_row_alone(name: str) -> None:
    torch.manual_seed(0)
    states = torch.randn(5, 4, 3)
    initial = torch.randn(4, 3)
    final = torch.stack([states[length - 1, row] if length else initial[row] for row, length in enumerate(LENGTHS)])
    pooled = POOLINGS[name](states, final, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        own = states[:length, row]
        if length == 0:
            expected = initial[row] if name == "last" else torch.zeros(3)
        else:
            expected = {"last": own[-1], "mean": own.mean(dim=0), "max": own.amax(dim=0)}[name]
        torch.testing.assert_close(pooled[row], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", POOLINGS)
def test_no_steps_at_all(name: str) -> None:
    pooled = POOLINGS[name](torch.zeros(0, 2, 3), torch.zeros(2, 3), torch.tensor([0, 0]))
    assert torch.equal(pooled, torch.zeros(2, 3))


@pytest.mark.parametrize("name", POOLINGS)
def test_gradient_reaches_real_steps_only(name: str) -> None:
    states = torch.randn(5, 4, 3, requires_grad=True)
    final = torch.stack([states[max(length - 1, 0), row] for row, length in enumerate(LENGTHS)])
    POOLINGS[name](states, final, LENGTHS)[:3].sum().backward()
    assert states.grad is not None
    for row, length in enumerate(LENGTHS.tolist()):
        assert not states.grad[length:, row].any()
        assert bool(states.grad[:length, row].any()) == (length > 0)
