"""A layer of the native kernels beside the same layer of readable cells in float64: values and all gradients."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from textrnn.cells import CELLS, Cell, Unroll, backwards, torch_unroll, unroll
from textrnn.cells.native import native_layer
from textrnn.model.pooling import POOLINGS
from textrnn.native import Plan, instruction_set, use_instruction_set

VALUE_TOLERANCE, GRADIENT_TOLERANCE = 1e-5, 1e-4
MARGIN = 2e-6
"""Where relu and max have their kinks, rounding decides which way a gradient goes; a case so near says nothing."""


@dataclass(frozen=True)
class Case:
    """What a layer computes on what."""

    cell: str
    lengths: tuple[int, ...]
    hidden: int = 5
    features: int = 3
    directions: int = 1
    pooling: str | None = None
    indexed: bool = False
    keep_outputs: bool = True
    more_time: int = 0
    """Steps of padding behind the longest row."""
    seed: int = 0


class Results(NamedTuple):
    """Each by name; what padding holds is not among them."""

    values: dict[str, Tensor]
    gradients: dict[str, Tensor]
    kinks: bool
    """Whether a relu or a maximum nearly went the other way. Found by the oracle only."""


class Data:
    """Random cells, inputs and states for a case; the same for the same seed."""

    def __init__(self, case: Case) -> None:
        stream = torch.Generator().manual_seed(case.seed)

        def normal(*sizes: int) -> Tensor:
            return torch.randn(*sizes, generator=stream)

        self.case = case
        self.lengths = torch.tensor(case.lengths, dtype=torch.int64)
        batch, time = len(case.lengths), max(case.lengths, default=0) + case.more_time
        # With few words they occur often; inputs without an index are all different.
        vocabulary = max(time * batch // 3, 1) if case.indexed else time * batch
        self.words = normal(vocabulary, case.features)
        self.ids = (
            torch.randint(vocabulary, (batch, time), generator=stream)
            if case.indexed
            else torch.arange(vocabulary).reshape(batch, time)
        )
        self.cells: list[Cell[Any, Any]] = []
        self.states: list[Any] = []
        for _ in range(case.directions):
            cell = CELLS[case.cell](case.features, case.hidden)
            for name, parameter in cell.named_parameters():
                # Sums of products of size 1, and a recurrent product that shrinks, so that nothing is chaotic.
                scale = {"from_input.weight": case.features, "from_hidden.weight": 4 * case.hidden}.get(name, 4)
                parameter.data.copy_(normal(*parameter.shape) / scale**0.5)
            zeros = cell.initial_state(batch)
            self.cells.append(cell)
            self.states.append(type(zeros)(*(normal(*part.shape) for part in zeros)))

    def double(self) -> "Data":
        """The same in 64 bits."""
        twin = Data(self.case)
        twin.words = self.words.double()
        twin.cells = [cell.double() for cell in twin.cells]
        twin.states = [type(state)(*(part.double() for part in state)) for state in self.states]
        return twin

    def leaves(self) -> dict[str, Tensor]:
        """All that has a gradient, by name."""
        found = {"words": self.words}
        for d, (cell, state) in enumerate(zip(self.cells, self.states, strict=True)):
            found |= {f"{d}.{name}": parameter for name, parameter in cell.named_parameters()}
            found |= {f"{d}.{name}": getattr(state, name) for name in state._fields}
        return {name: tensor.requires_grad_() for name, tensor in found.items()}

    def gradients(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        """Of a loss in which every value has a random weight."""
        leaves = self.leaves()
        stream = torch.Generator().manual_seed(self.case.seed + 1)
        weights = [torch.randn(value.shape, generator=stream).to(value) for value in values.values()]
        if not any(value.requires_grad for value in values.values()):
            return {name: torch.zeros_like(leaf) for name, leaf in leaves.items()}
        loss = torch.stack([(v * w).sum() for v, w in zip(values.values(), weights, strict=True)]).sum()
        found = torch.autograd.grad(loss, list(leaves.values()), materialize_grads=True)
        return dict(zip(leaves, found, strict=True))


def plan_of(data: Data) -> Plan:
    ids = data.ids.numpy() if data.case.indexed else None
    return Plan(data.lengths.numpy(), ids, len(data.words))


def native(data: Data, *, gradients: bool = True) -> Results:
    """By `native_layer`."""
    case, plan = data.case, plan_of(data)
    if gradients:
        data.leaves()
    rows = torch.from_numpy(plan.source_row.astype(np.int64))
    steps = torch.from_numpy(plan.source_time.astype(np.int64))
    chosen = torch.from_numpy(plan.unique_ids.copy()) if case.indexed else data.ids[rows, steps]
    result = native_layer(
        case.cell,
        data.cells,
        plan,
        data.words.index_select(0, chosen),
        indexed=case.indexed,
        pooling=case.pooling,
        states=data.states,
        keep_outputs=case.keep_outputs,
    )
    values = {f"final {d}.{name}": part for d, s in enumerate(result.finals) for name, part in s._asdict().items()}
    if result.pooled is not None:
        values["pooled"] = result.pooled
    if result.outputs is not None:
        order = torch.argsort(rows * (data.ids.shape[1] + 1) + steps)  # row by row
        values["outputs"] = result.outputs[order]
    assert ("pooled" in values, "outputs" in values) == (case.pooling is not None, case.keep_outputs)
    return Results(values, data.gradients(values) if gradients else {}, False)


def readable(data: Data, unroll: Unroll = unroll) -> Results:
    """By readable cells in float64, or another unroll of them."""
    with threads(1):
        return _readable(data.double(), unroll)


def _readable(data: Data, unroll: Unroll) -> Results:
    data.leaves()
    case, lengths = data.case, data.lengths
    inputs = data.words[data.ids.t()]  # [time, batch, features]
    outputs: list[Tensor] = []
    values: dict[str, Tensor] = {}
    kinks = False
    for d, (cell, state) in enumerate(zip(data.cells, data.states, strict=True)):
        found, final = unroll(cell, backwards(inputs, lengths) if d else inputs, lengths, state)
        outputs.append(backwards(found, lengths) if d else found)
        values |= {f"final {d}.{name}": part for name, part in final._asdict().items()}
        if case.cell == "elman_relu":
            kinks = kinks or near_relu(cell, backwards(inputs, lengths) if d else inputs, found, state, lengths)
    joined = torch.cat(outputs, dim=-1)
    if case.pooling:
        final_hidden = torch.cat([values[f"final {d}.hidden"] for d in range(case.directions)], dim=-1)
        values["pooled"] = POOLINGS[case.pooling](joined, final_hidden, lengths)
        kinks = kinks or (case.pooling == "max" and near_maximum(joined.detach(), lengths))
    if case.keep_outputs:
        real = torch.arange(len(joined)) < lengths.unsqueeze(1)  # [batch, time]
        values["outputs"] = joined.transpose(0, 1)[real]
    return Results(values, data.gradients(values), kinks)


_FUSED: dict[str, Any] = {"elman": torch.rnn_tanh, "elman_relu": torch.rnn_relu, "gru": torch.gru, "lstm": torch.lstm}


def unroll_row_by_row(cell: Any, inputs: Tensor, lengths: Tensor, state: Any) -> tuple[Tensor, Any]:
    """`unroll` by PyTorch's own layers (a scan for minimal cells), each row alone: linear in the length."""
    name = next(name for name, kind in CELLS.items() if kind is type(cell))
    if name not in _FUSED:
        return torch_unroll(cell, inputs, lengths, state)
    weights = [cell.from_input.weight, cell.from_hidden.weight, cell.from_input.bias]
    weights.append(torch.zeros_like(weights[2]) if cell.from_hidden.bias is None else cell.from_hidden.bias)
    outputs, finals = [], []
    for row, length in enumerate(lengths.tolist()):
        start = [part[None, row : row + 1] for part in state]
        found, *final = _FUSED[name](
            inputs[:length, row : row + 1],
            start if len(start) > 1 else start[0],
            weights,
            True,
            1,
            0.0,
            True,
            False,
            False,
        )
        outputs.append(torch.cat([found[:, 0], final[0][0].expand(len(inputs) - length, -1)]))
        finals.append([part[0] for part in final])
    return torch.stack(outputs, dim=1), type(state)(*(torch.cat(parts) for parts in zip(*finals, strict=True)))


