"""What does a step of the optimiser cost where a batch reads few rows of an embedding?

AdamW on a table of 30,000 x 100 with gradients on 600 rows (sst2-like batches of 32) and 3,000 (imdb-like), one thread,
denormals flushed on all sides. The dense sides get a dense gradient, ours a coalesced sparse one, and ours includes
catching up the rows before they are read, and catching up the whole table once in 500 steps, as after an epoch.
`SparseAdam` does less: no weight decay, no fading moments, no momentum between reads.

Timed twice: in turns, where the other sides have thrown every row out of the caches, and each side alone, where rows
of its last steps may still be there. A training lies between.
"""

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.timing import best_of
from textrnn.training.lazy_adam import LazyAdam
from textrnn.training.processor import cpu_for_training

VOCABULARY, FEATURES = 30_000, 100
RATE, DECAY = 0.002, 0.01
STEPS_AN_EPOCH = 500
STEPS = 20
OURS = "textrnn, rows"


def gradients(rows: int, count: int) -> list[tuple[Tensor, Tensor]]:
    """Ids as words occur, the n-th most frequent in proportion to 1/n; no gradient is near eps, see lazy_adam.py."""
    rng = torch.Generator().manual_seed(0)
    weights = 1 / torch.arange(1, VOCABULARY + 1, dtype=torch.float64)
    drawn = [torch.multinomial(weights, rows, generator=rng).sort().values for _ in range(count)]
    normal = [torch.randn(rows, FEATURES, generator=rng) for _ in range(count)]
    return [(ids, 1e-3 * (values + values.sign())) for ids, values in zip(drawn, normal, strict=True)]


def sparse(ids: Tensor, values: Tensor) -> Tensor:
    size = (VOCABULARY, FEATURES)
    return torch.sparse_coo_tensor(ids.unsqueeze(0), values, size, is_coalesced=True, check_invariants=False)


def table() -> nn.Parameter:
    return nn.Parameter(0.1 * torch.randn(VOCABULARY, FEATURES, generator=torch.Generator().manual_seed(1)))


def lazy(parameter: nn.Parameter) -> LazyAdam:
    return LazyAdam(torch.optim.AdamW([parameter], lr=RATE, weight_decay=DECAY, fused=True))


def check(steps: list[tuple[Tensor, Tensor]]) -> None:
    """The weights and moments of dense AdamW after some steps, or no timing."""
    ours, dense = table(), table()
    optimizer, theirs = lazy(ours), torch.optim.AdamW([dense], lr=RATE, weight_decay=DECAY)
    for ids, values in steps:
        optimizer.prepare(ours, ids)
        ours.grad = sparse(ids, values)
        optimizer.step()
        dense.grad = sparse(ids, values).to_dense()
        theirs.step()
    optimizer.synchronize()
    torch.testing.assert_close(ours, dense, rtol=0, atol=1e-6)
    torch.testing.assert_close(
        optimizer.state[ours]["exp_avg_sq"], theirs.state[dense]["exp_avg_sq"], rtol=1e-4, atol=1e-12
    )


def sides(steps: list[tuple[Tensor, Tensor]]) -> dict[str, Callable[[], None]]:
    """A step of each side; the gradients lie ready and are taken in turns."""

    def plain(optimizer: torch.optim.Optimizer, parameter: nn.Parameter, ready: list[Tensor]) -> Callable[[], None]:
        turns = itertools.cycle(ready)

        def run() -> None:
            parameter.grad = next(turns)
            optimizer.step()

        return run

    dense = [sparse(ids, values).to_dense() for ids, values in steps]
    narrow = [sparse(ids, values) for ids, values in steps]
    default, fused, foreign, ours = table(), table(), table(), table()
    optimizer = lazy(ours)

    turns = itertools.cycle(zip(steps, narrow, strict=True))

    def rows() -> None:
        (ids, _), gradient = next(turns)
        optimizer.prepare(ours, ids)
        ours.grad = gradient
        optimizer.step()

    return {
        "AdamW": plain(torch.optim.AdamW([default], lr=RATE, weight_decay=DECAY), default, dense),
        "AdamW fused": plain(torch.optim.AdamW([fused], lr=RATE, weight_decay=DECAY, fused=True), fused, dense),
        "SparseAdam": plain(torch.optim.SparseAdam([foreign], lr=RATE), foreign, narrow),
        OURS: rows,
    }


def measure() -> list[dict[str, Any]]:
    """One row for each number of rows: milliseconds a step of each side."""
    results = []
    for rows in (600, 3_000):
        with cpu_for_training(threads=1):
            steps = gradients(rows, STEPS)
            check(steps)
            work = sides(steps)
            in_turns = best_of(work, rounds=100)
            alone = {side: best_of({side: run}, rounds=100)[side] for side, run in work.items()}
            whole = seconds_of_catching_up(steps[0])
        row: dict[str, Any] = {"rows": rows, "milliseconds to catch up all rows": 1e3 * whole}
        for name, seconds in (("in turns", in_turns), ("alone", alone)):
            seconds[OURS] += whole / STEPS_AN_EPOCH
            row[f"milliseconds a step, {name}"] = {side: 1e3 * value for side, value in seconds.items()}
        results.append(row)
    return results


def seconds_of_catching_up(step: tuple[Tensor, Tensor]) -> float:
    """`synchronize` of the whole table, the fastest of five; each needs a step before it, or there is nothing to do."""
    parameter, best = table(), float("inf")
    optimizer = lazy(parameter)
    for _ in range(5):
        parameter.grad = sparse(*step)
        optimizer.step()
        started = time.perf_counter()
        optimizer.synchronize()
        best = min(best, time.perf_counter() - started)
    return best


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
