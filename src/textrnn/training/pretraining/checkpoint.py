"""The state of a pre-training after a round, in one safetensors file: all it takes to go on to the same weights."""

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

from textrnn.errors import CheckpointError, ConfigError
from textrnn.files import remove_partial, replacing
from textrnn.history import PretrainingRecord
from textrnn.pretraining_config import PretrainingRecipe
from textrnn.training.checkpoint import Arrays

VERSION = 1
GROUPS = ("weights", "best_weights", "first_moments", "second_moments")


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which batch comes next, and what lies behind."""

    epoch: int
    """Counted from 0."""
    batch: int
    """Of that epoch, counted from 0."""
    steps: int
    tokens: int


class BaseState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the next round depends on."""

    place: Place
    seconds: float
    """Spent so far; 0 where nothing depends on it."""
    history: list[PretrainingRecord]
    best_round: int
    groups: dict[str, Arrays]
    """Parameters by name: weights, best weights, first and second moments."""
    random_stream: NDArray[np.uint8]


class _Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pretraining_version: int = VERSION
    recipe: PretrainingRecipe
    data: str
    place: Place
    seconds: float
    history: list[PretrainingRecord]
    best_round: int
    digest: str = ""
    """Of all that the file holds: one wrong bit would lead to other weights, and nobody would know."""


def save(path: Path, state: BaseState, *, recipe: PretrainingRecipe, data: str) -> None:
    """Write the state atomically: a kill at any moment leaves the old checkpoint or the new one.

    Raises:
        OutputError: the file cannot be written.
    """
    tensors: dict[str, NDArray[Any]] = {
        f"{group}/{name}": array for group in GROUPS for name, array in state.groups[group].items()
    }
    tensors["random_stream"] = state.random_stream
    record = _Record(
        recipe=recipe,
        data=data,
        place=state.place,
        seconds=state.seconds,
        history=state.history,
        best_round=state.best_round,
    )
    record = msgspec.structs.replace(record, digest=_digest(record, tensors))
    raw = save_tensors(tensors, metadata={"pretraining": msgspec.json.encode(record).decode()})
    remove_partial(path)
    with replacing(path) as file:
        file.write(raw)


def load(path: Path, *, recipe: PretrainingRecipe, data: str, shapes: dict[str, tuple[int, ...]]) -> BaseState | None:
    """The state to go on from; None where there is no checkpoint yet.

    Raises:
        CheckpointError: the file is damaged, or belongs to other texts or settings; the message names the difference.
    """
    if not path.exists():
        return None
    if not path.is_file():
        raise CheckpointError(f"{path}: not a checkpoint: expected a regular file")
    damaged = CheckpointError(f"{path}: damaged checkpoint: expected what was written after a round, found other bytes")
    try:
        with safe_open(path, framework="np") as file:
            record = msgspec.json.decode((file.metadata() or {}).get("pretraining", ""), type=_Record)
            _check_same(path, record, recipe, data)
            wanted = {f"{group}/{name}": ("F32", shape) for group in GROUPS for name, shape in shapes.items()}
            wanted["random_stream"] = ("U8", tuple(torch.Generator().get_state().shape))
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            if {name: (some.get_dtype(), tuple(some.get_shape())) for name, some in slices.items()} != wanted:
                raise damaged
            tensors = {name: file.get_tensor(name) for name in wanted}
    except (SafetensorError, msgspec.MsgspecError, ConfigError, OSError) as error:
        raise CheckpointError(f"{path}: damaged or not a checkpoint of a pre-training: {error}") from error
    if record.digest != _digest(record, tensors) or not 1 <= record.best_round <= len(record.history):
        raise damaged
    return BaseState(
        place=record.place,
        seconds=record.seconds,
        history=record.history,
        best_round=record.best_round,
        groups={group: {name: tensors[f"{group}/{name}"] for name in shapes} for group in GROUPS},
        random_stream=tensors["random_stream"],
    )


def _digest(record: _Record, tensors: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(record, digest="")))
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensors[name]).data)
    return f"sha256:{digest.hexdigest()}"


def _check_same(path: Path, record: _Record, recipe: PretrainingRecipe, data: str) -> None:
    if record.pretraining_version != VERSION:
        raise CheckpointError(f"{path}: checkpoint of version {record.pretraining_version}, expected {VERSION}")
    before = record.recipe.settings()
    for name, value in recipe.settings().items():
        if before[name] != value:
            raise CheckpointError(
                f"{path}: this checkpoint was made with {name}={before[name]!r}, expected the same, found {value!r}"
            )
    if record.data != data:
        raise CheckpointError(f"{path}: this checkpoint was made with other texts")
