"""Reading a model file: refuse first, allocate later. Nothing in a file is ever executed."""

import math
import os
import stat
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from textrnn.errors import ConfigError, ModelFileError
from textrnn.labels import as_label, ordered
from textrnn.modelfile.header import FORMAT_VERSION, Header, expected_tensors

Weights = dict[str, NDArray[np.float32]]

MAX_HEADER_BYTES = 100_000_000
"""The limit that safetensors itself sets."""


class _SafetensorsHeader(msgspec.Struct):
    """The one field of the safetensors header that is looked at before safetensors checks the rest."""

    metadata: dict[str, str] = msgspec.field(name="__metadata__", default_factory=dict)


class _Version(msgspec.Struct):
    format_version: int


def read_model(path: str | Path) -> tuple[Header, Weights]:
    """The header and the weights of a model file.

    Every size is checked against the file's true size before anything of that size is allocated; the weights must be
    finite and have exactly the names and shapes that the header implies.

    Raises:
        ModelFileError: the file is missing, unreadable, damaged, not a model file, or of a newer format.
    """
    try:
        return _read(Path(path))
    except OSError as error:
        raise ModelFileError(f"{path}: cannot read this model file: {error.strerror or error}") from error
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error


def _read(path: Path) -> tuple[Header, Weights]:
    if path.is_dir():
        raise ModelFileError("expected a model file, found a folder")
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ModelFileError("expected a regular file")
        size = status.st_size
        if size < 8:
            raise ModelFileError(f"not a model file: expected at least 8 bytes, found {size}")
        start = file.read(8)
        header_size = int.from_bytes(start, "little")
        if header_size > MAX_HEADER_BYTES:
            raise ModelFileError(
                f"not a model file: its first 8 bytes announce a header of {header_size} bytes, "
                f"expected at most {MAX_HEADER_BYTES}"
            )
        if header_size > size - 8:
            raise ModelFileError(
                f"truncated or not a model file: the header should have {header_size} bytes, the file has {size}"
            )
        raw_header = file.read(header_size)
        header = _decode_header(raw_header)
        expected_size = 8 + header_size + 4 * sum(math.prod(shape) for shape in expected_tensors(header).values())
        if size != expected_size:
            raise ModelFileError(f"truncated or damaged: expected {expected_size} bytes, found {size}")
        data = file.read(size - 8 - header_size)
    return header, _decode_weights(start + raw_header + data, expected_tensors(header))


def _decode_header(raw: bytes) -> Header:
    try:
        metadata = msgspec.json.decode(raw, type=_SafetensorsHeader).metadata
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ModelFileError(f"not a model file: its header is not that of a safetensors file ({error})") from error
    if "textrnn" not in metadata:
        raise ModelFileError("not a model file of textrnn: the metadata have no field 'textrnn'")
    try:
        version = msgspec.json.decode(metadata["textrnn"], type=_Version).format_version
        if version > FORMAT_VERSION:
            raise ModelFileError(
                f"written in format {version} by a newer textrnn, this version reads up to format {FORMAT_VERSION}"
            )
        if version < 1:
            raise ModelFileError(f"unknown format version {version}, expected 1 to {FORMAT_VERSION}")
        header = msgspec.json.decode(metadata["textrnn"], type=Header)
        _check_labels(header.labels)
    except (msgspec.MsgspecError, ConfigError, UnicodeError, RecursionError, ValueError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"the header is damaged: {error}") from error
    _check_vocabulary(header.vocabulary)
    return header


def _check_labels(labels: list[Any]) -> None:
    for label in labels:
        as_label(label)
    if len(ordered(labels)) != len(labels):
        raise ModelFileError("the header is damaged: a label occurs twice")
    if len(labels) < 2:
        raise ModelFileError(f"the header is damaged: expected at least 2 labels, found {len(labels)}")


def _check_vocabulary(vocabulary: list[str]) -> None:
    if vocabulary[:2] != ["<PAD>", "<UNK>"]:
        raise ModelFileError("the header is damaged: the vocabulary does not begin with <PAD> and <UNK>")
    if len(set(vocabulary)) != len(vocabulary):
        raise ModelFileError("the header is damaged: a token of the vocabulary occurs twice")


def _decode_weights(raw: bytes, expected: dict[str, tuple[int, ...]]) -> Weights:
    try:
        weights = load_tensors(raw)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"damaged: not a valid safetensors file ({error})") from error
    if missing := sorted(expected.keys() - weights.keys()):
        raise ModelFileError(f"damaged: the tensor {missing[0]} is missing")
    if unknown := sorted(weights.keys() - expected.keys()):
        raise ModelFileError(f"damaged: the tensor {unknown[0]} is unknown")
    for name, shape in expected.items():
        tensor = weights[name]
        if tensor.dtype != np.float32:
            raise ModelFileError(f"damaged: {name} has the type {tensor.dtype}, expected float32")
        if tensor.shape != shape:
            raise ModelFileError(f"damaged: {name} has the shape {list(tensor.shape)}, expected {list(shape)}")
        if not np.isfinite(tensor).all():
            raise ModelFileError(f"damaged: {name} contains NaN or infinity")
    return weights
