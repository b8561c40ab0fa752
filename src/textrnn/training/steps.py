"""One step of training: forward, loss, backward, clipping, optimiser. Readable, or in one native call where it goes."""

import math
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from textrnn.data import RaggedBatch
from textrnn.model import Noise, TextClassifier
from textrnn.training.adversarial import Adversary
from textrnn.training.clipping import clip_gradients
from textrnn.training.lazy_adam import LazyAdam
from textrnn.training.native_step import native_step_or_none


@dataclass(frozen=True)
class Setting:
    """What the steps of a training have in common."""

    model: TextClassifier
    optimizer: LazyAdam
    noise: Noise
    max_gradient_norm: float
    class_weights: Tensor | None = None
    """Weight of each class in the loss, [classes]; None weighs all alike."""
    pad_to: int | None = None
    """Pad each batch to this length instead of to its longest text."""
    adversary: Adversary | None = None
    """Adds adversarial losses; None: there are none."""


class Taken(NamedTuple):
    """What a step has found; the weights are changed only where both numbers are finite."""

    loss: float
    """Mean cross-entropy of the batch in nats."""
    gradient_norm: float
    """Global norm before clipping."""
    correct: int
    """Texts of the batch that the model had right."""

    @property
    def finite(self) -> bool:
        """Whether the weights were changed."""
        return math.isfinite(self.loss + self.gradient_norm)


@runtime_checkable
class TakeStep(Protocol):
    """One step on a batch, and on another without labels where the adversary has one."""

    def __call__(self, batch: RaggedBatch, unlabelled: RaggedBatch | None = None) -> Taken: ...


def choose_step(setting: Setting) -> TakeStep:
    """The fastest way to take the steps of a training, which must not be changed from outside meanwhile."""
    if setting.adversary is not None:  # who wants gradients of the embeddings and reads a batch several times
        return partial(by_autograd, setting)
    native = native_step_or_none(
        setting.model,
        setting.optimizer,
        setting.noise,
        max_norm=setting.max_gradient_norm,
        class_weights=setting.class_weights,
        pad_to=setting.pad_to,
    )
    if native is None:
        return partial(by_autograd, setting)

    def take(batch: RaggedBatch, unlabelled: RaggedBatch | None = None) -> Taken:
        return Taken(*native(batch))

    return take


def by_autograd(setting: Setting, batch: RaggedBatch, unlabelled: RaggedBatch | None = None) -> Taken:
    """The step to be read, for every model and backend."""
    model, optimizer = setting.model, setting.optimizer
    assert batch.targets is not None
    targets = torch.from_numpy(batch.targets)
    optimizer.zero_grad(set_to_none=True)
    optimizer.prepare(model.embedding.weight, torch.from_numpy(batch.ids))
    ids, lengths = torch.from_numpy(batch.padded(setting.pad_to)), torch.from_numpy(batch.lengths)
    if setting.adversary is None:
        logits = model(ids, lengths, setting.noise)
        loss = cross_entropy(logits, targets, weight=setting.class_weights)
        loss.backward()
    else:
        if unlabelled is not None:
            optimizer.prepare(model.embedding.weight, torch.from_numpy(unlabelled.ids))
        logits, loss = setting.adversary.backward(
            model, ids, lengths, targets, setting.noise, setting.class_weights, unlabelled
        )
    norm = clip_gradients(model.parameters(), setting.max_gradient_norm)
    taken = Taken(loss.item(), norm.item(), int((logits.argmax(dim=1) == targets).sum()))
    if taken.finite:
        optimizer.step()
    return taken
