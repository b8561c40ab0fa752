"""The state of a pre-training after a round, in one safetensors file: all it takes to go on to the same weights."""

from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from textrnn.errors import CheckpointError
from textrnn.history import PretrainingRecord
from textrnn.pretraining_config import PretrainingRecipe
from textrnn.training.state_file import Arrays, Record, check_settings, read_state, write_state

VERSION = 1


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


class _Record(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pretraining_version: int = VERSION
    recipe: PretrainingRecipe
    data: str
    place: Place
    seconds: float
    history: list[PretrainingRecord]
    best_round: int


def save(path: Path, state: BaseState, *, recipe: PretrainingRecipe, data: str) -> None:
    """Write the state; see `write_state`."""
    record = _Record(
        recipe=recipe,
        data=data,
        place=state.place,
        seconds=state.seconds,
        history=state.history,
        best_round=state.best_round,
    )
    write_state(path, "pretraining", record, state.groups, state.random_stream)


def load(path: Path, *, recipe: PretrainingRecipe, data: str, shapes: dict[str, tuple[int, ...]]) -> BaseState | None:
    """The state to go on from; None where there is no checkpoint yet.

    Raises:
        CheckpointError: the file is damaged, or belongs to other texts or settings; the message names the difference.
    """

    def check(record: _Record) -> None:
        _check_same(path, record, recipe, data)

    found = read_state(
        path,
        "pretraining",
        _Record,
        shapes,
        check=check,
        checkpoint="a checkpoint of a pre-training",
        after="a round",
    )
    if found is None:
        return None
    record, groups, random_stream = found
    return BaseState(
        place=record.place,
        seconds=record.seconds,
        history=record.history,
        best_round=record.best_round,
        groups=groups,
        random_stream=random_stream,
    )


def _check_same(path: Path, record: _Record, recipe: PretrainingRecipe, data: str) -> None:
    if record.pretraining_version != VERSION:
        raise CheckpointError(f"{path}: checkpoint of version {record.pretraining_version}, expected {VERSION}")
    check_settings(path, record.recipe.settings(), recipe.settings())
    if record.data != data:
        raise CheckpointError(f"{path}: this checkpoint was made with other texts")
    if not 1 <= record.best_round <= len(record.history):
        raise CheckpointError(f"{path}: damaged checkpoint: its best round is not among those that it tells of")
