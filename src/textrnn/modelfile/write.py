"""Writing a model file: atomically, and the same bytes for the same content."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
from safetensors.numpy import save as save_tensors

from textrnn.files import replacing
from textrnn.modelfile.header import Header, expected_tensors, expected_type
from textrnn.modelfile.read import Weights
from textrnn.modelfile.tensors import Shape


def write_model(path: str | Path, header: Header, weights: Weights) -> None:
    """Write a model file; an older file at `path` is replaced only when the new one is complete.

    Raises:
        OutputError: the file cannot be written.
        ValueError: the weights do not fit the header.
    """
    raw = to_bytes(header, weights)
    with replacing(path) as file:
        file.write(raw)


def to_bytes(header: Header, weights: Weights) -> bytes:
    """The content of a model file.

    Safetensors sorts the tensors by name; all our metadata are in one field, since the library writes several in
    random order.

    Raises:
        ValueError: the weights do not fit the header.
    """
    return tensors_to_bytes(header, weights, expected_tensors(header))


def tensors_to_bytes(header: msgspec.Struct, weights: Weights, expected: Mapping[str, Shape]) -> bytes:
    """The same for any header, of which these tensors are expected."""
    found = {name: tensor.shape for name, tensor in weights.items()}
    if found != expected:
        raise ValueError(f"weights do not fit the header: expected {expected}, found {found}")
    tensors = {name: np.ascontiguousarray(weights[name], dtype=expected_type(name)) for name in expected}
    return save_tensors(tensors, metadata={"textrnn": msgspec.json.encode(header).decode()})
