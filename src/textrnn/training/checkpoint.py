"""The state of a training after an epoch, in one safetensors file: all it takes to go on to the same weights."""

from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from textrnn.config import Recipe
from textrnn.errors import CheckpointError
from textrnn.history import EpochRecord
from textrnn.training.lazy_adam import LazyAdam
from textrnn.training.state_file import GROUPS, Arrays, Record, check_settings, read_state, write_state

CHECKPOINT_VERSION = 1


class Progress(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a training stands, and of what it is the training."""

    checkpoint_version: int = CHECKPOINT_VERSION
    recipe: Recipe
    data: str
    """Fingerprints of the training and validation texts, and of the word vectors, if any."""
    steps: int
    """Optimiser steps done."""
    history: list[EpochRecord]
    best_epoch: int


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the next epoch depends on."""

    progress: Progress
    weights: Arrays
    best_weights: Arrays
    first_moments: Arrays
    second_moments: Arrays
    random_stream: NDArray[np.uint8]


def capture_moments(model: nn.Module, optimizer: LazyAdam) -> tuple[Arrays, Arrays]:
    """Adam's moving averages by parameter name: of the gradient and of its square. All rows must be synchronized."""

    def moment(name: str) -> Arrays:
        # A frozen parameter has none: zeros stand for them.
        return {
            parameter_name: optimizer.state[parameter][name].numpy().copy()
            if parameter.requires_grad
            else np.zeros(tuple(parameter.shape), dtype=np.float32)
            for parameter_name, parameter in model.named_parameters()
        }

    return moment("exp_avg"), moment("exp_avg_sq")


def restore_moments(model: nn.Module, optimizer: LazyAdam, state: State) -> None:
    """Put the moving averages and the number of steps back."""
    for name, parameter in model.named_parameters():
        optimizer.state[parameter] = {
            "step": torch.tensor(float(state.progress.steps)),
            "exp_avg": torch.from_numpy(state.first_moments[name].copy()),
            "exp_avg_sq": torch.from_numpy(state.second_moments[name].copy()),
        }


def save_checkpoint(path: Path, state: State) -> None:
    """Write the state; see `write_state`."""
    groups = {group: getattr(state, group) for group in GROUPS}
    write_state(path, "checkpoint", state.progress, groups, state.random_stream)


def load_checkpoint(path: Path, *, recipe: Recipe, data: str, shapes: dict[str, tuple[int, ...]]) -> State | None:
    """The state to go on from; None where there is no checkpoint yet.

    Raises:
        CheckpointError: the file is damaged, or belongs to other data or settings; the message names the difference.
    """

    def check(progress: Progress) -> None:
        _check_same_training(path, progress, recipe, data)

    found = read_state(path, "checkpoint", Progress, shapes, check=check, checkpoint="a checkpoint", after="an epoch")
    if found is None:
        return None
    progress, groups, random_stream = found
    return State(progress=progress, random_stream=random_stream, **groups)


def _check_same_training(path: Path, progress: Progress, recipe: Recipe, data: str) -> None:
    if progress.checkpoint_version != CHECKPOINT_VERSION:
        raise CheckpointError(
            f"{path}: checkpoint of version {progress.checkpoint_version}, expected {CHECKPOINT_VERSION}"
        )
    check_settings(path, progress.recipe.settings(), recipe.settings())
    # After the settings, since another seed or fraction splits off other validation texts, and is the better answer.
    if progress.data != data:
        same_texts = progress.data.split()[:2] == data.split()[:2]
        other = "word vectors" if same_texts else "training or validation texts"
        raise CheckpointError(f"{path}: this checkpoint was made with other {other}")
    if not 1 <= progress.best_epoch <= len(progress.history):
        raise CheckpointError(f"{path}: damaged checkpoint: its best epoch is not among those that it tells of")
