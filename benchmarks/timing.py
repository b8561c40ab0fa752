"""Timing side by side: alternately in one process, best of several, so that noise hits both and is thrown away."""

import os
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Work = Mapping[str, Callable[[], Any]]
"""What each side does, by the side's name."""


def best_of(work: Work, *, rounds: int) -> dict[str, float]:
    """Seconds of the fastest of `rounds` runs of each, run in turns after one warm-up."""
    return best_times(work, rounds=rounds, turn_seconds=0.0).wall


@dataclass(frozen=True)
class Times:
    """The best of many runs of each side."""

    wall: dict[str, float]
    """Seconds on the clock."""
    processor: dict[str, float]
    """Seconds of all threads and child processes together. It hardly minds what else runs on the machine where there is
    one thread; several count what they spend waiting for each other."""

    def row(self, ours: str, *, tokens: int | None = None) -> dict[str, Any]:
        """For a table: seconds of each side and how many times longer than `ours` each other one takes."""
        others = [side for side in self.wall if side != ours]
        row: dict[str, Any] = {
            "seconds": self.wall,
            "processor seconds": self.processor,
            "times faster": {side: self.wall[side] / self.wall[ours] for side in others},
            "times less processor time": {side: self.processor[side] / self.processor[ours] for side in others},
            "load average": [round(load, 2) for load in os.getloadavg()],
        }
        if tokens is not None:
            row = {"tokens per second": {side: tokens / seconds for side, seconds in self.wall.items()}} | row
        return row


def best_times(work: Work, *, rounds: int, turn_seconds: float = 0.03) -> Times:
    """The best of each side, in turns after one warm-up.

    A side runs once in each of the `rounds`, and again until its turn has taken `turn_seconds`: where another program
    uses the machine for a while, a fast side needs as much time as a slow one to see it idle.
    """
    for run in work.values():
        run()
    wall, processor = dict.fromkeys(work, float("inf")), dict.fromkeys(work, float("inf"))
    for _ in range(rounds):
        for name, run in work.items():
            turn = time.perf_counter()
            while True:
                started, used = time.perf_counter(), processor_seconds()
                run()
                used, now = processor_seconds() - used, time.perf_counter()
                wall[name], processor[name] = min(wall[name], now - started), min(processor[name], used)
                if now - turn >= turn_seconds:
                    break
    return Times(wall, processor)


@contextmanager
def runtime_threads(threads: int) -> Iterator[None]:
    """For our runtime and the n-grams, within the block."""
    before = os.environ.get("TEXTRNN_NUM_THREADS")
    os.environ["TEXTRNN_NUM_THREADS"] = str(threads)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TEXTRNN_NUM_THREADS"]
        else:
            os.environ["TEXTRNN_NUM_THREADS"] = before


def processor_seconds() -> float:
    """Used so far by this process and by its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
