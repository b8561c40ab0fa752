"""From encoded texts to weights: the loop with validation, early stopping and checkpoints around it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from textrnn.cells import kernel_threads
from textrnn.config import ModelConfig, Recipe, TrainingConfig
from textrnn.data import EncodedTexts, bucketed, in_order
from textrnn.files import generation_path
from textrnn.history import EpochRecord, PartRecord
from textrnn.model import Noise, TextClassifier, choose_backend
from textrnn.modelfile import Weights
from textrnn.native import available_threads
from textrnn.tasks import Task
from textrnn.training.adversarial import Adversary
from textrnn.training.checkpoint import load_checkpoint, save_checkpoint
from textrnn.training.examples import EncodedExamples
from textrnn.training.loop import Step, train_epochs
from textrnn.training.losses import loss_of
from textrnn.training.processor import cpu_for_training
from textrnn.training.randomness import dataloader_order
from textrnn.training.run import Run, padded_length
from textrnn.training.schedule import rate_at
from textrnn.training.watched import Begun, Finished, Watched
from textrnn.training.watching import Watcher

Event = Step | EpochRecord | Begun | Watched | Finished
"""The last three are told only where somebody watches."""


@dataclass(frozen=True)
class CheckpointFile:
    """Where the state is kept after each epoch, and of which data it is the state."""

    path: Path
    data: str
    """Fingerprint of the training and validation texts."""
    resume: bool
    """Whether to go on from the file, if it is there."""

    def of_generation(self, number: int) -> "CheckpointFile":
        """The same of networks, counted from 0, that learn from those before; see self_training.py."""
        return replace(self, path=generation_path(self.path, number))


@dataclass(frozen=True)
class Fit:
    """What came out of a training."""

    weights: Weights
    """Of the best epoch."""
    history: list[EpochRecord]
    best_epoch: int
    interrupted: bool
    model: ModelConfig | None = None
    """What the weights belong to, where it is not the recipe's."""
    ngrams: int = 0
    """N-grams that have weights."""
    metrics: dict[str, float] | None = None
    """On the validation texts, where they are not those of the best epoch."""
    parts: list[PartRecord] = field(default_factory=list)
    """Of a model that has several."""
    task: Task | None = None
    """With what it has learned on the validation texts, if anything."""


def fit(
    recipe: Recipe,
    model: TextClassifier,
    training: EncodedExamples,
    validation: EncodedExamples | None,
    *,
    stream: torch.Generator,
    on_event: Callable[[Event], None] = lambda event: None,
    checkpoint: CheckpointFile | None = None,
    from_base: Collection[str] = frozenset(),
    unlabelled: EncodedTexts | None = None,
    watcher: Watcher | None = None,
) -> Fit:
    """Train `model` in place and leave the best weights in it.

    Args:
        recipe: all settings.
        model: initialised; its weights are overwritten when a checkpoint is resumed.
        training: what to learn from.
        validation: chooses the best epoch; without it the last epoch is the best.
        stream: source of the order of the texts and of the dropout masks.
        on_event: told of every step, and of every epoch with its validation metrics.
        checkpoint: where to save after every epoch, and whether to go on from there.
        from_base: names of the parameters that come from a base.
        unlabelled: texts that virtual adversarial training learns from, too.
        watcher: looks at the network after every epoch.

    Raises:
        ConfigError: the backend is not available.
        CheckpointError: the checkpoint to resume does not belong to this training.
        KeyboardInterrupt: interrupted before the first epoch was complete; later, the best weights are returned.
    """
    config = recipe.training
    model.backend = choose_backend(config.backend, model.head.weight.device, recipe.model.cell)
    # Rows that a batch does not read cost nothing then. Decay that is added to the gradient would miss them.
    model.embedding.sparse = model.backend == "native" and (config.optimizer == "adamw" or config.weight_decay == 0)
    run = Run(recipe, model, stream, from_base)
    if checkpoint and checkpoint.resume:
        shapes = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
        state = load_checkpoint(checkpoint.path, recipe=recipe, data=checkpoint.data, shapes=shapes)
        if state:
            run.restore(state)
            for record in run.history:
                on_event(record)
    steps = -(-len(training) // config.batch_size)
    events = train_epochs(
        model,
        lambda epoch: training.batches(_order(training, config, epoch, stream)),
        run.optimizer,
        epochs=range(len(run.history) + 1, config.epochs + 1),
        rate_at=rate_at(config.schedule, config.learning_rate, steps * config.epochs),
        noise=Noise.from_config(stream, config),
        max_gradient_norm=config.max_gradient_norm,
        loss=loss_of(training.task, config, training.targets, model.head.out_features),
        adversary=Adversary.from_config(config, unlabelled, padded_length(recipe)),
        base_share_of=lambda epoch: 0.0 if epoch <= config.frozen_epochs else config.base_rate,
        pad_to=padded_length(recipe),
        r_drop=config.r_drop,
    )
    interrupted = False
    with cpu_for_training(config.threads or 1), kernel_threads(config.threads or available_threads()):
        try:
            while not run.exhausted() and (event := next(events, None)):
                if isinstance(event, EpochRecord):
                    event = run.complete(event, validation)
                    if checkpoint:
                        save_checkpoint(checkpoint.path, run.state(checkpoint.data, steps * event.epoch))
                on_event(event)
                if watcher and isinstance(event, EpochRecord):
                    on_event(watcher.look(model, event.epoch))
        except KeyboardInterrupt:
            if not run.best.epoch:
                raise
            interrupted = True
    model.load_weights(run.best.weights)
    return Fit(run.best.weights, run.history, run.best.epoch, interrupted)


def _order(
    training: EncodedExamples, config: TrainingConfig, epoch: int, stream: torch.Generator
) -> Sequence[NDArray[np.int64]]:
    """The indices of every batch of an epoch."""
    if config.batching == "shuffled":
        return in_order(dataloader_order(len(training), stream), config.batch_size)
    return bucketed(training.texts.lengths, config.batch_size, np.random.default_rng([config.seed, epoch]))
