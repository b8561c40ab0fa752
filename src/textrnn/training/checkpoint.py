"""The state of a training after an epoch, in one safetensors file: all it takes to go on to the same weights."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as save_tensors
from torch import nn

from textrnn.config import Recipe
from textrnn.errors import CheckpointError, ConfigError
from textrnn.files import remove_partial, replacing
from textrnn.history import EpochRecord
from textrnn.training.lazy_adam import LazyAdam

Arrays = dict[str, NDArray[np.float32]]
CHECKPOINT_VERSION = 1


class Progress(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a training stands, and of what it is the training."""

    checkpoint_version: int = CHECKPOINT_VERSION
    recipe: Recipe
    data: str
    """Fingerprints of the training and validation texts, and of the word vectors, if any."""
    steps: int
    """Optimiser steps done."""
    history: list[EpochRecord]
    best_epoch: int
    digest: str = ""
    """Of all that the file holds: one wrong bit would lead to other weights, and nobody would know."""


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


_GROUPS = ("weights", "best_weights", "first_moments", "second_moments")


def _digest(progress: Progress, tensors: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(progress, digest="")))
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensors[name]).data)
    return f"sha256:{digest.hexdigest()}"


def save_checkpoint(path: Path, state: State) -> None:
    """Write the state atomically: a kill at any moment leaves the old checkpoint or the new one.

    Raises:
        OutputError: the file cannot be written.
    """
    tensors: dict[str, NDArray[np.float32] | NDArray[np.uint8]] = {
        f"{group}/{name}": array for group in _GROUPS for name, array in getattr(state, group).items()
    }
    tensors["random_stream"] = state.random_stream
    progress = msgspec.structs.replace(state.progress, digest=_digest(state.progress, tensors))
    raw = save_tensors(tensors, metadata={"checkpoint": msgspec.json.encode(progress).decode()})
    remove_partial(path)
    with replacing(path) as file:
        file.write(raw)


def load_checkpoint(path: Path, *, recipe: Recipe, data: str, shapes: dict[str, tuple[int, ...]]) -> State | None:
    """The state to go on from; None where there is no checkpoint yet.

    Raises:
        CheckpointError: the file is damaged, or belongs to other data or settings; the message names the difference.
    """
    if not path.exists():
        return None
    if not path.is_file():
        raise CheckpointError(f"{path}: not a checkpoint: expected a regular file")
    damaged = CheckpointError(
        f"{path}: damaged checkpoint: expected what was written after an epoch, found other bytes"
    )
    try:
        with safe_open(path, framework="np") as file:
            progress = msgspec.json.decode((file.metadata() or {}).get("checkpoint", ""), type=Progress)
            _check_same_training(path, progress, recipe, data)
            wanted = {f"{group}/{name}": ("F32", shape) for group in _GROUPS for name, shape in shapes.items()}
            wanted["random_stream"] = ("U8", tuple(torch.Generator().get_state().shape))
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            if {name: (some.get_dtype(), tuple(some.get_shape())) for name, some in slices.items()} != wanted:
                raise damaged
            tensors = {name: file.get_tensor(name) for name in wanted}
    except (SafetensorError, msgspec.MsgspecError, ConfigError, OSError) as error:
        raise CheckpointError(f"{path}: damaged or not a checkpoint: {error}") from error
    if progress.digest != _digest(progress, tensors) or not 1 <= progress.best_epoch <= len(progress.history):
        raise damaged
    groups = {group: {name: tensors[f"{group}/{name}"] for name in shapes} for group in _GROUPS}
    return State(progress=progress, random_stream=tensors["random_stream"], **groups)


def _check_same_training(path: Path, progress: Progress, recipe: Recipe, data: str) -> None:
    if progress.checkpoint_version != CHECKPOINT_VERSION:
        raise CheckpointError(
            f"{path}: checkpoint of version {progress.checkpoint_version}, expected {CHECKPOINT_VERSION}"
        )
    before, now = progress.recipe.settings(), recipe.settings()
    for name, value in now.items():
        if before[name] != value:
            raise CheckpointError(
                f"{path}: this checkpoint was made with {name}={before[name]!r}, expected the same, found {value!r}"
            )
    # After the settings, since another seed or fraction splits off other validation texts, and is the better answer.
    if progress.data != data:
        same_texts = progress.data.split()[:2] == data.split()[:2]
        other = "word vectors" if same_texts else "training or validation texts"
        raise CheckpointError(f"{path}: this checkpoint was made with other {other}")
