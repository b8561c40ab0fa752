"""What the processor allows: the time that the products need at its measured peak, and the weights to be read.

No implementation of these products in 32-bit floats is faster than that; activations, tables and memory come on top.
So the ratio to a peer that this time would give is the most that can be reached, and an aim above it is out of reach.
"""

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.peers import TorchBatch
from benchmarks.timing import Times
from textrnn.model import TextClassifier
from textrnn.native import library

PEAK = "peak"
ITERATIONS = 500_000


def peak_run(threads: int) -> dict[str, Callable[[], Any]]:
    """A loop of fused multiply-adds, to be measured in turns with the rest."""
    kernels = library()
    assert kernels is not None
    return {PEAK: partial(kernels.textrnn_peak_operations, threads, ITERATIONS)}


def take_peak(times: Times, threads: int) -> float:
    """Operations per second of that loop, which is no side any more."""
    kernels = library()
    assert kernels is not None
    times.processor.pop(PEAK)
    return float(kernels.textrnn_peak_operations(threads, 1)) * ITERATIONS / times.wall.pop(PEAK)


def forward_operations(model: TextClassifier, tokens: int, inputs: int) -> int:
    """Floating-point operations of the products of one layer: the recurrent ones at every token, and the projection of
    so many input rows, in each direction."""
    total = 0
    for cell in model.stack[0].directions:
        hidden: Any = cell.from_hidden
        total += 2 * (tokens * hidden.weight.numel() + inputs * cell.from_input.weight.numel())
    return total


def training_operations(model: TextClassifier, batches: Iterable[TorchBatch], *, each_word_once: bool) -> int:
    """Three times those of the way forward: back there are a product to the states or inputs and one to the weights.

    each_word_once: the projection is made once for a word of a batch; dropout of each token's own features forbids it.
    """
    total = 0
    for batch in batches:
        words = len(batch.ids.unique()) - int((batch.ids == 0).any())
        total += 3 * forward_operations(model, batch.tokens, words if each_word_once else batch.tokens)
    return total


def at_most(times: Times, ours: str, seconds: float) -> dict[str, dict[str, float]]:
    """For a row: how many times longer each other side takes than `seconds`."""
    return {"at most": {side: wall / seconds for side, wall in times.wall.items() if side != ours}}


def cache_bandwidth(size: int) -> float:
    """Bytes a second that one thread reads from as many bytes, again and again; the best of many.

    A search for a byte that is not there does nothing but read.
    """
    block, best = np.zeros(size, dtype=np.uint8).tobytes(), float("inf")
    for _ in range(300):
        started = time.perf_counter()
        for _ in range(10):
            block.find(b"\x01")
        best = min(best, time.perf_counter() - started)
    return 10 * size / best
