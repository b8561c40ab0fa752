"""A data set as the network sees it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.data import EncodedTexts, LabelledTexts, RaggedBatch
from textrnn.tasks import SINGLE_LABEL, Task
from textrnn.text import TextEncoder


@dataclass(frozen=True)
class EncodedExamples:
    """Ids and targets."""

    texts: EncodedTexts
    targets: NDArray[Any]
    """See `LabelledTexts.targets`."""
    task: Task = SINGLE_LABEL
    """Says what they mean."""
    weights: NDArray[np.float32] | None = None
    """See `LabelledTexts.weights`."""

    @classmethod
    def encode(cls, dataset: LabelledTexts, encoder: TextEncoder) -> "EncodedExamples":
        """The ids of every text, once for all epochs."""
        weights = None if dataset.weights is None else dataset.weights.astype(np.float32)
        return cls(EncodedTexts(*encoder.encode_many(dataset.texts)), dataset.targets, dataset.task, weights)

    def __len__(self) -> int:
        return len(self.targets)

    def batches(self, order: Sequence[NDArray[np.int64]]) -> list[Callable[[], RaggedBatch]]:
        """One batch for each array of indices, gathered when it is called for."""
        return [partial(self.texts.batch, indices, self.targets, self.weights) for indices in order]
