"""How fast is a training step, forward and backward, against `torch.nn.RNN` packed and padded?

The same embedding, mean pooling, head and loss on the same bucketed batches of 32, one thread, denormals flushed on all
sides. Ratios above 1 mean that textrnn is faster.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks.lengths import data_folder, encoded, read
from benchmarks.timing import best_of
from textrnn.config import ModelConfig
from textrnn.data import RaggedBatch, bucketed
from textrnn.model import TextClassifier, initialize
from textrnn.training.processor import cpu_for_training

BATCHES = 8


def foreign(model: TextClassifier) -> Any:
    rnn: Any = nn.RNN(model.config.embedding_size, model.config.hidden_size)
    cell: Any = model.stack[0].left_to_right
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(cell.from_input.weight)
        rnn.weight_hh_l0.copy_(cell.from_hidden.weight)
        rnn.bias_ih_l0.copy_(cell.from_input.bias)
        rnn.bias_hh_l0.zero_()
    return rnn


def losses(model: TextClassifier, rnn: Any) -> dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]]:
    def ours(ids: Tensor, lengths: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(model(ids, lengths), targets)

    def mean(states: Tensor, lengths: Tensor) -> Tensor:
        real = (torch.arange(len(states)).unsqueeze(1) < lengths).unsqueeze(-1)
        return (states * real).sum(dim=0) / lengths.unsqueeze(-1)

    def padded(ids: Tensor, lengths: Tensor, targets: Tensor) -> Tensor:
        states, _ = rnn(model.embedding(ids.t()))
        return cross_entropy(model.head(mean(states, lengths)), targets)

    def packed(ids: Tensor, lengths: Tensor, targets: Tensor) -> Tensor:
        states, _ = rnn(pack_padded_sequence(model.embedding(ids.t()), lengths, enforce_sorted=False))
        return cross_entropy(model.head(mean(pad_packed_sequence(states)[0], lengths)), targets)

    return {"textrnn, readable": ours, "nn.RNN padded": padded, "nn.RNN packed": packed}


def tensors(batch: RaggedBatch) -> tuple[Tensor, Tensor, Tensor]:
    assert batch.targets is not None
    return torch.from_numpy(batch.padded()), torch.from_numpy(batch.lengths), torch.from_numpy(batch.targets)


def measure() -> list[dict[str, Any]]:
    """One row for each set: tokens per second of each side."""
    folder = data_folder()
    if folder is None:
        return []
    rows = []
    for name in ("sst2", "imdb"):
        dataset = read(folder, name, "train")
        texts, encoder, chosen = encoded(dataset, 32 * 50)
        targets = dataset.targets[chosen]
        order = bucketed(texts.lengths, 32, np.random.default_rng(0))[:BATCHES]
        batches = [tensors(texts.batch(indices, targets)) for indices in order]
        model = TextClassifier(ModelConfig(), vocabulary_size=len(encoder.vocabulary), classes=2)
        initialize(model, "orthogonal", torch.Generator().manual_seed(0))
        rnn = foreign(model)
        sides = losses(model, rnn)
        with cpu_for_training(threads=1):
            check(sides, model, rnn, batches[0])

            def run(loss: Callable[[Tensor, Tensor, Tensor], Tensor], batches: list[Any] = batches) -> None:
                for batch in batches:
                    loss(*batch).backward()

            work = {side: (lambda loss=loss: run(loss)) for side, loss in sides.items()}
            seconds = best_of(work, rounds=7)
        tokens = sum(int(lengths.sum()) for _, lengths, _ in batches)
        rows.append({"set": name, "tokens": tokens, "tokens per second": {s: tokens / t for s, t in seconds.items()}})
    return rows


def check(sides: dict[str, Any], model: TextClassifier, rnn: Any, batch: tuple[Tensor, Tensor, Tensor]) -> None:
    """The same loss and the same gradient of the recurrent matrix, or no timing."""
    results = {}
    cell: Any = model.stack[0].left_to_right
    for side, loss in sides.items():
        model.zero_grad()
        rnn.zero_grad()
        value = loss(*batch)
        value.backward()
        weight = cell.from_hidden.weight if side.startswith("textrnn") else rnn.weight_hh_l0
        results[side] = [value.detach(), torch.zeros(0) if weight.grad is None else weight.grad.clone()]
    first = results.pop("textrnn, readable")
    for other in results.values():
        torch.testing.assert_close(first, other, rtol=1e-3, atol=1e-6)
