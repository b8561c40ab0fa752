"""How fast is training on the last state after 200 steps, against `nn.LSTM` as users run it?

Gradients that vanish through time become denormal numbers, with which many CPUs compute a hundred times slower. PyTorch
does not flush them unless told so; the native kernels do, inside themselves only. So here nothing is flushed outside.
`slowdown by denormals` is that of a product of such numbers here: where it is 1, the kernel's advantage is smaller.
"""

import json
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from benchmarks.lengths import data_folder
from benchmarks.peers import TorchBatch, as_in_training, assert_close, classifier, network, shuffled_batches
from benchmarks.timing import best_times
from textrnn.native import library

OURS, THEIRS = "textrnn, native", "nn.LSTM"
STEPS = 200


def measure() -> list[dict[str, Any]]:
    """One row for each number of threads."""
    if data_folder() is None or library() is None:
        return []
    batch = shuffled_batches("imdb", 1, shortest=STEPS, longest=STEPS)[0]
    model = classifier("imdb", cell="lstm", pooling="last")
    rnn = network(model)
    parameters = [*model.parameters(), *rnn.parameters()]

    def ours(batch: TorchBatch) -> Tensor:
        return cross_entropy(model(batch.ids, batch.lengths), batch.targets)

    def theirs(batch: TorchBatch) -> Tensor:
        _, (hidden, _) = rnn(model.embedding(batch.ids.t()))
        return cross_entropy(model.head(hidden[0]), batch.targets)

    def train(loss: Callable[[TorchBatch], Tensor]) -> None:
        for parameter in parameters:
            parameter.grad = None
        loss(batch).backward()

    cell: Any = model.stack[0].left_to_right
    gradients = []
    for loss, weight in ((ours, cell.from_hidden.weight), (theirs, rnn.weight_hh_l0)):
        train(loss)
        gradients.append(weight.grad)
    assert_close("gradient of the recurrent weights", *gradients)
    slowdown = slowdown_by_denormals()
    rows = []
    before = torch.get_num_threads()
    for threads in (2, 1):
        torch.set_num_threads(threads)
        times = best_times(
            {OURS: as_in_training(lambda: train(ours), threads), THEIRS: lambda: train(theirs)}, rounds=7
        )
        rows.append(
            {"work": "last state after 200 steps, batch 32", "cell": "lstm", "hidden": 128, "threads": threads}
            | times.row(OURS, tokens=batch.tokens)
            | {"slowdown by denormals": slowdown, "to reach": {THEIRS: 15} if threads == 2 else {}}
        )
    torch.set_num_threads(before)
    return rows


def slowdown_by_denormals() -> float:
    """How many times longer products of 4,000 denormal numbers take than those of ordinary ones."""
    ordinary, denormal = torch.full((4000,), 1.0), torch.full((4000,), 1e-40)
    times = best_times({"ordinary": lambda: ordinary * 0.7, "denormal": lambda: denormal * 0.7}, rounds=10)
    return times.processor["denormal"] / times.processor["ordinary"]


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
