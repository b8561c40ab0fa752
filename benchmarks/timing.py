"""Timing side by side: alternately in one process, best of several, so that noise hits both and is thrown away."""

import time
from collections.abc import Callable, Mapping
from typing import Any


def best_of(work: Mapping[str, Callable[[], Any]], *, rounds: int) -> dict[str, float]:
    """Seconds of the fastest of `rounds` runs of each, run in turns after one warm-up."""
    for run in work.values():
        run()
    best = dict.fromkeys(work, float("inf"))
    for _ in range(rounds):
        for name, run in work.items():
            started = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - started)
    return best
