"""How fast does the runtime predict, and how soon is it there, against the same network in PyTorch?"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.lengths import data_folder, encoded, read
from benchmarks.timing import best_of
from textrnn.config import ModelConfig, Recipe, TextConfig
from textrnn.model import TextClassifier, initialize
from textrnn.modelfile import FORMAT_VERSION, Header, write_model
from textrnn.runtime import NumpyNetwork
from textrnn.training.examples import EncodedExamples
from textrnn.training.processor import cpu_for_training
from textrnn.training.run import torch_logits

TEXTS = 1000
COLD_RUNTIME = "import sys, textrnn; textrnn.load(sys.argv[1]).predict('a good film')"
COLD_TORCH = """
import sys, textrnn, torch
from textrnn.model import TextClassifier
loaded = textrnn.load(sys.argv[1])
model = TextClassifier(loaded.header.model, vocabulary_size=len(loaded.header.vocabulary), classes=2)
model.load_weights(loaded.weights)
with torch.no_grad():
    model(torch.from_numpy(loaded.encoder.encode("a good film")[None].astype("int64")), torch.tensor([3]))
"""


def measure() -> list[dict[str, Any]]:
    """Rows of throughput, one for each set, and one of cold start."""
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
    rows.append(cold_start(encoder.vocabulary.tokens, model))
    return rows


def cold_start(vocabulary: list[str], model: TextClassifier) -> dict[str, Any]:
    """Seconds from the start of a process to its first prediction, best of 7."""
    header = Header(
        format_version=FORMAT_VERSION,
        labels=["neg", "pos"],
        text=TextConfig(),
        vocabulary=vocabulary,
        model=model.config,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.textrnn"
        write_model(path, header, model.weights())
        best = {"textrnn runtime, NumPy": float("inf"), "the network in PyTorch": float("inf")}
        for _ in range(7):
            for side, code in zip(best, (COLD_RUNTIME, COLD_TORCH), strict=True):
                started = time.perf_counter()
                subprocess.run([sys.executable, "-c", code, str(path)], check=True)
                best[side] = min(best[side], time.perf_counter() - started)
    return {"set": "cold start", "seconds": best}
