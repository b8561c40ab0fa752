"""How fast is a whole training step, against the same model in plain PyTorch packed and padded?

sst2, batches of 32, dropout 0.5 of embeddings and pooled vector, head, cross-entropy, clipping to norm 1 and AdamW.
Ours steps only the embedding's rows that a batch reads (`make_optimizer`); the peer has dense gradients and PyTorch's
fused AdamW, its fastest. Batches cut from shuffled texts, as from a DataLoader, and of similar lengths (`bucketed`), as
textrnn cuts them. Denormals are flushed on all sides. `at most` is the ratio if nothing but the layer's products took
time, at the measured peak; those of the input are made for every token here, since dropout makes each another one.
"""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

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
from textrnn.config import TrainingConfig
from textrnn.data import RaggedBatch
from textrnn.model import SILENCE, Noise, TextClassifier
from textrnn.native import library
from textrnn.training.optimizer import make_optimizer
from textrnn.training.processor import cpu_for_training
from textrnn.training.steps import Setting, choose_step

OURS, PACKED, PADDED = "textrnn, native", "packed", "padded"
CONFIG = TrainingConfig()
BATCHES = 8
THREADS = (2, 1)


class PlainClassifier(nn.Module):
    """Embedding, dropout, recurrent network, mean, dropout, head, on a copy of a model's weights."""

    def __init__(self, model: TextClassifier, pool: Callable[[Any, Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.embedding = nn.Embedding(model.embedding.num_embeddings, model.config.embedding_size, padding_idx=0)
        self.rnn = network(model)
        self.dropout = nn.Dropout(CONFIG.dropout)
        self.head = nn.Linear(model.pooled_size, 2)
        self.pool = pool
        self.embedding.load_state_dict(model.embedding.state_dict())
        self.head.load_state_dict(model.head.state_dict())

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        pooled = self.pool(self.rnn, self.dropout(self.embedding(ids.t())), lengths)
        logits: Tensor = self.head(self.dropout(pooled))
        return logits


def our_steps(model: TextClassifier, batches: list[TorchBatch]) -> Callable[[], None]:
    noise = Noise.from_config(torch.Generator().manual_seed(0), CONFIG)
    take_step = choose_step(Setting(model, make_optimizer(model, CONFIG), noise, CONFIG.max_gradient_norm))
    real = [ragged(batch) for batch in batches]

    def run() -> None:
        for batch in real:
            take_step(batch)

    return run


def ragged(batch: TorchBatch) -> RaggedBatch:
    """Without the padding, as `fit` gets it."""
    ids = [row[:length].numpy() for row, length in zip(batch.ids, batch.lengths.tolist(), strict=True)]
    return RaggedBatch(
        ids=np.concatenate(ids).astype(np.int32),
        lengths=batch.lengths.numpy(),
        targets=batch.targets.numpy(),
        indices=np.arange(len(ids)),
    )


def plain_steps(model: PlainClassifier, batches: list[TorchBatch]) -> Callable[[], None]:
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=CONFIG.learning_rate, weight_decay=CONFIG.weight_decay, fused=True
    )

    def run() -> None:
        for batch in batches:
            optimizer.zero_grad(set_to_none=True)
            loss = cross_entropy(model(batch.ids, batch.lengths), batch.targets)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), CONFIG.max_gradient_norm)
            optimizer.step()
            loss.item()

    return run


def check(ours: TextClassifier, plain: PlainClassifier, batch: TorchBatch) -> None:
    """The same loss without dropout, or no timing."""
    plain.eval()
    losses = [
        cross_entropy(logits, batch.targets).reshape(1)
        for logits in (ours(batch.ids, batch.lengths, SILENCE), plain(batch.ids, batch.lengths))
    ]
    assert_close("loss of a batch", *losses, tolerance=1e-5)
    plain.train()


def measure() -> list[dict[str, Any]]:
    """One row for each way of cutting batches, number of threads and cell."""
    if data_folder() is None or library() is None:
        return []
    rows = []
    for cut in ("shuffled", "bucketed"):
        batches = shuffled_batches("sst2", BATCHES, buckets=cut == "bucketed")
        for threads in THREADS:
            for cell in ("gru", "lstm", "elman"):
                with cpu_for_training(threads=threads):
                    model = classifier("sst2", cell=cell)
                    packed, padded = PlainClassifier(model, packed_mean), PlainClassifier(model, padded_mean)
                    for plain in (packed, padded):
                        check(model, plain, batches[0])
                    work = {
                        OURS: as_in_training(our_steps(model, batches), threads),
                        PACKED: plain_steps(packed, batches),
                        PADDED: plain_steps(padded, batches),
                    }
                    times = best_times(work | peak_run(threads), rounds=8)
                    seconds = training_operations(model, batches, each_word_once=False) / take_peak(times, threads)
                rows.append(
                    {"work": f"sst2, batch 32, {cut}", "cell": cell, "hidden": 128, "threads": threads}
                    | times.row(OURS, tokens=sum(batch.tokens for batch in batches))
                    | at_most(times, OURS, seconds)
                    | {"to reach": {PACKED: 7, PADDED: 5} if threads == 2 and cut == "shuffled" else {}}
                )
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
