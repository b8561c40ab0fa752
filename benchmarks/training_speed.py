"""How fast is training, forward and backward of the recurrent layer, against `torch.nn` packed and padded?

Embedding, one layer in one direction, mean pooling and a fixed linear loss; batches are cut from shuffled texts. The
gradient of the embedding is sparse on all sides, so that only the recurrent part differs, and denormals are flushed on
all sides. `peak` is a loop of fused multiply-adds on as many threads, measured in turns with the rest; `share of peak`
counts the products' operations only: three (forward, to the inputs, to the weights) of the recurrent weights with every
real step and of the input weights with every different word of the batch. `at most` is the ratio if nothing but these
took time, at the peak.
"""

import json
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.bounds import at_most, peak_run, take_peak, training_operations
from benchmarks.lengths import data_folder
from benchmarks.peers import (
    TorchBatch,
    as_in_training,
    assert_close,
    classifier,
    network,
    packed_mean,
    padded_mean,
    shuffled_batches,
)
from benchmarks.timing import best_times
from textrnn.model import ENCODERS, SILENCE, TextClassifier
from textrnn.native import library
from textrnn.training.processor import cpu_for_training

OURS, PACKED, PADDED = "textrnn, native", "packed", "padded"
THREADS = (2, 1)

WORK: list[dict[str, Any]] = [
    {
        "work": "imdb, 50 to 500 tokens, batch 32",
        "set": "imdb",
        "batches": {"count": 1, "shortest": 50, "longest": 500},
        "hidden": 128,
        "reach": {"gru": {PACKED: 35, PADDED: 8}, "lstm": {PACKED: 35, PADDED: 3}, "elman": {PACKED: 45, PADDED: 10}},
        "rounds": 4,
    },
    {
        "work": "sst2, about 20 tokens, batch 32",
        "set": "sst2",
        "batches": {"count": 8},
        "hidden": 128,
        "reach": {"gru": {PACKED: 7, PADDED: 6}, "lstm": {PACKED: 7, PADDED: 2.5}, "elman": {PACKED: 9, PADDED: 6}},
        "rounds": 15,
    },
    {
        "work": "imdb, 250 tokens each, batch 64",
        "set": "imdb",
        "batches": {"count": 1, "size": 64, "shortest": 250, "longest": 250},
        "hidden": 256,
        "reach": {"gru": {PADDED: 2.5}, "lstm": {PADDED: 1.5}, "elman": {PADDED: 2.6}},
        "rounds": 5,
    },
]


def losses(model: TextClassifier, rnn: Any) -> dict[str, Callable[[TorchBatch], Tensor]]:
    """The loss of a batch by each side."""
    weights = torch.randn(model.pooled_size, generator=torch.Generator().manual_seed(2))

    def ours(batch: TorchBatch) -> Tensor:
        return (ENCODERS["native"](model, batch.ids, batch.lengths, SILENCE) @ weights).sum()

    def packed(batch: TorchBatch) -> Tensor:
        return (packed_mean(rnn, model.embedding(batch.ids.t()), batch.lengths) @ weights).sum()

    def padded(batch: TorchBatch) -> Tensor:
        return (padded_mean(rnn, model.embedding(batch.ids.t()), batch.lengths) @ weights).sum()

    return {OURS: ours, PACKED: packed, PADDED: padded}


def trainer(
    loss: Callable[[TorchBatch], Tensor], model: TextClassifier, rnn: Any, batches: list[TorchBatch]
) -> Callable[[], None]:
    parameters = [*model.parameters(), *rnn.parameters()]

    def run() -> None:
        for batch in batches:
            for parameter in parameters:
                parameter.grad = None
            loss(batch).backward()

    return run


def check(sides: dict[str, Callable[[TorchBatch], Tensor]], model: TextClassifier, rnn: Any, batch: TorchBatch) -> None:
    """The same loss, the same gradients of the embedding and of both matrices, or no timing."""
    cell: Any = model.stack[0].left_to_right
    results = {}
    for side, loss in sides.items():
        value = loss(batch)
        trainer(loss, model, rnn, [batch])()
        matrices = [cell.from_input.weight, cell.from_hidden.weight]
        if side != OURS:
            matrices = [rnn.weight_ih_l0, rnn.weight_hh_l0]
        results[side] = [value.reshape(1), *(parameter.grad for parameter in (model.embedding.weight, *matrices))]
    for side, theirs in results.items():
        for what, one, other in zip(("loss", "embedding", "W_ih", "W_hh"), results[OURS], theirs, strict=True):
            assert_close(f"{what}, {side}", one, other)


def measure() -> list[dict[str, Any]]:
    """One row for each work, number of threads and cell."""
    if data_folder() is None or library() is None:
        return []
    rows = []
    for work in WORK:
        batches = shuffled_batches(work["set"], **work["batches"])
        tokens = sum(batch.tokens for batch in batches)
        for threads in THREADS:
            for cell, reach in work["reach"].items():
                model = classifier(work["set"], cell=cell, hidden_size=work["hidden"])
                rnn = network(model)
                with cpu_for_training(threads=threads):
                    sides = losses(model, rnn)
                    check(sides, model, rnn, batches[0])
                    runs: dict[str, Callable[[], Any]] = {
                        side: trainer(sides[side], model, rnn, batches) for side in (OURS, *reach)
                    }
                    runs[OURS] = as_in_training(runs[OURS], threads)
                    times = best_times(runs | peak_run(threads), rounds=work["rounds"])
                peak = take_peak(times, threads)
                operations = training_operations(model, batches, each_word_once=True)
                done = operations / times.wall[OURS]
                rows.append(
                    {"work": work["work"], "cell": cell, "hidden": work["hidden"], "threads": threads}
                    | {"tokens": tokens, "padding": padding(batches)}
                    | times.row(OURS, tokens=tokens)
                    | at_most(times, OURS, operations / peak)
                    | {"to reach": reach if threads == 2 else {}}
                    | {"operations per second": done, "peak": peak, "share of peak": done / peak}
                )
    return rows


def padding(batches: list[TorchBatch]) -> float:
    """Share of the steps of padded batches that are padding."""
    return 1 - sum(batch.tokens for batch in batches) / sum(batch.ids.numel() for batch in batches)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
