"""Adversarial and virtual adversarial training on embeddings.

Miyato, Dai and Goodfellow (2017, arXiv:1605.07725). With s the embeddings of a text, one below the other:

    adversarial            loss -log p(y | s + r)              r = e d g / |g|,  g = gradient over s of -log p(y | s)
    virtual adversarial    loss KL(p(. | s) || p(. | s + r))   r = e d g / |g|,  g = gradient over u of
                           KL(p(. | s) || p(. | s + u)) at u = x d n / |n|, n normally distributed

The KL is that of what the task predicts; see losses.py. |.| is over a whole text. All losses have the weight 1;
p(. | s) of the KL and r are constants. The paper normalises
each feature of the embeddings to variance 1, or large embeddings would make a perturbation of a fixed size harmless.
Here the perturbation grows with them instead: d is the standard deviation of the features of the batch's embeddings.
The network stays what it is, and e is in the paper's units.

All passes over a batch have the same dropout masks: otherwise the masks, not u, would decide what g is.
"""

import dataclasses
from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from numpy.typing import NDArray
from torch import Tensor

from textrnn.config import TrainingConfig
from textrnn.data import EncodedTexts, RaggedBatch, bucketed
from textrnn.model import Noise, TextClassifier
from textrnn.training.losses import CROSS_ENTROPY, Loss

PROBE = 0.1
"""x above, as in the paper's code: small against e, large against rounding."""

Logits = Callable[[Tensor | None], Tensor]
"""Perturbation of the embeddings [time, batch, features] -> logits [batch, classes], always with the same masks."""


