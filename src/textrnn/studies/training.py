"""Training on a part of the texts that were read already."""

import time
from typing import Any

from textrnn.data import LabelledTexts
from textrnn.files import require
from textrnn.runtime import Classifier


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
