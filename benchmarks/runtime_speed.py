"""How fast does the portable NumPy runtime predict, against the same network in PyTorch?"""

from typing import Any

import numpy as np
import torch

from benchmarks.lengths import data_folder, encoded, read
from benchmarks.timing import best_of
from textrnn.config import ModelConfig, Recipe
from textrnn.model import TextClassifier, initialize
from textrnn.runtime import NumpyNetwork
from textrnn.training.examples import EncodedExamples
from textrnn.training.processor import cpu_for_training
from textrnn.training.run import torch_logits

TEXTS = 1000


def measure() -> list[dict[str, Any]]:
    """One row for each set."""
    folder = data_folder()
    if folder is None:
        return []
    rows: list[dict[str, Any]] = []
    for name in ("sst2", "imdb"):
        texts, encoder, _ = encoded(read(folder, name, "train"), TEXTS)
        model = TextClassifier(ModelConfig(), vocabulary_size=len(encoder.vocabulary), classes=2)
        initialize(model, "orthogonal", torch.Generator().manual_seed(0))
        network = NumpyNetwork(ModelConfig(), model.weights(), max_length=256)
        listed = [texts[index] for index in range(len(texts))]
        examples = EncodedExamples(texts, np.zeros(len(texts), dtype=np.int64))
        with cpu_for_training(threads=1):
            np.testing.assert_allclose(network.logits(listed), torch_logits(model, examples, Recipe()), atol=1e-5)
            work = {
                "textrnn runtime, NumPy": lambda network=network, listed=listed: network.logits(listed),
                "the network in PyTorch": lambda model=model, examples=examples: torch_logits(
                    model, examples, Recipe()
                ),
            }
            seconds = best_of(work, rounds=5)
        tokens = int(texts.lengths.sum())
        rows.append({"set": name, "tokens": tokens, "tokens per second": {s: tokens / t for s, t in seconds.items()}})
    return rows
