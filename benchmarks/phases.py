"""Where does the time of training go? Shares of the phases of the kernels, and how fast their products are.

Needs a library that counts, which is named by `TEXTRNN_LIBRARY`:

    cmake -S . -B build/phases -DCMAKE_BUILD_TYPE=Release -DTEXTRNN_PHASES=ON && cmake --build build/phases
    TEXTRNN_LIBRARY=build/phases/libtextrnn.so python -m benchmarks.phases [CELL ...]

On one thread, by its counter of cycles. Each batch is trained on again and again, and the phases are those of the round
in which it took least, so that what else runs on the machine hardly counts. What a second thread would spare follows
from the times of the tasks, handed out in turns; waking and waiting come on top, and what a second cache spares comes
off. Reading the counter costs about a hundredth.
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
    *("Python", "planning", "packing weights", "packing gates", "packing", "input product", "recurrent product"),
    *("gates", "steps", "gates back", "product back", "outer product", "sums", "input gradients", "words", "head"),
    *("optimiser", "waiting", "rest"),
)
"""As in native/phases.h."""
GROUPS = {
    "gates": ("gates", "steps", "gates back"),
    "packing": ("packing weights", "packing gates", "packing"),
    "sums, words": ("sums", "words"),
    "head, optimiser": ("head", "optimiser"),
    "planning, rest": ("planning", "waiting", "rest"),
    "Python": ("Python",),
}
"""Columns of the table, besides the products."""
WHOLE = "whole step, sst2"
ROUNDS = {WHOLE: 60, "sst2": 60, "imdb, 50": 40, "imdb, 250": 12}
"""The whole step, or the beginnings of names in `training_speed`; and how often each batch is trained on."""
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
    total: np.ndarray = np.sum(best, axis=0)
    return total


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


def peak() -> float:
    """Operations a cycle of the counter at the full rate of multiply-adds, the best of many."""
    kernels: Any = library()
    done = float(kernels.textrnn_peak_operations(1, TURN))
    return done / float(min(counted(lambda: kernels.textrnn_peak_operations(1, TURN))[0].sum() for _ in range(30)))


def profile(name: str, cell: str) -> dict[str, float]:
    """Shares of the time in percent: of each phase; `operations` if all products ran at the peak; `spared`.

    Forward and backward under autograd as in `training_speed`, or the whole step of `training_step`.
    """
    work = next(work for work in WORK if work["work"].startswith("sst2" if name == WHOLE else name))
    batches = shuffled_batches(work["set"], **work["batches"])
    with cpu_for_training(threads=1):
        model = classifier(work["set"], cell=cell, hidden_size=work["hidden"])
        if name == WHOLE:
            runs = [our_steps(classifier(work["set"], cell=cell), [batch]) for batch in batches]
        else:
            rnn = network(model)
            runs = [trainer(losses(model, rnn)[OURS], model, rnn, [batch]) for batch in batches]
        cycles, spared = least([as_in_training(run, 1) for run in runs], ROUNDS[name])
        needed = {
            product: count / peak()
            for product, count in operations(model, batches, each_word_once=name != WHOLE).items()
        }
    share = 100 / cycles.sum()
    return {
        **{phase: share * some for phase, some in zip(PHASES, cycles, strict=True)},
        **{f"{product} at the peak": share * some for product, some in needed.items()},
        "spared": share * spared.sum(),
        "milliseconds of 2.6e9 cycles": cycles.sum() / len(batches) / 2.6e6,
    }


def row(name: str, cell: str, found: dict[str, float]) -> str:
    """A row of the table."""
    products = [phase for phase in PHASES if f"{phase} at the peak" in found]
    time, needed = sum(found[p] for p in products), sum(found[f"{p} at the peak"] for p in products)
    groups = [sum(found[phase] for phase in group) for group in GROUPS.values()]
    columns = [time, *groups, 100 * needed / time, needed, needed / (1 - found["spared"] / 100) / 2]
    return f"| {name} | {cell} | " + " | ".join(f"{column:.0f}" for column in columns) + " |"


def main(cells: list[str]) -> None:
    if not hasattr(library(), "textrnn_phases"):
        raise SystemExit("TEXTRNN_LIBRARY must name a library that was built with TEXTRNN_PHASES")
    names = [
        "work",
        "cell",
        "products",
        *GROUPS,
        "rate of the products",
        "share of the peak",
        "the same on two threads",
    ]
    rows = []
    for name in ROUNDS:
        for cell in cells or ["gru", "lstm", "elman"]:
            found = profile(name, cell)
            print(name, cell, json.dumps({key: round(some, 1) for key, some in found.items()}), flush=True)
            rows.append(row(name, cell, found))
    print("", f"| {' | '.join(names)} |", "|" + " --- |" * len(names), *rows, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
