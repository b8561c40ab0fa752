"""What is minimised, task by task, and how far two predictions of one text are apart.

The distance of two predictions is the Kullback-Leibler divergence of what they promise: of the classes; of each label,
yes or no, the mean over the labels; of a number of a fixed variance, which is its squared difference.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import log_softmax, logsigmoid, nll_loss

from textrnn.config import TrainingConfig
from textrnn.tasks import MultiLabel, Ordinal, Regression, SingleLabel, Task
from textrnn.tasks.classes import class_weights
from textrnn.tasks.multi_label import label_weights


@runtime_checkable
class Loss(Protocol):
    """The interface."""

    @property
    def native(self) -> bool:
        """Whether the native step of training computes it."""

    @property
    def weights(self) -> Tensor | None:
        """Of the classes, or of [no, yes] for each label; None weighs all alike."""

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The mean over a batch, weighted by class and, with `weights` [batch], by text."""

    def correct(self, logits: Tensor, targets: Tensor) -> int | None:
        """Texts that are predicted right; None where that has no meaning."""

    def divergence(self, logits: Tensor, moved: Tensor) -> Tensor:
        """From the first prediction to the second, the mean over a batch."""


@dataclass(frozen=True)
class ClassLoss:
    """-ln P(class), weighted by class and, as focal loss, by (1 - P(class))^gamma.

    Focal loss: T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár (2017), arXiv:1708.02002. The mean is over the
    weights of the classes, as in `torch.nn.functional.cross_entropy`.
    """

    log_probabilities: Callable[[Tensor], Tensor]
    """Logits [batch, outputs] -> [batch, classes]"""
    decided: Callable[[Tensor], Tensor]
    """Log-probabilities [batch, classes] -> class [batch]"""
    native: bool = False
    weights: Tensor | None = None
    gamma: float = 0.0

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """See `Loss`."""
        logs = self.log_probabilities(logits)
        if not self.gamma and weights is None:
            return nll_loss(logs, targets, weight=self.weights)
        chosen = logs.gather(1, targets.unsqueeze(1)).squeeze(1)
        losses = -focus(chosen, self.gamma) * chosen if self.gamma else -chosen
        return weighted_mean(losses, None if self.weights is None else self.weights[targets], weights)

    def correct(self, logits: Tensor, targets: Tensor) -> int:
        """See `Loss`."""
        return int((self.decided(self.log_probabilities(logits)) == targets).sum())

    def divergence(self, logits: Tensor, moved: Tensor) -> Tensor:
        """See `Loss`."""
        p, q = self.log_probabilities(logits), self.log_probabilities(moved)
        return (p.exp() * (p - q)).sum(dim=1).mean()


@dataclass(frozen=True)
class LabelLoss:
    """-ln P(yes or no) of each label, weighted and focused as `ClassLoss`; the mean over texts and labels."""

    weights: Tensor | None = None
    """Of no and of yes. [2, labels]"""
    gamma: float = 0.0
    native: bool = False

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """See `Loss`."""
        chosen = logsigmoid(torch.where(targets, logits, -logits))
        losses = -focus(chosen, self.gamma) * chosen if self.gamma else -chosen
        of_labels = None if self.weights is None else torch.where(targets, self.weights[1], self.weights[0])
        return weighted_mean(losses, of_labels, None if weights is None else weights.unsqueeze(1))

    def correct(self, logits: Tensor, targets: Tensor) -> int:
        """Texts of which every label is right, at thresholds of 1/2."""
        return int(((logits >= 0) == targets).all(dim=1).sum())

    def divergence(self, logits: Tensor, moved: Tensor) -> Tensor:
        """See `Loss`."""
        yes = logits.sigmoid() * (logsigmoid(logits) - logsigmoid(moved))
        no = (-logits).sigmoid() * (logsigmoid(-logits) - logsigmoid(-moved))
        return (yes + no).mean()


