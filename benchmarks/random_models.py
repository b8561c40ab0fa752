"""Model files with random weights on the vocabulary of a data set: what a command costs does not depend on accuracy."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import corpus
from textrnn.config import ModelConfig, TextConfig
from textrnn.modelfile import FORMAT_VERSION, Header, Weights, expected_tensors, write_model


def write_random_model(path: Path, name: str, **settings: Any) -> tuple[Header, Weights]:
    """A classifier of two classes with the default rules for texts."""
    header = Header(
        format_version=FORMAT_VERSION,
        labels=["neg", "pos"],
        text=TextConfig(),
        vocabulary=corpus(name).encoder.vocabulary.tokens,
        model=ModelConfig(**settings),
    )
    rng = np.random.default_rng(0)
    weights = {
        tensor: (0.1 * rng.standard_normal(shape)).astype(np.float32)
        for tensor, shape in expected_tensors(header).items()
    }
    write_model(path, header, weights)
    return header, weights
