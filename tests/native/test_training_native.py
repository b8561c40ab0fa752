"""Whole trainings by the native kernels: the readable backend's losses, the same bits for any number of threads, and
everything still there without them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from native_oracle import threads
from textrnn.cells import CELLS
from textrnn.config import Recipe
from textrnn.data import EncodedTexts
from textrnn.model import TextClassifier, initialize
from textrnn.native import library
from textrnn.training.examples import EncodedExamples
from textrnn.training.fit import Fit, fit
from textrnn.training.randomness import random_stream

pytestmark = pytest.mark.skipif(library() is None, reason="the native library was not built")


def train(cell: str, backend: str, epochs: int, pooling: str = "mean", hidden: int = 19) -> Fit:
    """Two layers, both directions, all noise; texts of 0 to 14 words."""
    recipe = Recipe.from_settings(
        cell=cell,
        backend=backend,
        layers=2,
        bidirectional=True,
        pooling=pooling,
        embedding_size=6,
        hidden_size=hidden,
        epochs=epochs,
        batch_size=24,
        dropout=0.2,
        word_dropout=0.1,
        variational=True,
        recurrent_dropout=0.0 if cell.startswith("min") else 0.3,
        learning_rate=0.003,
    )
    rng = np.random.default_rng(0)
    texts = [rng.integers(2, 30, size=rng.integers(0, 15)).astype(np.int32) for _ in range(96)]
    targets = np.array([int((text > 15).sum() * 2 > len(text)) for text in texts])
    stream = random_stream(1)
    model = TextClassifier(recipe.model, vocabulary_size=30, classes=2)
    initialize(model, "orthogonal", stream)
    return fit(recipe, model, EncodedExamples(EncodedTexts.from_ids(texts), targets), None, stream=stream)


def losses(found: Fit) -> list[float]:
    return [float(record.loss) for record in found.history]


@pytest.mark.parametrize("cell", CELLS)
def test_losses_are_those_of_the_readable_backend(cell: str) -> None:
    expected = losses(train(cell, "readable", 4))
    assert max(expected) - min(expected) > 5e-3, "the weights hardly move, so there is nothing to compare"
    np.testing.assert_allclose(losses(train(cell, "native", 4)), expected, rtol=1e-4)


@pytest.mark.parametrize("cell", CELLS)
def test_the_same_bits_for_any_number_of_threads(cell: str) -> None:
    with threads(1):
        expected = train(cell, "native", 2, pooling="max")
    for count in (2, 3, 7):
        with threads(count):
            found = train(cell, "native", 2, pooling="max")
        assert losses(found) == losses(expected)
        for name, value in expected.weights.items():
            assert (found.weights[name] == value).all(), (count, name)


WITHOUT = """
import sys, textrnn
from textrnn.native import library
from textrnn.model import ENCODERS
texts = ["good film", "bad film", "very good", "very bad", "good", "bad"] * 4
labels = ["pos", "neg"] * 12
trained = textrnn.train(texts, labels=labels, cell="gru", bidirectional=True, epochs=20, batch_size=4, seed=1)
trained.save(sys.argv[1])
found = [item.label for item in textrnn.load(sys.argv[1]).predict(["good", "bad", "very good", ""])]
print(library() is None, "native" in ENCODERS, *found[:3])
"""


@pytest.mark.parametrize("native", ["0", "1"])
def test_a_process_with_and_without_the_kernels(native: str, tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT, str(tmp_path / "model.textrnn")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "TEXTRNN_NATIVE": native},
    )
    without = native == "0"
    assert found.stdout.split() == [str(without), str(not without), "pos", "neg", "pos"], found.stderr
