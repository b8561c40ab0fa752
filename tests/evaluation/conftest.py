from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from textrnn.evaluation import Evaluation, evaluate
from textrnn.history import EpochRecord
from textrnn.labels import Label

Drawn = tuple[NDArray[np.int64], NDArray[np.float32]]


@pytest.fixture
def drawn() -> Callable[..., Drawn]:
    """Targets [examples] and float32 probabilities [examples, classes] of a classifier of some skill."""

    def draw(classes: int, examples: int, *, seed: int = 0, skill: float = 0.4) -> Drawn:
        generator = np.random.default_rng(seed)
        targets = generator.integers(classes, size=examples)
        probabilities = (1 - skill) * generator.dirichlet(np.full(classes, 0.3), size=examples)
        probabilities[np.arange(examples), targets] += skill * (generator.random(examples) < 0.8)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        return targets, probabilities.astype(np.float32)

    return draw


@pytest.fixture
def evaluation_of(drawn: Callable[..., Drawn]) -> Callable[..., Evaluation]:
    def build(classes: int, examples: int = 400, labels: Sequence[Label] | None = None, **rest: Any) -> Evaluation:
        targets, probabilities = drawn(classes, examples)
        return evaluate(targets, probabilities, labels or [f"class {i}" for i in range(classes)], **rest)

    return build


@pytest.fixture
def history() -> list[EpochRecord]:
    return [
        EpochRecord(
            epoch=epoch,
            loss=1 / epoch,
            accuracy=1 - 0.5 / epoch,
            learning_rate=0.002,
            gradient_norm=1.5,
            tokens_per_second=None,
            validation={"loss": 1 / epoch + 0.1, "accuracy": 0.9 - 0.5 / epoch} if epoch > 1 else None,
        )
        for epoch in range(1, 7)
    ]
