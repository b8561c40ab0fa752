"""The training loop, on one screen. It trains and reports; whoever reads the events decides."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from textrnn.data import RaggedBatch
from textrnn.errors import TextRNNError
from textrnn.history import EpochRecord
from textrnn.model import Noise, TextClassifier
from textrnn.training.adversarial import Adversary
from textrnn.training.lazy_adam import LazyAdam
from textrnn.training.losses import CROSS_ENTROPY, Loss
from textrnn.training.optimizer import set_rate
from textrnn.training.schedule import RateAt
from textrnn.training.steps import Setting, choose_step


@dataclass(frozen=True)
class Step:
    """One optimiser step."""

    epoch: int
    index: int
    """Within the epoch, counted from 1."""
    steps: int
    """Of the epoch."""
    loss: float
    """Mean of the batch; of cross-entropies in nats."""
    learning_rate: float
    gradient_norm: float
    """Global norm before clipping."""
    tokens: int
    network: int = 1
    """Which of the networks of a model, counted from 1."""


def train_epochs(
    model: TextClassifier,
    batches_of: Callable[[int], Sequence[Callable[[], RaggedBatch]]],
    optimizer: LazyAdam,
    *,
    epochs: Iterable[int],
    rate_at: RateAt,
    noise: Noise,
    max_gradient_norm: float,
    loss: Loss = CROSS_ENTROPY,
    adversary: Adversary | None = None,
    base_share_of: Callable[[int], float] = lambda epoch: 1.0,
    pad_to: int | None = None,
    r_drop: float = 0.0,
) -> Iterator[Step | EpochRecord]:
    """Train `model` in place: an event after every step, and one after every epoch.

    Args:
        batches_of: the batches of an epoch, each made when it is called for.
        epochs: numbers of the epochs to run, counted from 1; a resumed training begins later.
        rate_at: learning rate of each step, counted from 0 over all epochs.
        noise: what is zeroed at random.
        loss: what is minimised.
        adversary: adds adversarial losses; None: there are none.
        base_share_of: share of the learning rate, in each epoch, of what comes from a base.
        pad_to: pad each batch to this length instead of to its longest text.
        r_drop: weight of the divergence between two readings of each text.

    Raises:
        TextRNNError: the loss is no longer a finite number.
    """
    take_step = choose_step(Setting(model, optimizer, noise, max_gradient_norm, loss, pad_to, r_drop, adversary))
    for epoch in epochs:
        batches = batches_of(epoch)
        losses, norms, examples, tokens, rate = 0.0, 0.0, 0, 0, 0.0
        correct: int | None = 0
        started = time.perf_counter()
        for index, make_batch in enumerate(batches):
            batch = make_batch()
            rate = rate_at((epoch - 1) * len(batches) + index)
            set_rate(optimizer, rate, base_share_of(epoch))
            other = adversary.unlabelled_batch(epoch, index) if adversary else None
            taken = take_step(batch, other)
            if not taken.finite:
                raise TextRNNError(
                    f"training diverged in epoch {epoch}, step {index + 1}: the loss is {taken.loss}, the gradient "
                    f"norm {taken.gradient_norm}; a lower learning rate than {rate:g} may help"
                )
            losses, norms = losses + taken.loss, norms + taken.gradient_norm
            correct = None if correct is None or taken.correct is None else correct + taken.correct
            examples, tokens = examples + batch.size, tokens + batch.tokens
            yield Step(epoch, index + 1, len(batches), taken.loss, rate, taken.gradient_norm, batch.tokens)
        yield EpochRecord(
            epoch=epoch,
            loss=losses / len(batches),
            accuracy=None if correct is None else correct / examples,
            learning_rate=rate,
            gradient_norm=norms / len(batches),
            tokens_per_second=tokens / (time.perf_counter() - started),
        )