@dataclass(frozen=True)
class NumberLoss:
    """Squared error of standardised numbers."""

    mean: float
    std: float
    native: bool = False
    weights: Tensor | None = None

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """See `Loss`."""
        wanted = ((targets - self.mean) / self.std).to(logits.dtype)
        return weighted_mean((logits[:, 0] - wanted).square(), None, weights)

    def correct(self, logits: Tensor, targets: Tensor) -> None:
        """No number is right."""
        return

    def divergence(self, logits: Tensor, moved: Tensor) -> Tensor:
        """See `Loss`."""
        return (logits - moved).square().mean()


def weighted_mean(losses: Tensor, weights: Tensor | None, of_texts: Tensor | None) -> Tensor:
    """The mean of losses under the product of two weights, each None or of a shape that fits; 0 if all weights are."""
    if of_texts is not None:
        weights = of_texts if weights is None else weights * of_texts
    if weights is None:
        return losses.mean()
    share = weights.to(losses).expand_as(losses)
    return (share * losses).sum() / share.sum().clamp(min=1e-30)


def focus(logs: Tensor, gamma: float) -> Tensor:
    """(1 - p)^gamma of log-probabilities; held off 0, where its slope has no bound for gamma < 1."""
    return (-torch.expm1(logs)).clamp(min=torch.finfo(logs.dtype).tiny).pow(gamma)


def log_softmax_of(logits: Tensor) -> Tensor:
    """[batch, classes]"""
    return log_softmax(logits, dim=1)


def log_levels(logits: Tensor) -> Tensor:
    """Log-probabilities of the levels from conditional scores; see `textrnn.tasks.ordinal`.

    [batch, levels - 1] -> [batch, levels]
    """
    nothing = logits.new_zeros(len(logits), 1)
    reached = torch.cat([nothing, logsigmoid(logits).cumsum(dim=1)], dim=1)  # ln P(y > k - 1)
    return reached + torch.cat([logsigmoid(-logits), nothing], dim=1)


def most_probable(logs: Tensor) -> Tensor:
    """[batch, classes] -> [batch]"""
    return logs.argmax(dim=1)


def median(logs: Tensor) -> Tensor:
    """[batch, levels] -> [batch]"""
    return (1 - logs.exp().cumsum(dim=1)[:, :-1] >= 0.5).sum(dim=1)


CROSS_ENTROPY = ClassLoss(log_softmax_of, most_probable, native=True)
"""Of one label a text, every class weighing the same."""


def _single_label(task: SingleLabel, config: TrainingConfig, targets: NDArray[Any], outputs: int) -> Loss:
    weights = _balance(class_weights(targets, outputs), config)
    return ClassLoss(log_softmax_of, most_probable, native=not config.focal, weights=weights, gamma=config.focal)


def _multi_label(task: MultiLabel, config: TrainingConfig, targets: NDArray[Any], outputs: int) -> Loss:
    return LabelLoss(weights=_balance(label_weights(targets), config), gamma=config.focal)


def _ordinal(task: Ordinal, config: TrainingConfig, targets: NDArray[Any], outputs: int) -> Loss:
    return ClassLoss(log_levels, median, weights=_balance(class_weights(targets, outputs + 1), config))


def _regression(task: Regression, config: TrainingConfig, targets: NDArray[Any], outputs: int) -> Loss:
    return NumberLoss(task.mean, task.std)


LOSSES: dict[type[Task], Callable[[Any, TrainingConfig, NDArray[Any], int], Loss]] = {
    SingleLabel: _single_label,
    MultiLabel: _multi_label,
    Ordinal: _ordinal,
    Regression: _regression,
}
"""Of every task: (task, settings, training targets, outputs of the network) -> what is minimised."""


def loss_of(task: Task, config: TrainingConfig, targets: NDArray[Any], outputs: int) -> Loss:
    """What is minimised on these training targets."""
    return LOSSES[type(task)](task, config, targets, outputs)


def _balance(weights: NDArray[np.float64], config: TrainingConfig) -> Tensor | None:
    return torch.from_numpy(weights.astype(np.float32)) if config.class_weight == "balanced" else None
