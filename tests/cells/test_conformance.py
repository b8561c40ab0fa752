"""Every cell through every unroll, against torch.nn, float64 loops, finite differences and poisoned padding.

None can arrive untested: the tests run over the tables.
"""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import oracles
from oracles import LOOPS, TORCH, as_torch_state, from_torch_state, random_state, torch_parameters, torch_twin
from textrnn.cells import CELLS, UNROLLS, Cell, LinearCell, backwards, linear_recurrence, unroll

TIME, BATCH, FEATURES, HIDDEN = 7, 4, 3, 5
LENGTHS = torch.tensor([4, 7, 1, 2])
ALL = list(product(CELLS, UNROLLS))
IN_TORCH = list(product(TORCH, UNROLLS))
LINEAR = [name for name, kind in CELLS.items() if issubclass(kind, LinearCell)]


def make(name: str, dtype: torch.dtype = torch.float32) -> Cell[Any, Any]:
    return oracles.make(name, FEATURES, HIDDEN, dtype)


def test_every_cell_has_an_oracle() -> None:
    assert CELLS.keys() == TORCH.keys() | LOOPS.keys()


@pytest.mark.parametrize(("name", "way"), IN_TORCH)
def test_matches_torch_on_ragged_batch_from_nonzero_state(name: str, way: str) -> None:
    cell = make(name)
    inputs, start = torch.randn(TIME, BATCH, FEATURES), random_state(cell, BATCH)
    outputs, final = UNROLLS[way](cell, inputs, LENGTHS, start)
    packed = pack_padded_sequence(inputs, LENGTHS, enforce_sorted=False)
    expected, last = torch_twin(name, cell)(packed, as_torch_state(start))
    padded, _ = pad_packed_sequence(expected)
    for row, length in enumerate(LENGTHS.tolist()):
        torch.testing.assert_close(outputs[:length, row], padded[:length, row], rtol=0, atol=1e-6)
        torch.testing.assert_close(outputs[length:, row], final.hidden[row].expand(TIME - length, -1), rtol=0, atol=0)
    for mine, theirs in zip(final, from_torch_state(last), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("name", "way"), list(product(LOOPS, UNROLLS)))
def test_matches_a_loop_in_double_precision(name: str, way: str) -> None:
    cell = make(name)
    inputs, start = torch.randn(TIME, BATCH, FEATURES), random_state(cell, BATCH)
    lengths = torch.tensor([4, 7, 0, 2])
    outputs, final = UNROLLS[way](cell, inputs, lengths, start)
    expected, last = oracles.looped(name, cell, inputs, lengths, start.hidden)
    np.testing.assert_allclose(outputs.detach().numpy(), expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(final.hidden.detach().numpy(), last, rtol=0, atol=1e-6)


def weighted(outputs: Tensor, final: tuple[Tensor, ...], weights: list[Tensor]) -> Tensor:
    """A loss that every real output and every part of the final state has a say in."""
    real = (torch.arange(TIME).unsqueeze(1) < LENGTHS).unsqueeze(-1)
    parts = [outputs * real, *final]
    return torch.stack([(part * weight).sum() for part, weight in zip(parts, weights, strict=True)]).sum()


@pytest.mark.parametrize(("name", "way"), IN_TORCH)
def test_gradients_match_torch(name: str, way: str) -> None:
    cell = make(name)
    inputs = torch.randn(TIME, BATCH, FEATURES, requires_grad=True)
    start = random_state(cell, BATCH, requires_grad=True)
    weights = [torch.randn(TIME, BATCH, HIDDEN), *(torch.randn(BATCH, HIDDEN) for _ in start)]
    outputs, final = UNROLLS[way](cell, inputs, LENGTHS, start)
    ours = torch.autograd.grad(weighted(outputs, final, weights), [inputs, *start, *cell.parameters()])
    module = torch_twin(name, cell)
    packed, last = module(pack_padded_sequence(inputs, LENGTHS, enforce_sorted=False), as_torch_state(start))
    loss = weighted(pad_packed_sequence(packed)[0], from_torch_state(last), weights)
    theirs = torch.autograd.grad(loss, [inputs, *start, *torch_parameters(module, cell)])
    for mine, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-5, atol=1e-5)


