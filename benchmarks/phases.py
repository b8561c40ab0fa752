"""Where does the time of training go? Shares of the phases of the kernels, and how fast their products are.

Needs a library that counts, which is named by `TEXTRNN_LIBRARY`:

    cmake -S . -B build/phases -DCMAKE_BUILD_TYPE=Release -DTEXTRNN_PHASES=ON && cmake --build build/phases
    TEXTRNN_LIBRARY=build/phases/libtextrnn.so python -m benchmarks.phases [THREADS [WORK [CELL]]]

Cycles are those of the calling thread: with two threads it waits for the other one too, and what the other one does at the
same time is not counted. Each batch is trained on again and again, and the phases are those of the round in which it took
least, so that what else runs on the machine hardly counts. Reading the counter costs about a hundredth of the time.
"""

import ctypes
import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.bounds import forward_operations
from benchmarks.peers import TorchBatch, as_in_training, classifier, network, shuffled_batches
from benchmarks.training_speed import OURS, WORK, losses, trainer
from benchmarks.training_step import our_steps
from textrnn.model import TextClassifier
from textrnn.native import library
from textrnn.training.processor import cpu_for_training

PHASES = (
    *(
        "Python",
        "planning",
        "packing weights",
        "packing gates",
        "packing",
        "input product",
        "recurrent product",
        "gates",
        "steps",
        "gates back",
    ),
    *("product back", "outer product", "sums", "input gradients", "words", "head", "optimiser", "waiting", "rest"),
)
"""As in native/phases.h."""
ROUNDS = 40
TURN = 200_000
"""Iterations of the loop that measures the peak."""


def counted(run: Callable[[], Any]) -> np.ndarray:
    """Cycles of each phase of one run, and those that a second thread would spare. [2, phases]"""
    cycles = np.zeros((2, len(PHASES)), dtype=np.uint64)
    kernels: Any = library()
    kernels.textrnn_phases(ctypes.c_void_p(cycles.ctypes.data))
    run()
    kernels.textrnn_phases(ctypes.c_void_p(cycles.ctypes.data))
    return cycles.astype(np.float64)


def least(runs: list[Callable[[], Any]], rounds: int) -> np.ndarray:
    """The sum over the runs of the cycles of each phase in that round in which the run took least."""
    best = [counted(run) for run in runs]
    for _ in range(rounds):
        for i, run in enumerate(runs):
            found = counted(run)
            if found[0].sum() < best[i][0].sum():
                best[i] = found
    return np.sum(best, axis=0)


def operations(model: TextClassifier, batches: list[TorchBatch], *, each_word_once: bool) -> dict[str, int]:
    """Floating-point operations of each product."""
    recurrent = inputs = 0
    for batch in batches:
        words = len(batch.ids.unique()) - int((batch.ids == 0).any())
        hidden = forward_operations(model, batch.tokens, 0)
        recurrent += hidden
        inputs += forward_operations(model, batch.tokens, words if each_word_once else batch.tokens) - hidden
    return {
        "input product": inputs,
        "recurrent product": recurrent,
        "product back": recurrent,
        "outer product": recurrent,
        "input gradients": 2 * inputs,
    }


def peak(threads: int) -> float:
    """Operations a cycle of the counter at the full rate of multiply-adds, the best of many."""
    kernels: Any = library()
    done = float(kernels.textrnn_peak_operations(threads, TURN))
    return done / min(counted(lambda: kernels.textrnn_peak_operations(threads, TURN))[0].sum() for _ in range(30))


def profile(name: str, cell: str, threads: int, rounds: int) -> dict[str, Any]:
    """Of forward and backward under autograd, as in `training_speed`; `whole step` of sst2's by one native call."""
    whole = name.startswith("whole")
    work = WORK[1] if whole else next(work for work in WORK if work["work"].startswith(name))
    batches = shuffled_batches(work["set"], **work["batches"])
    with cpu_for_training(threads=threads):
        model = classifier(work["set"], cell=cell, hidden_size=work["hidden"])
        if whole:
            runs = [our_steps(classifier(work["set"], cell=cell), [batch]) for batch in batches]
        else:
            loss = losses(model, network(model))[OURS]
            runs = [trainer(loss, model, network(model), [batch]) for batch in batches]
        cycles, spared = least([as_in_training(run, threads) for run in runs], rounds)
        rate = peak(threads)
    done = operations(model, batches, each_word_once=not whole)
    total = cycles.sum()
    return {
        "work": name,
        "cell": cell,
        "threads": threads,
        "share of the time, %": {
            phase: round(100 * some / total, 1) for phase, some in zip(PHASES, cycles, strict=True)
        },
        "share of the peak, %": {
            phase: round(100 * count / cycles[PHASES.index(phase)] / (rate / threads), 1)
            for phase, count in done.items()
        }
        if threads == 1
        else {},
        "products at the peak, % of the time": round(100 * sum(done.values()) / rate / total, 1),
        "million cycles": round(total / 1e6, 3),
        "spared by a second thread, % of the time": round(100 * spared.sum() / total, 1),
        "of it": {phase: round(100 * some / total, 1) for phase, some in zip(PHASES, spared, strict=True) if some},
    }


def main(arguments: list[str]) -> None:
    if not hasattr(library(), "textrnn_phases"):
        raise SystemExit("TEXTRNN_LIBRARY must name a library that was built with TEXTRNN_PHASES")
    threads = int(arguments[0]) if arguments else 1
    works = arguments[1:2] or ["sst2", "whole step, sst2", "imdb, 50", "imdb, 250"]
    for name in works:
        for cell in arguments[2:] or ["gru", "lstm", "elman"]:
            print(json.dumps(profile(name, cell, threads, ROUNDS if "sst2" in name else 8)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
