"""A whole training with every cell, two layers, both directions and all noise: the backends reach the same weights."""

import numpy as np
import pytest

from textrnn.cells import CELLS
from textrnn.config import Recipe
from textrnn.data import EncodedTexts
from textrnn.errors import ConfigError
from textrnn.model import ENCODERS, TextClassifier, initialize
from textrnn.training.examples import EncodedExamples
from textrnn.training.fit import Fit, fit
from textrnn.training.randomness import random_stream


def train(cell: str, backend: str) -> Fit:
    recurrent_dropout = 0.0 if cell.startswith("min") else 0.3
    recipe = Recipe.from_settings(
        cell=cell,
        backend=backend,
        layers=2,
        bidirectional=True,
        embedding_size=4,
        hidden_size=5,
        epochs=16,
        batch_size=8,
        dropout=0.1,
        word_dropout=0.1,
        variational=True,
        recurrent_dropout=recurrent_dropout,
        learning_rate=0.01,
    )
    rng = np.random.default_rng(0)
    texts = [rng.integers(2, 12, size=rng.integers(0, 9)).astype(np.int32) for _ in range(40)]
    targets = np.array([int((text > 6).sum() * 2 > len(text)) for text in texts])
    stream = random_stream(1)
    model = TextClassifier(recipe.model, vocabulary_size=12, classes=2)
    initialize(model, "orthogonal", stream)
    return fit(recipe, model, EncodedExamples(EncodedTexts.from_ids(texts), targets), None, stream=stream)


@pytest.mark.parametrize("cell", CELLS)
def test_backends_train_the_same_network(cell: str) -> None:
    results = [train(cell, backend) for backend in ENCODERS]
    losses = [record.loss for record in results[0].history]
    assert losses[-1] < losses[0] - 0.05
    for other in results[1:]:
        np.testing.assert_allclose([record.loss for record in other.history], losses, rtol=1e-3)
        # Adam divides by the size of a gradient, so rounding in a tiny one moves a weight as far as a large one does.
        assert max(np.abs(other.weights[name] - value).mean() for name, value in results[0].weights.items()) < 2e-3


def test_a_backend_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ENCODERS, "torch")
    with pytest.raises(ConfigError, match=r"^backend: 'torch' is not available here, expected one of auto, readable"):
        train("elman", "torch")
