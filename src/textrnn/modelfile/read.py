"""Reading a model file: refuse first, allocate later. Nothing in a file is ever executed."""

import json
import math
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from textrnn.errors import ModelFileError
from textrnn.labels import as_label, ordered
from textrnn.modelfile.header import FORMAT_VERSION, Header, expected_tensors, expected_type
from textrnn.modelfile.tensors import NGRAM_KEYS, Shape

Weights = dict[str, NDArray[Any]]

MAX_HEADER_BYTES = 100_000_000
"""The limit that safetensors itself sets."""

MAX_TENSOR_LIST_BYTES = 2_097_152
"""Of the header without its metadata: names, types, shapes and places of the tensors; at most 515 of them, with 64
layers in both directions, for each of 16 networks."""

LARGEST_WEIGHT = 1e15
"""No training comes near it, and products of two such numbers can be summed without overflow."""


class SafetensorsHeader(msgspec.Struct):
    """The one field of the safetensors header that is looked at before safetensors checks the rest."""

    metadata: msgspec.Raw = msgspec.field(name="__metadata__", default=msgspec.Raw(b"{}"))


class Metadata(msgspec.Struct, forbid_unknown_fields=True):
    """The one field of the metadata: the header of a model file or of a base, as JSON."""

    textrnn: str


class _Version(msgspec.Struct):
    format_version: int


class _Kind(msgspec.Struct):
    kind: Any = None


AnyHeader = TypeVar("AnyHeader")


def read_model(path: str | Path) -> tuple[Header, Weights]:
    """The header and the weights of a model file.

    Every size is checked against the file's true size before anything of that size is allocated; the weights must be
    finite and have exactly the names and shapes that the header implies.

    Raises:
        ModelFileError: the file is missing, unreadable, damaged, not a model file, or of a newer format.
    """
    return read_file(path, _decode_classifier, expected_tensors)


def read_file(
    path: str | Path, decode: Callable[[str], AnyHeader], expected_of: Callable[[AnyHeader], dict[str, Shape]]
) -> tuple[AnyHeader, Weights]:
    """The same for a file of any kind.

    Args:
        path: the file.
        decode: the header of that kind from its JSON; raises ModelFileError, or any error of msgspec, where it is not.
        expected_of: the tensors that belong to a header.
    """
    try:
        return _read(Path(path), decode, expected_of)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {_shortened(str(error))}") from error
    except OSError as error:
        raise ModelFileError(f"{path}: cannot read this model file: {error.strerror or error}") from error
    except ValueError as error:  # a NUL character in the path
        raise ModelFileError(f"{path!r}: cannot read this model file: {error}") from error
    except MemoryError as error:
        raise ModelFileError(f"{path}: cannot read this model file: it needs more memory than there is") from error


def _read(
    path: Path, decode: Callable[[str], AnyHeader], expected_of: Callable[[AnyHeader], dict[str, Shape]]
) -> tuple[AnyHeader, Weights]:
    status = path.stat()  # before opening, which would wait for ever for the writer of a named pipe
    if stat.S_ISDIR(status.st_mode):
        raise ModelFileError("expected a model file, found a folder")
    if not stat.S_ISREG(status.st_mode):
        raise ModelFileError("expected a regular file, found a device or a pipe")
    with path.open("rb") as file:
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
        header = _decode_header(raw_header, decode)
        expected = expected_of(header)
        expected_size = 8 + header_size + 4 * sum(math.prod(shape) for shape in expected.values())
        if size != expected_size:
            raise ModelFileError(f"truncated or damaged: expected {expected_size} bytes, found {size}")
        data = file.read(size - 8 - header_size)
    return header, _decode_weights(start + raw_header + data, expected)


def _shortened(message: str) -> str:
    """What a file holds can be of any length and can command a terminal: the beginning of it, on one line."""
    beginning = message if len(message) <= 400 else message[:400] + "…"
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in beginning)


def _refuse_repeated_keys(raw: bytes | str) -> None:
    """Readers of JSON differ in which of two equal keys they take, so a file with both is two files in one.

    Only for what has been decoded by type: it builds whatever the JSON holds.
    """

    def check(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"the key {name!r} occurs twice")
            seen.add(name)

    json.loads(raw, object_pairs_hook=check)


def _decode_header(raw: bytes, decode: Callable[[str], AnyHeader]) -> AnyHeader:
    try:
        metadata = msgspec.json.decode(raw, type=SafetensorsHeader).metadata
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ModelFileError(f"not a model file: its header is not that of a safetensors file ({error})") from error
    try:
        content = msgspec.json.decode(metadata, type=Metadata).textrnn
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ModelFileError(
            f"not a model file of textrnn: expected the one field 'textrnn' with a string as metadata ({error})"
        ) from error
    try:
        if (others := len(raw) - len(bytes(metadata))) > MAX_TENSOR_LIST_BYTES:
            raise ValueError(f"{others} bytes beside the metadata, expected at most {MAX_TENSOR_LIST_BYTES}")
        _refuse_repeated_keys(raw)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"not a model file of textrnn: in the safetensors header: {error}") from error
    try:
        version = msgspec.json.decode(content, type=_Version).format_version
        if version > FORMAT_VERSION:
            raise ModelFileError(
                f"written in format {version} by a newer textrnn, this version reads up to format {FORMAT_VERSION}"
            )
        if version < 1:
            raise ModelFileError(f"unknown format version {version}, expected 1 to {FORMAT_VERSION}")
        header = decode(content)
        _refuse_repeated_keys(content)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"the header is damaged: {error}") from error
    return header


def _decode_classifier(content: str) -> Header:
    kind = msgspec.json.decode(content, type=_Kind).kind
    if kind == "base":
        raise ModelFileError(
            "this is a base, a language model without labels: expected a classifier, which `textrnn train DATA --base "
            "FILE` makes of it"
        )
    header = msgspec.json.decode(content, type=Header)
    _check_labels(header)
    _check_vocabulary(header.vocabulary)
    return header


class _Vocabulary(Protocol):
    @property
    def vocabulary(self) -> list[str]: ...


BaseHeader = TypeVar("BaseHeader", bound=_Vocabulary)


def decode_base(content: str, header_type: type[BaseHeader]) -> BaseHeader:
    """The header of a base; see base.py."""
    if msgspec.json.decode(content, type=_Kind).kind is None:
        raise ModelFileError("this is a classifier: expected a base, as `textrnn pretrain` writes it")
    header = msgspec.json.decode(content, type=header_type)
    _check_vocabulary(header.vocabulary)
    return header


def _check_labels(header: Header) -> None:
    for label in header.labels:
        as_label(label)
    if len(ordered(header.labels)) != len(header.labels):
        raise ModelFileError("the header is damaged: a label occurs twice")
    header.task.check(header.labels)


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
        if tensor.dtype != expected_type(name):
            raise ModelFileError(f"damaged: {name} has the type {tensor.dtype}, expected {expected_type(name)}")
        if tensor.shape != shape:
            raise ModelFileError(f"damaged: {name} has the shape {list(tensor.shape)}, expected {list(shape)}")
        if name == NGRAM_KEYS:
            if tensor.min(initial=0) < 0 or (np.diff(tensor) <= 0).any():
                raise ModelFileError(f"damaged: {name} does not rise, or from below zero")
        elif not np.abs(tensor).max(initial=0) <= LARGEST_WEIGHT:  # NaN is not
            raise ModelFileError(f"damaged: {name} contains NaN or a number beyond {LARGEST_WEIGHT:g}")
    return weights
