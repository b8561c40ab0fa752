"""Files of bases made to do harm: each is refused with one sentence, and a base never passes for a classifier."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textrnn
from forge import HOSTILE, Json, put_together, taken_apart
from textrnn.errors import ModelFileError
from textrnn.modelfile import base_header, base_tensors, read_base, write_base
from textrnn.pretraining_config import BaseModelConfig, BaseTextConfig


def valid(folder: Path) -> bytes:
    """A small base without any mistake."""
    head = base_header(
        ["<PAD>", "<UNK>", "good", "bad"], BaseTextConfig(), BaseModelConfig(embedding_size=3, hidden_size=2)
    )
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(size=shape).astype(np.float32) for name, shape in base_tensors(head).items()}
    path = folder / "valid.textrnn"
    write_base(path, head, weights)
    read, found = read_base(path)
    assert read == head and all(np.array_equal(found[name], value) for name, value in weights.items())
    assert len(found) == 1 + 2 * 4 + 2 + 1
    return path.read_bytes()


def in_header(name: str, value: Any) -> Callable[[Json, Json, bytes], tuple[Json, Json, bytes]]:
    def change(tensors: Json, inner: Json, data: bytes) -> tuple[Json, Json, bytes]:
        place = inner
        *sections, last = name.split(".")
        for section in sections:
            place = place[section]
        place[last] = value
        return tensors, inner, data

    return change


def without(tensor: str) -> Callable[[Json, Json, bytes], tuple[Json, Json, bytes]]:
    def change(tensors: Json, inner: Json, data: bytes) -> tuple[Json, Json, bytes]:
        return {("x" if name == tensor else name): entry for name, entry in tensors.items()}, inner, data

    return change


def with_number(number: float) -> Callable[[Json, Json, bytes], tuple[Json, Json, bytes]]:
    return lambda tensors, inner, data: (tensors, inner, data[:-4] + np.float32(number).tobytes())


MISTAKES: dict[str, tuple[Callable[[Json, Json, bytes], tuple[Json, Json, bytes]], str]] = {
    "another kind": (in_header("kind", "basement"), "kind"),
    "a kind that is a number": (in_header("kind", 1), "kind"),
    "no kind": (in_header("kind", None), "this is a classifier"),
    "a newer version": (in_header("format_version", 99), "newer"),
    "labels": (in_header("labels", ["a", "b"]), "labels"),
    "a hidden unit more": (in_header("model.hidden_size", 3), "truncated or damaged"),
    "sizes beyond all memory": (in_header("model.hidden_size", 65_536), "truncated or damaged"),
    "an unknown cell": (in_header("model.cell", "gpu"), "cell"),
    "one direction less": (in_header("model.bidirectional", False), "truncated or damaged"),
    "a field of a classifier": (in_header("model.layers", 1), "layers"),
    "a token twice": (in_header("vocabulary", ["<PAD>", "<UNK>", "good", "good"]), "twice"),
    "no padding": (in_header("vocabulary", ["good", "<UNK>", "<PAD>", "bad"]), "<PAD>"),
    "a tensor of another name": (without("output_bias"), "output_bias is missing"),
    "NaN": (with_number(float("nan")), "NaN"),
    "a huge weight": (with_number(3e38), "NaN or a number beyond"),
    "a missing byte": (lambda tensors, inner, data: (tensors, inner, data[:-1]), "truncated or damaged"),
    "deep brackets": (in_header("text", {"tokenizer": "words", "x": []}), "x"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_hostile_base(tmp_path: Path, mistake: str) -> None:
    change, part = MISTAKES[mistake]
    path = tmp_path / "b.textrnn"
    path.write_bytes(put_together(*change(*taken_apart(valid(tmp_path)))))
    with pytest.raises(ModelFileError, match=part) as refused:
        read_base(path)
    message = str(refused.value)
    assert message.startswith(f"{path}: ") and message.isprintable() and len(message) < 800


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_classifiers_are_no_bases(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "b.textrnn"
    path.write_bytes(HOSTILE[kind][0]())
    with pytest.raises(ModelFileError):
        read_base(path)


def test_a_base_is_no_classifier(tmp_path: Path) -> None:
    path = tmp_path / "b.textrnn"
    path.write_bytes(valid(tmp_path))
    with pytest.raises(ModelFileError, match="this is a base, a language model without labels"):
        textrnn.load(path)
