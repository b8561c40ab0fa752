"""The model file against safetensors itself, and against its specification."""

import json
import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from builders import header, random_weights
from textrnn.cells import CELLS
from textrnn.config import ModelConfig, TextConfig, TrainingConfig, VocabularyConfig
from textrnn.errors import OutputError
from textrnn.history import EpochRecord
from textrnn.model import TextClassifier
from textrnn.modelfile import (
    CELL_TENSORS,
    DataProvenance,
    Header,
    Provenance,
    expected_tensors,
    read_model,
    to_bytes,
    write_model,
)
from textrnn.modelfile.read import MAX_TENSOR_LIST_BYTES

PROVENANCE = Provenance(
    data=DataProvenance(fingerprint="sha256:00", examples=3, validation_fingerprint=None, validation_examples=0),
    vocabulary=VocabularyConfig(),
    training=TrainingConfig(),
    versions={"textrnn": "0"},
    history=[
        EpochRecord(
            epoch=1,
            loss=0.1 + 0.2,
            accuracy=1 / 3,
            learning_rate=1e-3,
            gradient_norm=0.7,
            tokens_per_second=None,
        )
    ],
    best_epoch=1,
    metrics={"loss": 1 / 7},
)


def test_any_safetensors_reader_can_open_it(tmp_path: Path) -> None:
    head = msgspec.structs.replace(header(), provenance=PROVENANCE)
    weights = random_weights(head)
    write_model(tmp_path / "m.textrnn", head, weights)
    for name, tensor in load_file(tmp_path / "m.textrnn").items():
        assert torch.equal(tensor, torch.from_numpy(weights[name]))
    with safe_open(tmp_path / "m.textrnn", framework="np") as file:
        stored = json.loads(file.metadata()["textrnn"])
    assert stored["format_version"] == 1 and stored["labels"] == ["neg", "pos"]
    assert stored["vocabulary"][:3] == ["<PAD>", "<UNK>", "good"]
    assert stored["provenance"]["history"][0]["loss"] == 0.1 + 0.2


@pytest.mark.parametrize("labels", [["a", "b"], [0, 1, 5], ["1", "2"], ["ดี", "\u2028x", '"']])
def test_what_is_written_is_read(tmp_path: Path, labels: list[str | int]) -> None:
    head = msgspec.structs.replace(header(labels), provenance=PROVENANCE)
    weights = random_weights(head)
    write_model(tmp_path / "m.textrnn", head, weights)
    read_header, read_weights = read_model(tmp_path / "m.textrnn")
    assert read_header == head and [type(label) for label in read_header.labels] == [type(label) for label in labels]
    assert read_weights.keys() == weights.keys()
    for name, array in weights.items():
        np.testing.assert_array_equal(read_weights[name], array)
    assert to_bytes(read_header, read_weights) == (tmp_path / "m.textrnn").read_bytes()


def test_same_content_same_bytes() -> None:
    head = header()
    weights = random_weights(head)
    backwards = dict(reversed(list(weights.items())))
    fortran = {name: np.asfortranarray(array) for name, array in backwards.items()}
    assert len({to_bytes(head, some) for some in (weights, backwards, fortran) for _ in range(5)}) == 1


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_expected_tensors_are_those_of_the_network(cell: str, bidirectional: bool, layers: int) -> None:
    head = header(["a", "b", "c"], cell=cell, bidirectional=bidirectional, layers=layers)
    model = TextClassifier(head.model, vocabulary_size=len(head.vocabulary), classes=3)
    shapes = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    assert expected_tensors(head) == shapes


FUSED = {"elman": nn.RNN, "elman_relu": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", FUSED)
def test_tensors_have_the_sizes_of_torchs(cell: str, bidirectional: bool, layers: int) -> None:
    head = header(cell=cell, bidirectional=bidirectional, layers=layers)
    fused = FUSED[cell](5, 7, num_layers=layers, bidirectional=bidirectional)
    ours = {}
    for name, shape in expected_tensors(head).items():
        if name.startswith("layers."):
            _, layer, direction, side, kind = name.split(".")
            ending = "_reverse" if direction == "right_to_left" else ""
            ours[f"{kind}_{'ih' if side == 'from_input' else 'hh'}_l{layer}{ending}"] = shape
    theirs = {name: tuple(parameter.shape) for name, parameter in fused.named_parameters()}
    if cell != "gru":
        theirs = {name: shape for name, shape in theirs.items() if not name.startswith("bias_hh")}
    assert ours == theirs
    assert expected_tensors(head)["head.weight"] == (2, 14 if bidirectional else 7)


@pytest.mark.parametrize("cell", CELL_TENSORS)
def test_the_largest_list_of_tensors_fits(cell: str) -> None:
    """Names, shapes and places of the most layers and the largest numbers that a header can ask for."""
    head = header(cell=cell, layers=64, bidirectional=True, hidden_size=65_536, embedding_size=65_536)
    tensors, end = {}, 0
    for name, shape in expected_tensors(head).items():
        start, end = end, end + 4 * math.prod(shape)
        tensors[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
    assert len(json.dumps({"__metadata__": {"textrnn": ""}, **tensors})) < MAX_TENSOR_LIST_BYTES


def test_weights_that_do_not_fit_are_not_written(tmp_path: Path) -> None:
    head = header()
    target = tmp_path / "m.textrnn"
    target.write_bytes(b"before")
    weights = random_weights(head)
    del weights["head.bias"]
    with pytest.raises(ValueError, match="do not fit the header"):
        write_model(target, head, weights)
    assert target.read_bytes() == b"before" and list(tmp_path.iterdir()) == [target]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "m.textrnn"
    target.write_bytes(b"before")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match=r"m\.textrnn: cannot write this file: No space left on device"):
        write_model(target, header(), random_weights(header()))
    assert target.read_bytes() == b"before" and list(tmp_path.iterdir()) == [target]


def test_config_defaults_are_written_out() -> None:
    """A later version with other defaults must read old files as they were meant."""
    stored = json.loads(msgspec.json.encode(header()))
    assert stored["model"].keys() == set(ModelConfig.__struct_fields__)
    assert isinstance(header(), Header)


def test_the_specification_names_every_setting_cell_and_block() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "model-file.md").read_text(encoding="utf-8")
    for name in [*ModelConfig.__struct_fields__, *TextConfig.__struct_fields__]:
        assert f"| `{name}` | " in page, name
    for cell, tensors in CELL_TENSORS.items():
        assert f"| `{cell}` | {', '.join(tensors.gates)} | " in page, cell
    assert f"at most {MAX_TENSOR_LIST_BYTES:,} bytes" in page
