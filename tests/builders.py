"""Small classifiers with random weights, for tests of everything that comes after training."""

from typing import Any

import numpy as np

from textrnn.config import ModelConfig, TextConfig
from textrnn.labels import Label
from textrnn.modelfile import FORMAT_VERSION, Header, Weights, expected_tensors

WORDS = "good bad film story acting the a not very boring great plot".split()


def header(
    labels: list[Label] | None = None, *, max_length: int = 12, tokenizer: str = "words", **model: Any
) -> Header:
    """A header without provenance."""
    return Header(
        format_version=FORMAT_VERSION,
        labels=labels or ["neg", "pos"],
        text=TextConfig(max_length=max_length, tokenizer=tokenizer),  # type: ignore[arg-type]
        vocabulary=["<PAD>", "<UNK>", *WORDS],
        model=ModelConfig(**{"embedding_size": 5, "hidden_size": 7, **model}),
    )


def random_weights(header: Header, seed: int = 0, scale: float = 0.6) -> Weights:
    """Normally distributed weights that fit the header; the padding's embedding is zero, as in training."""
    rng = np.random.default_rng(seed)
    weights = {
        name: (scale * rng.standard_normal(shape)).astype(np.float32)
        for name, shape in expected_tensors(header).items()
    }
    for name in weights:
        if name.endswith("embedding.weight"):
            weights[name][0] = 0
    return weights


def random_texts(count: int, seed: int = 0, longest: int = 12) -> list[str]:
    """Texts of 0 to `longest` words, a few of them unknown."""
    rng = np.random.default_rng(seed)
    words = [*WORDS, "unseen", "?"]
    return [" ".join(rng.choice(words, size=rng.integers(0, longest + 1))) for _ in range(count)]
