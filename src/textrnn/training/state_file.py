"""The state of a training in one safetensors file: tensors, and a record with a digest over both."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as save_tensors

from textrnn.errors import CheckpointError, ConfigError
from textrnn.files import remove_partial, replacing

Tensors = Mapping[str, NDArray[Any]]
Arrays = dict[str, NDArray[np.float32]]
Shapes = Mapping[str, tuple[int, ...]]
GROUPS = ("weights", "best_weights", "first_moments", "second_moments")
"""Of every parameter by its name."""
STREAM = "random_stream"


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file says beside its tensors."""

    digest: str = ""
    """Of all that the file holds: one wrong bit would lead to other weights, and nobody would know."""


AnyRecord = TypeVar("AnyRecord", bound=Record)


def write_state(
    path: Path, name: str, record: Record, groups: Mapping[str, Arrays], random_stream: NDArray[np.uint8]
) -> None:
    """Write it atomically: a kill at any moment leaves the old file or the new one.

    Args:
        name: of the record in the file.
        groups: one of `GROUPS` -> its arrays by parameter name.
        random_stream: the state of PyTorch's generator.

    Raises:
        OutputError: the file cannot be written.
    """
    tensors: dict[str, NDArray[Any]] = {
        f"{group}/{parameter}": array for group in GROUPS for parameter, array in groups[group].items()
    }
    tensors[STREAM] = random_stream
    record = msgspec.structs.replace(record, digest=_digest(record, tensors))
    raw = save_tensors(tensors, metadata={name: msgspec.json.encode(record).decode()})
    remove_partial(path)
    with replacing(path) as file:
        file.write(raw)


def read_state(
    path: Path,
    name: str,
    kind: type[AnyRecord],
    shapes: Shapes,
    *,
    check: Callable[[AnyRecord], None],
    checkpoint: str,
    after: str,
) -> tuple[AnyRecord, dict[str, Arrays], NDArray[np.uint8]] | None:
    """The record, the groups and the random stream; None where there is no such file yet.

    Args:
        name, kind: of the record.
        shapes: of every parameter.
        check: refuses a record that belongs to something else; it comes before the tensors are looked at.
        checkpoint, after: what the file should be, and after what it is written, for messages.

    Raises:
        CheckpointError: the file is damaged, or what `check` raises.
    """
    if not path.exists():
        return None
    if not path.is_file():
        raise CheckpointError(f"{path}: not a checkpoint: expected a regular file")
    damaged = CheckpointError(f"{path}: damaged checkpoint: expected what was written after {after}, found other bytes")
    wanted = {f"{group}/{parameter}": ("F32", shape) for group in GROUPS for parameter, shape in shapes.items()}
    wanted[STREAM] = ("U8", tuple(torch.Generator().get_state().shape))
    try:
        with safe_open(path, framework="np") as file:
            record = msgspec.json.decode((file.metadata() or {}).get(name, ""), type=kind)
            check(record)
            slices = {tensor: file.get_slice(tensor) for tensor in file.keys()}  # noqa: SIM118
            if {tensor: (some.get_dtype(), tuple(some.get_shape())) for tensor, some in slices.items()} != wanted:
                raise damaged
            tensors = {tensor: file.get_tensor(tensor) for tensor in wanted}
    except (SafetensorError, msgspec.MsgspecError, ConfigError, OSError) as error:
        raise CheckpointError(f"{path}: damaged or not {checkpoint}: {error}") from error
    if record.digest != _digest(record, tensors):
        raise damaged
    groups = {group: {parameter: tensors[f"{group}/{parameter}"] for parameter in shapes} for group in GROUPS}
    return record, groups, tensors[STREAM]


def check_settings(path: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raises CheckpointError, naming the first setting that has another value."""
    for name, value in now.items():
        if before[name] != value:
            raise CheckpointError(
                f"{path}: this checkpoint was made with {name}={before[name]!r}, expected the same, found {value!r}"
            )


def _digest(record: Record, tensors: Tensors) -> str:
    without = msgspec.structs.replace(record, digest="")
    digest = hashlib.sha256(msgspec.json.encode(without))
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensors[name]).data)
    return f"sha256:{digest.hexdigest()}"
