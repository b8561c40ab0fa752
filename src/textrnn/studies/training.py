"""Training on a part of the texts that were read already."""

import time
from typing import Any

from textrnn.config import Recipe
from textrnn.data import LabelledTexts
from textrnn.errors import ConfigError
from textrnn.files import require
from textrnn.runtime import Classifier


def check_one_label(settings: dict[str, Any], purpose: str) -> None:
    """Refuse settings with which a text does not have one of several labels without an order.

    Raises:
        ConfigError: they ask for another task.
    """
    task = Recipe.from_settings(**settings).task.task
    if task != "single_label":
        raise ConfigError(f"task: expected 'single_label', which is all that {purpose} knows, got {task!r}")


def train_on_part(part: LabelledTexts, settings: dict[str, Any], effort: str = "default") -> tuple[Classifier, float]:
    """The classifier that `textrnn.train` makes of these texts, and the seconds that it took.

    Raises:
        MissingDependencyError: PyTorch is not installed.
    """
    require("torch", extra="train", purpose="training")
    from textrnn.training import train

    begin = time.perf_counter()
    classifier = train([part.example(index) for index in range(len(part))], effort=effort, **settings)
    return classifier, time.perf_counter() - begin