class Unrolled(nn.Module):
    """A cell through an unroll as a module, so that its parameters can be swapped."""

    def __init__(self, cell: Cell[Any, Any], way: str) -> None:
        super().__init__()
        self.cell = cell
        self.way = way

    def forward(self, inputs: Tensor, lengths: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        kind: Any = type(self.cell.initial_state(1))
        outputs, final = UNROLLS[self.way](self.cell, inputs, lengths, kind(*state))
        return (outputs, *final)


# The native kernels compute in 32 bits only; their gradients are compared with torch.nn's and the readable cells'.
IN_DOUBLE = [(name, way) for name, way in ALL if way != "native"]


@pytest.mark.parametrize(("name", "way"), IN_DOUBLE)
def test_gradients_match_finite_differences(name: str, way: str) -> None:
    """To inputs, every part of the state and every parameter, in float64; one row has no step at all."""
    cell = make(name, torch.float64)
    time, lengths = 4, torch.tensor([2, 4, 0])
    inputs = torch.randn(time, 3, FEATURES, dtype=torch.float64, requires_grad=True)
    state = random_state(cell, 3, requires_grad=True)
    names = [f"cell.{key}" for key, _ in cell.named_parameters()]
    parameters = [parameter.detach().clone().requires_grad_() for parameter in cell.parameters()]
    module = Unrolled(cell, way)

    def run(inputs: Tensor, *values: Tensor) -> Any:
        start, swapped = values[: len(state)], dict(zip(names, values[len(state) :], strict=True))
        return torch.func.functional_call(module, swapped, (inputs, lengths, start))

    assert torch.autograd.gradcheck(run, (inputs, *state, *parameters))


@pytest.mark.parametrize(("name", "way"), ALL)
def test_padding_changes_nothing(name: str, way: str) -> None:
    cell = make(name)
    inputs, start = torch.randn(TIME, BATCH, FEATURES), random_state(cell, BATCH)
    outputs, final = UNROLLS[way](cell, inputs, LENGTHS, start)
    poisoned = torch.cat([inputs, torch.empty(6, BATCH, FEATURES)])
    for row, length in enumerate(LENGTHS.tolist()):
        poisoned[length:, row] = torch.nan
    padded_outputs, padded_final = UNROLLS[way](cell, poisoned, LENGTHS, start)
    # A scan over another time joins other neighbours; all else is the same to the bit.
    exact = way == "readable" or name not in LINEAR
    for mine, expected in zip(padded_final, final, strict=True):
        torch.testing.assert_close(mine, expected, rtol=0, atol=0 if exact else 1e-6)
    torch.testing.assert_close(padded_outputs[:TIME], outputs, rtol=0, atol=0 if exact else 1e-6)
    torch.testing.assert_close(padded_outputs[TIME:], padded_final.hidden.expand(6, -1, -1), rtol=0, atol=0)


@pytest.mark.parametrize(("name", "way"), ALL)
def test_poisoned_padding_spoils_no_gradient(name: str, way: str) -> None:
    cell = make(name)
    inputs = torch.randn(TIME, BATCH, FEATURES)
    lengths = torch.tensor([7, 4, 0, 2])
    clean = inputs * (torch.arange(TIME).unsqueeze(1) < lengths).unsqueeze(-1)
    for row, length in enumerate(lengths.tolist()):
        inputs[length:, row] = 1e30
    gradients = []
    for steps in (inputs, clean):
        outputs, final = UNROLLS[way](cell, steps, lengths, cell.initial_state(BATCH))
        gradients.append(torch.autograd.grad(outputs.sum() + final.hidden.sum(), list(cell.parameters())))
    for poisoned, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(poisoned, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "way"), ALL)
def test_no_steps_leave_the_state_as_it_was(name: str, way: str) -> None:
    cell = make(name)
    start = random_state(cell, 2)
    outputs, final = UNROLLS[way](cell, torch.randn(0, 2, FEATURES), torch.tensor([0, 0]), start)
    assert outputs.shape == (0, 2, HIDDEN)
    for mine, expected in zip(final, start, strict=True):
        torch.testing.assert_close(mine, expected, rtol=0, atol=0)
    outputs, final = UNROLLS[way](cell, torch.randn(3, 2, FEATURES), torch.tensor([0, 3]), start)
    for mine, expected in zip(final, start, strict=True):
        torch.testing.assert_close(mine[0], expected[0], rtol=0, atol=0)
        assert not torch.equal(mine[1], expected[1])
    torch.testing.assert_close(outputs[:, 0], start.hidden[0].expand(3, -1), rtol=0, atol=0)


@pytest.mark.parametrize(("name", "way"), ALL)
def test_another_recurrent_weight(name: str, way: str) -> None:
    """A view computes as the cell itself would with that weight, and passes gradients to all the rest."""
    cell, inputs = make(name), torch.randn(TIME, BATCH, FEATURES)
    if cell.from_hidden is None:
        with pytest.raises(ValueError, match="has no recurrent weight"):
            cell.with_recurrent_weight(torch.zeros(HIDDEN, HIDDEN))
        return
    own = cell.from_hidden.weight
    mask = (torch.rand_like(own) > 0.5).float()
    start = random_state(cell, BATCH)
    _, thinned = UNROLLS[way](cell.with_recurrent_weight(own * mask), inputs, LENGTHS, start)
    gradients = torch.autograd.grad(thinned.hidden.sum(), list(cell.parameters()))
    assert all(gradient.any() for gradient in gradients)
    assert not gradients[2][mask == 0].any()
    kept = own.detach().clone()
    _, unthinned = UNROLLS[way](cell, inputs, LENGTHS, start)
    assert not torch.equal(unthinned.hidden, thinned.hidden)
    with torch.no_grad():
        own.copy_(kept * mask)
    _, expected = UNROLLS[way](cell, inputs, LENGTHS, start)
    torch.testing.assert_close(thinned.hidden, expected.hidden, rtol=0, atol=0)


