"""How fast is minGRU, against our own native GRU in training, and from 16-bit tables in inference?

Training: one layer in two directions, mean pooling, forward and backward, sst2 batches of 32 cut from shuffled texts;
checked against the scan in PyTorch. Inference: one layer in two directions from a table of the projected
vocabulary in 16-bit floats, 1,000 imdb texts of at most 256 tokens, ids to logits; checked against the same network in
32 bits.
"""

import json
from typing import Any

import numpy as np
import torch

from benchmarks.lengths import data_folder
from benchmarks.peers import TorchBatch, as_in_training, assert_close, classifier, corpus, shuffled_batches
from benchmarks.timing import best_times, runtime_threads
from textrnn.model import ENCODERS, SILENCE, TextClassifier
from textrnn.native import library
from textrnn.runtime.engines import build_network
from textrnn.training.processor import cpu_for_training

OURS, GRU = "minGRU, native", "GRU, native"
TEXTS = 1000
THREADS = (2, 1)


def train(model: TextClassifier, batches: list[TorchBatch], backend: str = "native") -> None:
    for batch in batches:
        model.zero_grad(set_to_none=True)
        ENCODERS[backend](model, batch.ids, batch.lengths, SILENCE).sum().backward()


def measure() -> list[dict[str, Any]]:
    """Rows of training, then of inference, one for each number of threads."""
    if data_folder() is None or library() is None:
        return []
    return [*(training(threads) for threads in THREADS), *(inference(threads) for threads in THREADS)]


def training(threads: int) -> dict[str, Any]:
    batches = shuffled_batches("sst2", 8)
    minimal, gru = (classifier("sst2", cell=cell, bidirectional=True) for cell in ("mingru", "gru"))
    with cpu_for_training(threads=threads):
        for model in (minimal, gru):
            gradients = []
            for backend in ("native", "torch"):
                train(model, batches[:1], backend)
                gradients.append(model.stack[0].left_to_right.from_input.weight.grad)
            ours, theirs = gradients
            assert ours is not None and theirs is not None
            assert_close("gradient of the input weights", ours, theirs)
        sides = {OURS: lambda: train(minimal, batches), GRU: lambda: train(gru, batches)}
        times = best_times({side: as_in_training(run, threads) for side, run in sides.items()}, rounds=20)
    return (
        {"work": "sst2, batch 32, two directions, training", "cell": "mingru", "hidden": 128, "threads": threads}
        | times.row(OURS, tokens=sum(batch.tokens for batch in batches))
        | {"to reach": {GRU: 3} if threads == 2 else {}}
    )


def inference(threads: int) -> dict[str, Any]:
    texts, _, _ = corpus("imdb")
    chosen = np.random.default_rng(0).permutation(len(texts))[:TEXTS]
    listed = [texts[index][:256] for index in chosen]
    model = classifier("imdb", cell="mingru", bidirectional=True)
    weights = model.weights()
    exact = build_network(model.config, weights, max_length=256)
    small = build_network(model.config, weights, max_length=256, compress="fp16")
    with runtime_threads(threads):
        np.testing.assert_allclose(small.logits(listed), exact.logits(listed), rtol=0, atol=5e-3)
        times = best_times(
            {"16-bit table": lambda: small.logits(listed), "32-bit table": lambda: exact.logits(listed)}, rounds=15
        )
    tokens = sum(map(len, listed))
    gates = 2
    # What one token reads in each direction: a row of the table, the gates of 128 units in two bytes each.
    read = tokens * 2 * gates * model.config.hidden_size * 2 / times.wall["16-bit table"]
    return (
        {"work": "imdb, two directions, inference", "cell": "mingru", "hidden": 128, "threads": threads}
        | {"engine": type(small).__name__}
        | times.row("16-bit table", tokens=tokens)
        | {"bytes of the table read per second": read, "copied bytes per second": copied_bytes(threads)}
        | {"to reach": {"tokens per second": 50e6} if threads == 2 else {}}
    )


def copied_bytes(threads: int) -> float:
    """Memory bandwidth, bytes read and bytes written, of copying 256 MB."""
    source, target = torch.ones(64_000_000), torch.zeros(64_000_000)
    with cpu_for_training(threads=threads):
        seconds = best_times({"copy": lambda: target.copy_(source)}, rounds=5).wall["copy"]
    return 2 * 4 * source.numel() / seconds


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
