"""The file of a base: a language model that classifiers start from. `docs/model-file.md` is the specification."""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from textrnn.config import VocabularyConfig
from textrnn.files import replacing
from textrnn.history import PretrainingRecord
from textrnn.modelfile.header import FORMAT_VERSION, TextsProvenance
from textrnn.modelfile.read import MAX_HEADER_BYTES, Metadata, SafetensorsHeader, Weights, decode_base, read_file
from textrnn.modelfile.tensors import Shape, directions, network_tensors
from textrnn.modelfile.write import tensors_to_bytes
from textrnn.pretraining_config import BaseModelConfig, BaseTextConfig, PretrainingConfig


class BaseProvenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a base came to be."""

    data: TextsProvenance
    vocabulary: VocabularyConfig
    pretraining: PretrainingConfig
    versions: dict[str, str]
    """Of textrnn, torch, numpy and Python."""
    history: list[PretrainingRecord]
    best_round: int
    """The round whose weights the file holds."""
    interrupted: bool = False
    """Whether the training was stopped by hand before its end; a budget is an end."""


class BaseHeader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of a base but its weights."""

    format_version: int
    kind: Literal["base"]
    text: BaseTextConfig
    vocabulary: Annotated[list[str], Meta(min_length=2)]
    model: BaseModelConfig
    provenance: BaseProvenance | None = None


def base_tensors(header: BaseHeader) -> dict[str, Shape]:
    """The name and shape of every tensor (32-bit floats) that a file with this header holds."""
    model, size = header.model.network(), len(header.vocabulary)
    shapes = {
        name: shape
        for name, shape in network_tensors(model, vocabulary_size=size, classes=1)
        if not name.startswith("head.")
    }
    shapes |= {f"projection.{way}.weight": (model.embedding_size, model.hidden_size) for way in directions(model)}
    return shapes | {"output_bias": (size,)}


def is_base(path: str | Path) -> bool:
    """Whether a file says that it is a base, right or wrong; False where it cannot be read, or is no regular file."""
    try:
        path = Path(path)
        if not path.is_file():  # opening a pipe would wait for ever for its writer
            return False
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if size > min(MAX_HEADER_BYTES, path.stat().st_size):
                return False
            metadata = msgspec.json.decode(file.read(size), type=SafetensorsHeader).metadata
        content = msgspec.json.decode(metadata, type=Metadata).textrnn
        return msgspec.json.decode(content, type=_Kind).kind is not None
    except (msgspec.MsgspecError, OSError, ValueError, RecursionError):
        return False


class _Kind(msgspec.Struct):
    kind: Any = None


def read_base(path: str | Path) -> tuple[BaseHeader, Weights]:
    """The header and the weights of a base's file, checked as `read_model` checks.

    Raises:
        ModelFileError: the file is missing, unreadable, damaged, not a base, or of a newer format.
    """
    return read_file(path, lambda content: decode_base(content, BaseHeader), base_tensors)


def write_base(path: str | Path, header: BaseHeader, weights: Weights) -> None:
    """Write a base's file; an older file at `path` is replaced only when the new one is complete.

    Raises:
        OutputError: the file cannot be written.
        ValueError: the weights do not fit the header.
    """
    raw = tensors_to_bytes(header, weights, base_tensors(header))
    with replacing(path) as file:
        file.write(raw)


def base_header(
    vocabulary: list[str], text: BaseTextConfig, model: BaseModelConfig, provenance: BaseProvenance | None = None
) -> BaseHeader:
    """A header of this version."""
    return BaseHeader(
        format_version=FORMAT_VERSION,
        kind="base",
        text=text,
        vocabulary=vocabulary,
        model=model,
        provenance=provenance,
    )