@pytest.mark.parametrize("name", CELLS)
def test_contract(name: str) -> None:
    cell = make(name)
    state = random_state(cell, 2)
    gates = cell.gates(torch.randn(2, FEATURES), state)
    assert gates._fields == cell.GATES
    assert {tuple(gate.shape) for gate in gates} == {(2, HIDDEN)}
    assert cell.from_input.weight.shape == (len(cell.GATES) * HIDDEN, FEATURES)
    assert cell.from_input.bias.shape == (len(cell.GATES) * HIDDEN,)
    if cell.from_hidden is not None:
        assert cell.from_hidden.weight.shape == (len(cell.GATES) * HIDDEN, HIDDEN)
    assert all(not part.any() for part in cell.initial_state(3))


@pytest.mark.parametrize("name", LINEAR)
def test_parallel_form_is_the_sequential_one_over_2000_steps(name: str) -> None:
    cell = make(name, torch.float64)
    inputs, start = torch.randn(2000, 3, FEATURES, dtype=torch.float64), random_state(cell, 3)
    lengths = torch.tensor([1999, 2000, 1024])
    inputs.requires_grad_()
    results = []
    for way in ("readable", "torch"):
        outputs, final = UNROLLS[way](cell, inputs, lengths, start)
        results.append([outputs, final.hidden, *torch.autograd.grad(outputs.sum(), [inputs, *cell.parameters()])])
    for sequential, parallel in zip(*results, strict=True):
        torch.testing.assert_close(parallel, sequential, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("name", "way"), list(product(LINEAR, UNROLLS)))
@pytest.mark.parametrize("size", [30.0, 300.0, 1e4])
def test_extreme_gates(name: str, way: str, size: float) -> None:
    """Gates at 0 and 1 to the last bit, both of minLSTM's at 0 at once: where a logarithm or a quotient would fail."""
    cell = make(name)
    gates, total = len(cell.GATES) - 1, 300
    with torch.no_grad():
        cell.from_input.weight[: gates * HIDDEN].mul_(size)
        cell.from_input.bias[: gates * HIDDEN] = -size / 2
    inputs, start = torch.randn(total, BATCH, FEATURES), random_state(cell, BATCH)
    lengths = torch.tensor([300, 299, 5, 128])
    outputs, final = UNROLLS[way](cell, inputs, lengths, start)
    gradients = torch.autograd.grad(outputs.sum(), list(cell.parameters()))
    assert all(gradient.isfinite().all() and gradient.any() for gradient in gradients)
    double, double_start = cell.double(), type(start)(start.hidden.double())
    expected, last = unroll(double, inputs.double(), lengths, double_start)
    # A gate's argument of 1e4 has an error of 1e-3 in single precision; those of the gates and states add up.
    tolerance = 1e-6 * size
    np.testing.assert_allclose(outputs.detach(), expected.detach(), rtol=0, atol=tolerance)
    np.testing.assert_allclose(final.hidden.detach(), last.hidden.detach(), rtol=0, atol=tolerance)


@pytest.mark.parametrize("time", [1, 2, 3, 4, 5, 8, 9, 31])
def test_the_scan_and_both_its_gradients(time: int) -> None:
    torch.manual_seed(time)
    kept = torch.rand(time, 2, 3, dtype=torch.float64)
    kept[time // 2, 0], kept[0, 1] = 0.0, 1.0
    added, start = torch.randn(time, 2, 3, dtype=torch.float64), torch.randn(2, 3, dtype=torch.float64)
    state, states = start, []
    for t in range(time):
        state = kept[t] * state + added[t]
        states.append(state)
    torch.testing.assert_close(linear_recurrence(kept, added, start), torch.stack(states), rtol=0, atol=1e-12)
    inputs = tuple(tensor.requires_grad_() for tensor in (kept, added, start))
    assert torch.autograd.gradcheck(linear_recurrence, inputs)
    if time <= 5:
        assert torch.autograd.gradgradcheck(linear_recurrence, inputs)


def test_backwards_turns_each_row_alone() -> None:
    steps = torch.arange(TIME * BATCH * 2.0).reshape(TIME, BATCH, 2)
    lengths = torch.tensor([7, 0, 1, 4])
    turned = backwards(steps, lengths)
    for row, length in enumerate(lengths.tolist()):
        assert torch.equal(turned[:length, row], steps[:length, row].flip(0))
        assert torch.equal(turned[length:, row], steps[length:, row])
    assert torch.equal(backwards(turned, lengths), steps)


def test_elman_step_is_the_lessons_equation() -> None:
    cell = make("elman")
    x, h = torch.randn(2, FEATURES), torch.randn(2, HIDDEN)
    w_ih, b, w_hh = (parameter.detach().double().numpy() for parameter in cell.parameters())
    expected = np.tanh(x.double().numpy() @ w_ih.T + b + h.double().numpy() @ w_hh.T)
    ours = cell.step(x, type(cell.initial_state(1))(h)).hidden.detach().numpy()
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-6)
