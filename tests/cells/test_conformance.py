"""Every cell there is, against torch.nn, finite differences and poisoned padding: none can arrive untested."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from textrnn.cells import CELLS, Cell, unroll

TIME, BATCH, FEATURES, HIDDEN = 7, 4, 3, 5
LENGTHS = torch.tensor([7, 4, 2, 1])


def torch_elman(cell: Any) -> nn.Module:
    """`torch.nn.RNN` with the weights of an Elman cell; its second bias is drawn and taken off the first."""
    module: Any = nn.RNN(cell.input_size, cell.hidden_size, dtype=cell.from_input.weight.dtype)
    with torch.no_grad():
        module.weight_ih_l0.copy_(cell.from_input.weight)
        module.weight_hh_l0.copy_(cell.from_hidden.weight)
        module.bias_ih_l0.copy_(cell.from_input.bias - module.bias_hh_l0)
    oracle: nn.Module = module
    return oracle


TORCH: dict[str, Callable[[Any], nn.Module]] = {"elman": torch_elman}


def make(name: str, dtype: torch.dtype = torch.float32, seed: int = 0) -> Cell[Any, Any]:
    torch.manual_seed(seed)
    cell = CELLS[name](FEATURES, HIDDEN)
    for parameter in cell.parameters():
        nn.init.normal_(parameter, std=0.7)
    return cell.to(dtype)


def random_state(cell: Cell[Any, Any], batch: int) -> Any:
    zeros = cell.initial_state(batch)
    return type(zeros)(*(torch.randn_like(part) for part in zeros))


def test_every_cell_has_an_oracle() -> None:
    assert CELLS.keys() == TORCH.keys()


@pytest.mark.parametrize("name", CELLS)
def test_matches_torch_on_ragged_batch_from_nonzero_state(name: str) -> None:
    cell = make(name)
    inputs, start = torch.randn(TIME, BATCH, FEATURES), random_state(cell, BATCH)
    outputs, final = unroll(cell, inputs, LENGTHS, start)
    packed = pack_padded_sequence(inputs, LENGTHS)
    expected, hidden = TORCH[name](cell)(packed, start.hidden[None])
    padded, _ = pad_packed_sequence(expected)
    for row, length in enumerate(LENGTHS.tolist()):
        torch.testing.assert_close(outputs[:length, row], padded[:length, row], rtol=0, atol=1e-6)
    torch.testing.assert_close(final.hidden, hidden[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", CELLS)
def test_gradients_match_torch(name: str) -> None:
    cell = make(name)
    inputs = torch.randn(TIME, BATCH, FEATURES, requires_grad=True)
    start = random_state(cell, BATCH)
    start.hidden.requires_grad_()
    weighting = torch.randn(BATCH, HIDDEN)
    _, final = unroll(cell, inputs, LENGTHS, start)
    ours = torch.autograd.grad((final.hidden * weighting).sum(), [inputs, start.hidden, *cell.parameters()])
    module = TORCH[name](cell)
    _, hidden = module(pack_padded_sequence(inputs, LENGTHS), start.hidden[None])
    wanted = [module.weight_ih_l0, module.bias_ih_l0, module.weight_hh_l0]
    theirs = torch.autograd.grad((hidden[0] * weighting).sum(), [inputs, start.hidden, *wanted])
    for mine, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CELLS)
def test_gradients_match_finite_differences(name: str) -> None:
    cell = make(name, torch.float64)
    inputs = torch.randn(TIME, BATCH, FEATURES, dtype=torch.float64, requires_grad=True)
    hidden = torch.randn(BATCH, HIDDEN, dtype=torch.float64, requires_grad=True)
    names = [key for key, _ in cell.named_parameters()]
    parameters = [parameter.detach().clone().requires_grad_() for parameter in cell.parameters()]

    def run(inputs: Tensor, hidden: Tensor, *values: Tensor) -> Tensor:
        start = type(cell.initial_state(1))(hidden)
        swapped = dict(zip(names, values, strict=True))
        stepped: list[Tensor] = []
        state = start
        for t in range(TIME):
            new = torch.func.functional_call(
                _Step(cell), {f"cell.{key}": swapped[key] for key in names}, (inputs[t], state)
            )
            alive = (t < LENGTHS).unsqueeze(-1)
            state = type(start)(*(torch.where(alive, a, b) for a, b in zip(new, state, strict=True)))
            stepped.append(state.hidden)
        return torch.stack(stepped)

    assert torch.autograd.gradcheck(run, (inputs, hidden, *parameters))
    outputs, _ = unroll(cell, inputs, LENGTHS, type(cell.initial_state(1))(hidden))
    torch.testing.assert_close(run(inputs, hidden, *cell.parameters()), outputs)


class _Step(nn.Module):
    def __init__(self, cell: Cell[Any, Any]) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor, state: Any) -> Any:
        return self.cell.step(x, state)


@pytest.mark.parametrize("name", CELLS)
def test_padding_changes_nothing(name: str) -> None:
    cell = make(name)
    inputs, start = torch.randn(TIME, BATCH, FEATURES), random_state(cell, BATCH)
    outputs, final = unroll(cell, inputs, LENGTHS, start)
    poisoned = torch.cat([inputs, torch.empty(6, BATCH, FEATURES)])
    for row, length in enumerate(LENGTHS.tolist()):
        poisoned[length:, row] = torch.nan
    padded_outputs, padded_final = unroll(cell, poisoned, LENGTHS, start)
    torch.testing.assert_close(padded_final.hidden, final.hidden, rtol=0, atol=0)
    torch.testing.assert_close(padded_outputs[:TIME], outputs, rtol=0, atol=0)
    torch.testing.assert_close(padded_outputs[TIME:], final.hidden.expand(6, -1, -1), rtol=0, atol=0)


@pytest.mark.parametrize("name", CELLS)
def test_poisoned_padding_spoils_no_gradient(name: str) -> None:
    cell = make(name)
    inputs = torch.randn(TIME, BATCH, FEATURES)
    inputs[4:, 1] = 1e30
    _, final = unroll(cell, inputs, LENGTHS, cell.initial_state(BATCH))
    gradients = torch.autograd.grad(final.hidden.sum(), list(cell.parameters()))
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("name", CELLS)
def test_no_steps_leave_the_state_as_it_was(name: str) -> None:
    cell = make(name)
    start = random_state(cell, 2)
    outputs, final = unroll(cell, torch.randn(0, 2, FEATURES), torch.tensor([0, 0]), start)
    assert outputs.shape == (0, 2, HIDDEN)
    torch.testing.assert_close(final.hidden, start.hidden, rtol=0, atol=0)
    _, final = unroll(cell, torch.randn(3, 2, FEATURES), torch.tensor([0, 3]), start)
    torch.testing.assert_close(final.hidden[0], start.hidden[0], rtol=0, atol=0)
    assert not torch.equal(final.hidden[1], start.hidden[1])


@pytest.mark.parametrize("name", CELLS)
def test_contract(name: str) -> None:
    cell = make(name)
    state = random_state(cell, 2)
    gates = cell.gates(torch.randn(2, FEATURES), state)
    assert gates._fields == cell.GATES
    assert {tuple(gate.shape) for gate in gates} == {(2, HIDDEN)}
    assert cell.from_hidden.weight.shape == (len(cell.GATES) * HIDDEN, HIDDEN)
    assert all(not part.any() for part in cell.initial_state(3))


def test_elman_step_is_the_lessons_equation() -> None:
    cell = make("elman")
    x, h = torch.randn(2, FEATURES), torch.randn(2, HIDDEN)
    w_ih, b, w_hh = (parameter.detach().double().numpy() for parameter in cell.parameters())
    expected = np.tanh(x.double().numpy() @ w_ih.T + b + h.double().numpy() @ w_hh.T)
    ours = cell.step(x, type(cell.initial_state(1))(h)).hidden.detach().numpy()
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-6)