@dataclasses.dataclass(frozen=True)
class Adversary:
    """Whoever perturbs the embeddings of a batch, and what is learned from it."""

    adversarial: float
    """e of the adversarial loss; 0: there is none."""
    virtual: float
    """e of the virtual adversarial loss; 0: there is none."""
    batch_size: int = 32
    seed: int = 0
    unlabelled: EncodedTexts | None = None
    """Texts of which the virtual adversarial loss takes a batch a step, too."""
    pad_to: int | None = None

    @classmethod
    def from_config(
        cls, config: TrainingConfig, unlabelled: EncodedTexts | None, pad_to: int | None
    ) -> "Adversary | None":
        """What a configuration asks for; None where it asks for nothing."""
        if not config.adversarial and not config.virtual_adversarial:
            return None
        texts = unlabelled if config.virtual_adversarial and unlabelled is not None and len(unlabelled) else None
        return cls(config.adversarial, config.virtual_adversarial, config.batch_size, config.seed, texts, pad_to)

    @cached_property
    def _passes(self) -> dict[int, list[NDArray[np.int64]]]:
        return {}

    def unlabelled_batch(self, epoch: int, index: int) -> RaggedBatch | None:
        """That of a step. In each epoch the texts are met in another order, drawn from the seed."""
        if self.unlabelled is None:
            return None
        if epoch not in self._passes:
            self._passes.clear()
            rng = np.random.default_rng([self.seed, epoch, 2])
            self._passes[epoch] = bucketed(self.unlabelled.lengths, self.batch_size, rng)
        order = self._passes[epoch]
        return self.unlabelled.batch(order[index % len(order)])

    def backward(
        self,
        model: TextClassifier,
        ids: Int[Tensor, "batch time"],
        lengths: Int[Tensor, " batch"],
        targets: Shaped[Tensor, " batch *labels"],
        noise: Noise,
        loss_of: Loss = CROSS_ENTROPY,
        unlabelled: RaggedBatch | None = None,
        weights: Float[Tensor, " batch"] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Add the gradients of the usual loss and of all others to the parameters; logits and loss of the usual one."""
        logits_of = same_masks(model, ids, lengths, noise)
        scale = spread(model, ids)
        clean = _nothing(model, ids) if self.adversarial else None
        logits = logits_of(clean)
        loss = loss_of(logits, targets, weights)
        loss.backward()
        if clean is not None:
            assert clean.grad is not None
            moved = logits_of(towards(clean.grad, self.adversarial * scale))
            loss_of(moved, targets, weights).backward()
        if self.virtual:
            start = self._start(model, ids, noise)
            virtual_loss(logits_of, logits.detach(), start, self.virtual * scale, loss_of).backward()
        if self.virtual and unlabelled is not None:
            ids, lengths = torch.from_numpy(unlabelled.padded(self.pad_to)), torch.from_numpy(unlabelled.lengths)
            logits_of = same_masks(model, ids, lengths, noise)
            with torch.no_grad():
                predicted = logits_of(None)
            start = self._start(model, ids, noise)
            virtual_loss(logits_of, predicted, start, self.virtual * spread(model, ids), loss_of).backward()
        return logits, loss

    def _start(self, model: TextClassifier, ids: Tensor, noise: Noise) -> Tensor:
        """u above."""
        direction = torch.empty_like(_nothing(model, ids), requires_grad=False).normal_(generator=noise.stream)
        direction *= (ids.t() != 0).unsqueeze(-1)
        return towards(direction, PROBE * spread(model, ids))


def virtual_loss(
    logits_of: Logits, logits: Tensor, start: Tensor, distance: float, loss: Loss = CROSS_ENTROPY
) -> Tensor:
    """KL(p(. | s) || p(. | s + r)), the mean over the batch.

    Args:
        logits_of: see `Logits`.
        logits: at no perturbation, constant. [batch, classes]
        start: u. [time, batch, features]
        distance: |r| of every text.
        loss: knows how far two predictions are apart.
    """
    start = start.requires_grad_()
    (gradient,) = torch.autograd.grad(loss.divergence(logits, logits_of(start)), start)
    return loss.divergence(logits, logits_of(towards(gradient, distance)))


def towards(gradient: Float[Tensor, "time batch features"], distance: float) -> Float[Tensor, "time batch features"]:
    """For each text of the batch the vector of this length in the direction of its gradient; 0 where that is 0."""
    # Divided by the largest first, since squares of small gradients would vanish.
    largest = gradient.abs().amax(dim=(0, 2), keepdim=True)
    direction = gradient / largest.clamp(min=torch.finfo(gradient.dtype).tiny)
    norm = direction.square().sum(dim=(0, 2), keepdim=True).sqrt()
    return distance * direction / norm.clamp(min=1e-12)


@torch.no_grad()
def spread(model: TextClassifier, ids: Int[Tensor, "batch time"]) -> float:
    """The standard deviation of a feature of the embeddings of a batch's tokens: root of the mean variance."""
    tokens, counts = torch.unique(ids[ids != 0], return_counts=True)
    if not len(tokens):
        return 0.0
    rows = model.embedding.weight.index_select(0, tokens)
    share = (counts / counts.sum()).to(rows.dtype).unsqueeze(1)
    variance = (share * (rows - (share * rows).sum(dim=0)).square()).sum(dim=0)  # [features]
    return float(variance.mean().sqrt())


def same_masks(model: TextClassifier, ids: Tensor, lengths: Tensor, noise: Noise) -> Logits:
    """The model on one batch with the masks that its first call draws."""
    before: Tensor | None = None

    def logits_of(perturbation: Tensor | None) -> Tensor:
        nonlocal before
        now = noise.stream.get_state()
        if first := before is None:
            before = now
        assert before is not None
        noise.stream.set_state(before)
        logits: Tensor = model(ids, lengths, dataclasses.replace(noise, perturbation=perturbation))
        if not first:
            noise.stream.set_state(now)
        return logits

    return logits_of


def _nothing(model: TextClassifier, ids: Tensor) -> Tensor:
    """No perturbation, of which the gradient is wanted. [time, batch, features]"""
    batch, time = ids.shape
    return model.embedding.weight.new_zeros(time, batch, model.config.embedding_size).requires_grad_()
