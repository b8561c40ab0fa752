"""A training that can be stopped, judged, saved and taken up again between any two epochs."""

from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from textrnn.config import Recipe
from textrnn.data import by_length
from textrnn.history import EpochRecord
from textrnn.model import TextClassifier
from textrnn.modelfile import Weights
from textrnn.tasks import Task, better
from textrnn.training.checkpoint import Progress, State, capture_moments, restore_moments
from textrnn.training.examples import EncodedExamples
from textrnn.training.optimizer import make_optimizer

EVALUATION_BATCH = 128


class Best(NamedTuple):
    """The epoch whose weights are kept."""

    epoch: int
    weights: Weights


class Run:
    """The moving parts of one training: weights, optimiser, random stream, history and the best epoch so far."""

    def __init__(
        self, recipe: Recipe, model: TextClassifier, stream: torch.Generator, from_base: Collection[str] = frozenset()
    ) -> None:
        self.recipe = recipe
        self.model = model
        self.stream = stream
        self.optimizer = make_optimizer(model, recipe.training, from_base)
        self.history: list[EpochRecord] = []
        self.best = Best(0, {})

    def complete(self, record: EpochRecord, validation: EncodedExamples | None) -> EpochRecord:
        """Judge the weights after an epoch and keep them if they are the best; the record with what was found."""
        if not self.recipe.training.timings:
            record = msgspec.structs.replace(record, tokens_per_second=None)
        self.optimizer.synchronize()
        if validation is not None:
            record = msgspec.structs.replace(record, validation=self._validate(validation))
        is_best = self._is_best(record)
        self.history.append(record)
        if is_best:
            self.best = Best(record.epoch, self.model.weights())
        return record

    def exhausted(self) -> bool:
        """Whether the validation metric has not become better for `patience` epochs."""
        patience = self.recipe.training.patience
        return 0 < patience <= len(self.history) - self.best.epoch

    def _is_best(self, record: EpochRecord) -> bool:
        if record.validation is None or not self.best.epoch:
            return True
        before = self.history[self.best.epoch - 1].validation
        metric = self.recipe.training.metric
        return before is None or better(metric, record.validation[metric], before[metric])

    def _validate(self, validation: EncodedExamples) -> dict[str, float]:
        logits = torch_logits(self.model, validation, self.recipe)
        return judged(validation.task, validation.targets, logits, self.recipe)

    def state(self, data: str, steps: int) -> State:
        """All that the next epoch depends on, after `steps` optimiser steps on the data of this fingerprint."""
        first_moments, second_moments = capture_moments(self.model, self.optimizer)
        return State(
            progress=Progress(
                recipe=self.recipe, data=data, steps=steps, history=self.history, best_epoch=self.best.epoch
            ),
            weights=self.model.weights(),
            best_weights=self.best.weights,
            first_moments=first_moments,
            second_moments=second_moments,
            random_stream=self.stream.get_state().numpy(),
        )

    def restore(self, state: State) -> None:
        """Go back to a saved state; the inverse of `state`."""
        self.model.load_weights(state.weights)
        restore_moments(self.model, self.optimizer, state)
        self.stream.set_state(torch.from_numpy(state.random_stream.copy()))
        self.history = list(state.progress.history)
        self.best = Best(state.progress.best_epoch, state.best_weights)


def judged(task: Task, targets: NDArray[Any], logits: NDArray[Any], recipe: Recipe) -> dict[str, float]:
    """The metrics of these scores that the task shows, and the one that chooses the best epoch, by name."""
    answers = task.answers(logits)
    metrics = dict.fromkeys([*task.shown, recipe.training.metric])
    return {metric: task.score(metric, targets, answers) for metric in metrics}


def torch_logits(model: TextClassifier, examples: EncodedExamples, recipe: Recipe) -> NDArray[np.float32]:
    """Logits of the network in PyTorch. [examples, outputs]"""
    pad_to = padded_length(recipe)
    logits = np.empty((len(examples), model.head.out_features), dtype=np.float32)
    with torch.no_grad():
        for make_batch in examples.batches(by_length(examples.texts.lengths, EVALUATION_BATCH)):
            batch = make_batch()
            ids, lengths = torch.from_numpy(batch.padded(pad_to)), torch.from_numpy(batch.lengths)
            logits[batch.indices] = model(ids, lengths).numpy()
    return logits


def padded_length(recipe: Recipe) -> int | None:
    """The length that every batch is padded to; None where the longest text of the batch decides."""
    return recipe.text.max_length if recipe.model.padding == "through" else None
