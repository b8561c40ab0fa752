"""The loss of a text, by which gradients are taken."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from textrnn.config import TrainingConfig
from textrnn.errors import DataError
from textrnn.inspection.networks import Networks
from textrnn.inspection.reading import Reading
from textrnn.labels import AnyLabel
from textrnn.training.losses import loss_of


def targets_of(networks: Networks, texts: Sequence[str], labels: Sequence[AnyLabel] | None) -> Any:
    """The labels of texts as the task writes them; without labels what the model predicts. [texts, …]

    Raises:
        DataError: a label is unknown to the model, or there are not as many as texts.
    """
    task = networks.header.task
    if labels is None:
        return task.decided(networks.classifier.answers(list(texts)))
    if len(labels) != len(texts):
        raise DataError(f"expected as many labels as texts, got {len(labels)} labels and {len(texts)} texts")
    collector = task.collector(networks.header.labels)
    for label in labels:
        try:
            collector.add(task.read_label(label))
        except ValueError as error:
            raise DataError(str(error)) from error
    return collector.result()[0]


def loss_of_text(networks: Networks, logits: Float[Tensor, "1 outputs"], reading: Reading, target: Any) -> Tensor:
    """The loss of the whole model on one text, in nats, without weights of classes; `logits`: of the networks."""
    ngrams = networks.ngram_logits([token.text for token in reading.all_tokens])
    targets = np.asarray(target)[None]
    loss = loss_of(networks.header.task, TrainingConfig(), targets, networks.outputs)
    return loss(logits + torch.from_numpy(ngrams), torch.from_numpy(targets))
