"""The native arithmetic of the lazy optimiser against the readable one; PyTorch is the oracle in test_optimizer.py."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from textrnn.native import available_instruction_sets, instruction_set, library, use_instruction_set
from textrnn.training import lazy_adam
from textrnn.training.adam_rows import AdamSettings, LazyTable
from textrnn.training.lazy_adam import IMPLEMENTATIONS, Implementation, LazyAdam, implementation_for
from textrnn.training.optimizer import set_rate
from textrnn.training.randomness import random_stream

needs_native = pytest.mark.skipif(library() is None, reason="the native library was not built")
KINDS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
SETTINGS = AdamSettings(step=1, rate=0.01, weight_decay=0.1, decoupled=True)


@pytest.fixture(params=IMPLEMENTATIONS)
def implementation(request: pytest.FixtureRequest) -> Implementation:
    if request.param == "native" and library() is None:
        pytest.skip("the native library was not built")
    return IMPLEMENTATIONS[request.param]


def trained(
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    kind: str = "adamw",
    weight_decay: float = 0.2,
    rows: int = 200,
    features: int = 7,
    most: int = 30,
    steps: int = 60,
) -> dict[str, Tensor]:
    """Weights and moments after steps on row sets of many sizes, some of them empty; everything is caught up twice."""
    monkeypatch.setattr(lazy_adam, "implementation_for", lambda table: IMPLEMENTATIONS[name])
    rng = random_stream(rows + features)
    table = nn.Parameter(torch.randn(rows, features, generator=rng))
    options: dict[str, Any] = {"weight_decay": weight_decay, "fused": True}
    optimizer = LazyAdam(KINDS[kind]([table], lr=1.0, **options))
    for step in range(steps):
        ids = torch.randperm(rows, generator=rng)[: int(torch.randint(most + 1, (1,), generator=rng))]
        more = torch.randint(rows, (most,), generator=rng, dtype=torch.int32)
        optimizer.prepare(table, [ids, more.view(-1, 1), torch.cat([ids, ids, more]), ids[:0]][step % 4])
        values = torch.randn(len(ids), features, generator=rng)
        table.grad = torch.sparse_coo_tensor(  # as the native layers return it: each row once, but unsorted
            ids.unsqueeze(0), values, table.shape, is_coalesced=True, check_invariants=False
        )
        set_rate(optimizer, 0.01 * (1 + step % 5))
        optimizer.step()
        if step in (20, 21):
            optimizer.synchronize()
    optimizer.synchronize()
    state = optimizer.state[table]
    return {"weights": table.detach(), **{part: state[part] for part in ("exp_avg", "exp_avg_sq", "step")}}


@needs_native
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weight_decay", [0.0, 0.2])
@pytest.mark.parametrize("history", [4096, 9])
@pytest.mark.parametrize("features", [1, 7, 16, 37])
def test_both_do_the_same(
    kind: str, weight_decay: float, history: int, features: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lazy_adam, "HISTORY", history)
    native, readable = (
        trained(name, monkeypatch, kind=kind, weight_decay=weight_decay, features=features)
        for name in ("native", "torch")
    )
    assert native["step"] == 60
    for part, expected in readable.items():
        torch.testing.assert_close(native[part], expected, rtol=1e-6, atol=1e-6)


@pytest.fixture
def instruction_set_afterwards() -> Iterator[None]:
    before = instruction_set()
    yield
    if before:
        use_instruction_set(before)


@needs_native
@pytest.mark.usefixtures("instruction_set_afterwards")
def test_threads_and_instruction_sets_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = torch.get_num_threads()
    results = []
    try:
        for name in available_instruction_sets():
            for count in (1, 3):
                use_instruction_set(name)
                torch.set_num_threads(count)
                results.append(trained("native", monkeypatch, rows=9000, features=21, most=6000, steps=8))
    finally:
        torch.set_num_threads(threads)
    assert len(results) >= 2
    for result in results[1:]:
        assert all(torch.equal(result[part], results[0][part]) for part in result)


def table_of(rows: int, features: int) -> LazyTable:
    rng = random_stream(1)
    blocks = [torch.rand(rows, features, generator=rng) for _ in range(3)]
    return LazyTable(*blocks, betas=(0.9, 0.999), eps=1e-8, history=10)


@pytest.mark.parametrize("outside", [-1, 5, 2**40, -(2**62)])
def test_rows_outside_of_the_table_are_refused(outside: int, implementation: Implementation) -> None:
    table, rows = table_of(5, 3), torch.tensor([1, outside, 2])
    implementation.step(table, torch.tensor([0]), torch.ones(1, 3), SETTINGS)
    blocks = table.weights, table.first, table.second, table.row_steps, table.kept, table.coasted
    before = [block.clone() for block in blocks]
    calls: list[Callable[[], None]] = [
        lambda: implementation.catch_up(table, rows),
        lambda: implementation.step(table, rows, torch.ones(3, 3), SETTINGS),
    ]
    for call in calls:
        with pytest.raises(IndexError, match=f"expected rows of a table from 0 to 4, found .*{outside}"):
            call()
    assert table.steps == 1
    assert all(torch.equal(block, old) for block, old in zip(blocks, before, strict=True))


@pytest.mark.parametrize("shape", [(2, 4), (1, 3), (3, 3), (6,)])
def test_gradients_of_another_shape_are_refused(shape: tuple[int, ...], implementation: Implementation) -> None:
    table = table_of(5, 3)
    with pytest.raises(ValueError, match=r"expected the gradients of rows in the shape \(2, 3\)"):
        implementation.step(table, torch.tensor([0, 4]), torch.ones(shape), SETTINGS)
    assert table.steps == 0 and not table.row_steps.any()


def test_no_rows_are_none_and_not_all(implementation: Implementation) -> None:
    table, nothing = table_of(5, 3), torch.empty(0, dtype=torch.int64)
    before = table.weights.clone()
    implementation.step(table, nothing, torch.empty(0, 3), SETTINGS)
    implementation.catch_up(table, nothing)
    assert table.steps == 1 and torch.equal(table.weights, before)
    implementation.catch_up(table, None)
    assert not torch.isclose(table.weights, before).any()


@needs_native
def test_moments_that_vanish_become_zero() -> None:
    """A denormal number costs a hundred cycles at every later step."""
    table = table_of(4, 9)
    table.first.fill_(1.2e-38)
    nobody = torch.empty(0, dtype=torch.int64)
    for step in range(1, 4):
        IMPLEMENTATIONS["native"].step(table, nobody, torch.empty(0, 9), SETTINGS._replace(step=step))
    IMPLEMENTATIONS["native"].catch_up(table, torch.tensor([0, 2]))
    assert not table.first[[0, 2]].any() and table.first[[1, 3]].all()


@needs_native
def test_the_native_one_is_chosen_where_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = torch.zeros(4, 6)
    assert implementation_for(nn.Parameter(plain)) is IMPLEMENTATIONS["native"]
    for other in (plain.double(), plain.t(), plain[:, :3]):
        assert implementation_for(other) is IMPLEMENTATIONS["torch"]
    monkeypatch.setattr(lazy_adam, "library", lambda: None)
    assert implementation_for(plain) is IMPLEMENTATIONS["torch"]
