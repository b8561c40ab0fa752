"""The same bits for any number of threads and in every call, and for a row whatever else is in its batch."""

from itertools import product

import pytest
import torch
from torch import Tensor

from native_oracle import Case, Data, native, threads, using
from textrnn.cells import CELLS
from textrnn.cells.native import native_layer
from textrnn.native import Plan, available_instruction_sets, library

pytestmark = pytest.mark.skipif(library() is None, reason="the native library was not built")

SETS = available_instruction_sets() if library() else []
ALL = list(product(CELLS, SETS))


def assert_same(mine: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert mine.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(mine[name], value), name


@pytest.mark.parametrize(("cell", "way"), ALL)
@pytest.mark.parametrize("indexed", [True, False])
def test_threads_and_calls_change_nothing(cell: str, way: str, indexed: bool) -> None:
    """Values and gradients. 75 rows make five items in each direction, 1,400 positions several tiles a product."""
    lengths = tuple((row * 7) % 40 for row in range(75))
    case = Case(
        cell, lengths, hidden=70, features=50, directions=2, pooling="max" if indexed else "mean", indexed=indexed
    )
    with using(way):
        with threads(1):
            expected = native(Data(case))
        assert all(gradient.any() for gradient in expected.gradients.values())
        for count in (2, 3, 7, 2, 1):
            with threads(count):
                found = native(Data(case))
            assert_same(found.values, expected.values)
            assert_same(found.gradients, expected.gradients)


def read(data: Data, rows: list[int], pooling: str | None = "mean") -> dict[str, Tensor]:
    """Some rows as a batch of their own: pooled, and outputs [batch, time, hidden] with zeros in the padding."""
    lengths = data.lengths[rows]
    plan = Plan(lengths.numpy(), data.ids[rows].numpy(), len(data.words))
    with torch.no_grad():
        result = native_layer(
            data.case.cell,
            data.cells,
            plan,
            data.words.index_select(0, torch.from_numpy(plan.unique_ids.copy())),
            indexed=True,
            pooling=pooling,
            states=[type(state)(*(part[rows] for part in state)) for state in data.states],
            keep_outputs=True,
        )
    assert result.pooled is not None and result.outputs is not None
    outputs = torch.zeros(len(rows), data.ids.shape[1], result.outputs.shape[1])
    outputs[torch.from_numpy(plan.source_row).long(), torch.from_numpy(plan.source_time).long()] = result.outputs
    finals = {f"{d}.{name}": part for d, s in enumerate(result.finals) for name, part in s._asdict().items()}
    return {"pooled": result.pooled, "outputs": outputs, **finals}


@pytest.mark.parametrize(("cell", "way"), ALL)
@pytest.mark.parametrize("hidden", [72, *(pytest.param(size, marks=pytest.mark.slow) for size in (5, 16, 128))])
def test_a_row_is_the_same_in_any_company(cell: str, way: str, hidden: int) -> None:
    """Alone, in batches of every size up to 20 and one of 53, in any order: blocks of all numbers of rows."""
    lengths = tuple((row * 5) % 13 + (row == 2) * 20 for row in range(53))
    data = Data(Case(cell, lengths, hidden=hidden, features=37, directions=2, indexed=True, seed=3))
    stream = torch.Generator().manual_seed(1)
    with using(way):
        whole = read(data, list(range(53)))
        batches = [torch.randperm(53, generator=stream).tolist()[:size] for size in (*range(1, 21), 53)]
        for rows in [*([row] for row in range(53)), *batches, list(range(52, -1, -1))]:
            assert_same(read(data, rows), {name: value[rows] for name, value in whole.items()})


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_pooling_in_any_company(pooling: str) -> None:
    data = Data(Case("gru", (9, 0, 3, 7, 7, 1), hidden=20, features=300, directions=2, indexed=True))
    whole = read(data, list(range(6)), pooling)
    for rows in ([3], [5, 3, 1], [1], [0, 3]):
        assert_same(read(data, rows, pooling), {name: value[rows] for name, value in whole.items()})