def near_relu(cell: Any, inputs: Tensor, outputs: Tensor, state: Any, lengths: Tensor) -> bool:
    """Whether what a relu got anywhere lies within the margin of 0."""
    with torch.no_grad():
        before = torch.cat([state.hidden[None], outputs])[: len(outputs)]
        sums = cell.from_input(inputs) + cell.from_hidden(before)
    real = torch.arange(len(outputs)).unsqueeze(1) < lengths
    return bool((sums[real].abs() < MARGIN).any())


def near_maximum(outputs: Tensor, lengths: Tensor) -> bool:
    """Whether the second largest value of a unit anywhere lies within the margin of the largest."""
    if len(outputs) < 2:
        return False
    real = (torch.arange(len(outputs)).unsqueeze(1) < lengths).unsqueeze(-1)
    top = outputs.masked_fill(~real, -torch.inf).topk(2, dim=0).values
    alive = top[0].isfinite() & (top[0] != 0)  # two zeros of relus have no gradient
    return bool(((top[0] - top[1] < MARGIN) & alive).any())


def assert_close(mine: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float, least: float) -> None:
    """Within `tolerance` of each tensor's largest entry, which counts as `least` at least."""
    assert mine.keys() == expected.keys()
    for name, value in expected.items():
        value, found = value.detach(), mine[name].detach().double()
        assert found.shape == value.shape, name
        if not value.numel():
            continue
        scale = max(float(value.abs().max()), least)
        error = float((found - value).abs().max())
        assert error <= tolerance * scale, f"{name}: error {error:.3g} of {scale:.3g}"  # also false for nan


def assert_matches(data: Data, unroll: Unroll = unroll) -> bool:
    """False where a kink forbids to compare gradients; values are compared in any case."""
    expected = readable(data, unroll)
    mine = native(data)
    assert_close(mine.values, expected.values, VALUE_TOLERANCE, least=0.3)
    if expected.kinks:
        return False
    assert_close(mine.gradients, expected.gradients, GRADIENT_TOLERANCE, least=0.1)
    return True


@contextmanager
def using(name: str) -> Iterator[None]:
    """Another instruction set, and then the one before."""
    before = instruction_set()
    assert before is not None
    use_instruction_set(name)
    try:
        yield
    finally:
        use_instruction_set(before)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads, and then as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
