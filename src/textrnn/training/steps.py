"""One step of training: forward, loss, backward, clipping, optimiser. Readable, or in one native call where it goes."""

import math
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from textrnn.data import RaggedBatch
from textrnn.model import Noise, TextClassifier
from textrnn.training.adversarial import Adversary
from textrnn.training.clipping import clip_gradients
from textrnn.training.lazy_adam import LazyAdam
from textrnn.training.losses import CROSS_ENTROPY, Loss
from textrnn.training.native_step import native_step_or_none


@dataclass(frozen=True)
class Setting:
    """What the steps of a training have in common."""

    model: TextClassifier
    optimizer: LazyAdam
    noise: Noise
    max_gradient_norm: float
    loss: Loss = CROSS_ENTROPY
    """What is minimised."""
    pad_to: int | None = None
    """Pad each batch to this length instead of to its longest text."""
    r_drop: float = 0.0
    """Weight of the divergence between two readings of each text; see `divergence`."""
    adversary: Adversary | None = None
    """Adds adversarial losses, not to `r_drop`; None: there are none."""


class Taken(NamedTuple):
    """What a step has found; the weights are changed only where both numbers are finite."""

    loss: float
    """Mean of the batch; of cross-entropies in nats."""
    gradient_norm: float
    """Global norm before clipping."""
    correct: int | None
    """Texts of the batch that the model had right; None where that has no meaning."""

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
    native = None
    if setting.loss.native:
        native = native_step_or_none(
            setting.model,
            setting.optimizer,
            setting.noise,
            max_norm=setting.max_gradient_norm,
            class_weights=setting.loss.weights,
            pad_to=setting.pad_to,
            r_drop=setting.r_drop,
        )

    def take(batch: RaggedBatch, unlabelled: RaggedBatch | None = None) -> Taken:
        return by_autograd(setting, batch) if native is None else Taken(*native(batch))

    def take_twice(batch: RaggedBatch, unlabelled: RaggedBatch | None = None) -> Taken:
        taken = take(twice(batch))
        return taken if taken.correct is None else taken._replace(correct=taken.correct // 2)

    return take_twice if setting.r_drop else take


def twice(batch: RaggedBatch) -> RaggedBatch:
    """Every text of the batch, and then every text again."""
    ids, lengths, indices = (np.concatenate([part, part]) for part in (batch.ids, batch.lengths, batch.indices))
    targets, weights = (
        None if part is None else np.concatenate([part, part]) for part in (batch.targets, batch.weights)
    )
    return RaggedBatch(ids=ids, lengths=lengths, targets=targets, indices=indices, weights=weights)


def divergence(logits: Tensor, loss: Loss = CROSS_ENTROPY) -> Tensor:
    """Half the mean of KL(p || q) + KL(q || p) over the texts, p and q being the two readings of one text.

    R-Drop: Liang et al. (2021), arXiv:2106.14448. The readings differ in their dropout; the less the predictions
    depend on it, the less there is to gain by learning texts by heart.

    Args:
        logits: of both halves of `twice`. [2 * batch, outputs]
        loss: knows how far two predictions are apart.
    """
    one, other = logits.chunk(2)
    return (loss.divergence(one, other) + loss.divergence(other, one)) / 2


def by_autograd(setting: Setting, batch: RaggedBatch, unlabelled: RaggedBatch | None = None) -> Taken:
    """The step to be read, for every model and backend."""
    model, optimizer = setting.model, setting.optimizer
    assert batch.targets is not None
    targets = torch.from_numpy(batch.targets)
    weights = None if batch.weights is None else torch.from_numpy(batch.weights)
    optimizer.zero_grad(set_to_none=True)
    optimizer.prepare(model.embedding.weight, torch.from_numpy(batch.ids))
    ids, lengths = torch.from_numpy(batch.padded(setting.pad_to)), torch.from_numpy(batch.lengths)
    if setting.adversary is None:
        logits = model(ids, lengths, setting.noise)
        loss = setting.loss(logits, targets, weights)
        total = loss + setting.r_drop * divergence(logits, setting.loss) if setting.r_drop else loss
        total.backward()
    else:
        if unlabelled is not None:
            optimizer.prepare(model.embedding.weight, torch.from_numpy(unlabelled.ids))
        logits, loss = setting.adversary.backward(
            model, ids, lengths, targets, setting.noise, setting.loss, unlabelled, weights
        )
    norm = clip_gradients(model.parameters(), setting.max_gradient_norm)
    taken = Taken(loss.item(), norm.item(), setting.loss.correct(logits, targets))
    if taken.finite:
        optimizer.step()
    return taken
