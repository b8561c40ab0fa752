"""How fast is training against the loop over time that notebooks teach?

One linear map of the embedding beside the hidden state, tanh, step by step in Python over padded batches; the padding
is read like tokens and the last state classified (`padding="through"`, `pooling="last"`). Forward, loss and backward,
denormals flushed on both sides, dense gradients in the loop as notebooks have them.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.lengths import data_folder
from benchmarks.peers import TorchBatch, as_in_training, assert_close, classifier, shuffled_batches
from benchmarks.timing import best_times
from textrnn.model import TextClassifier
from textrnn.native import library
from textrnn.training.processor import cpu_for_training

OURS, THEIRS = "textrnn, native", "loop over time"
THREADS = (2, 1)


class NotebookNetwork(nn.Module):
    """As such notebooks have it."""

    def __init__(self, model: TextClassifier) -> None:
        """With a copy of a model's weights."""
        super().__init__()
        config, cell = model.config, model.stack[0].left_to_right
        hidden: Any = cell.from_hidden
        self.hidden_size = config.hidden_size
        self.embedding = nn.Embedding(model.embedding.num_embeddings, config.embedding_size, padding_idx=0)
        self.combine = nn.Linear(config.embedding_size + config.hidden_size, config.hidden_size)
        self.head = nn.Linear(config.hidden_size, 2)
        with torch.no_grad():
            self.embedding.weight.copy_(model.embedding.weight)
            self.combine.weight.copy_(torch.cat([cell.from_input.weight, hidden.weight], dim=1))
            self.combine.bias.copy_(cell.from_input.bias)
        self.head.load_state_dict(model.head.state_dict())

    def forward(self, ids: Tensor) -> Tensor:
        hidden = torch.zeros(len(ids), self.hidden_size)
        embedded = self.embedding(ids)
        for t in range(ids.shape[1]):
            hidden = torch.tanh(self.combine(torch.cat([embedded[:, t], hidden], dim=1)))
        logits: Tensor = self.head(hidden)
        return logits


def measure() -> list[dict[str, Any]]:
    """One row for each set and number of threads."""
    if data_folder() is None or library() is None:
        return []
    rows = []
    for name, shortest, count in (("imdb", 50, 1), ("sst2", 1, 4)):
        batches = shuffled_batches(name, count, shortest=shortest)
        model = classifier(name, cell="elman", pooling="last", padding="through")
        notebook = NotebookNetwork(model)

        def ours(batch: TorchBatch, model: TextClassifier = model) -> Tensor:
            return cross_entropy(model(batch.ids, batch.lengths), batch.targets)

        def theirs(batch: TorchBatch, notebook: NotebookNetwork = notebook) -> Tensor:
            return cross_entropy(notebook(batch.ids), batch.targets)

        def train(
            loss: Callable[[TorchBatch], Tensor], network: nn.Module, batches: list[TorchBatch] = batches
        ) -> None:
            for batch in batches:
                network.zero_grad()
                loss(batch).backward()

        for threads in THREADS:
            with cpu_for_training(threads=threads):
                train(ours, model)
                train(theirs, notebook)
                cell: Any = model.stack[0].left_to_right
                recurrent = notebook.combine.weight.grad
                assert recurrent is not None
                columns = recurrent[:, model.config.embedding_size :]
                assert_close("gradient of the recurrent weights", cell.from_hidden.weight.grad, columns)
                times = best_times(
                    {
                        OURS: as_in_training(partial(train, ours, model), threads),
                        THEIRS: partial(train, theirs, notebook),
                    },
                    rounds=5,
                )
            rows.append(
                {"work": f"{name}, batch 32, padding read", "cell": "elman", "hidden": 128, "threads": threads}
                | times.row(OURS, tokens=sum(batch.tokens for batch in batches))
                | {"to reach": {THEIRS: 20} if threads == 2 else {}}
            )
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
