"""Layers and directions against torch.nn's own stacks with the same weights."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from oracles import TORCH, copy_to_torch
from textrnn.cells import CELLS, UNROLLS
from textrnn.config import ModelConfig
from textrnn.errors import ConfigError
from textrnn.model import ENCODERS, POOLINGS, SILENCE, Layer, Reader, TextClassifier, choose_backend, run_layers

TIME, FEATURES, HIDDEN, VOCABULARY = 7, 4, 5, 20
LENGTHS = torch.tensor([4, 7, 1, 6])
BATCH = len(LENGTHS)


def stack(cell: str, layers: int, bidirectional: bool) -> list[Layer]:
    config = ModelConfig(
        cell=cell,  # type: ignore[arg-type]
        layers=layers,
        bidirectional=bidirectional,
        embedding_size=FEATURES,
        hidden_size=HIDDEN,
    )
    torch.manual_seed(0)
    reader = Reader(config, vocabulary_size=2)
    for parameter in reader.parameters():
        nn.init.normal_(parameter, std=0.4)
    return list(reader.stack)


def torch_stack(cell: str, layers: Sequence[Layer], bidirectional: bool) -> Any:
    module = TORCH[cell](FEATURES, HIDDEN, num_layers=len(layers), bidirectional=bidirectional)
    for depth, layer in enumerate(layers):
        for one, suffix in zip(layer.directions, ("", "_reverse"), strict=False):
            copy_to_torch(one, module, f"_l{depth}{suffix}")
    return module


def random_states(layers: Sequence[Layer]) -> list[tuple[Any, ...]]:
    return [
        tuple(type(state)(*(torch.randn_like(part) for part in state)) for state in layer.initial_states(BATCH))
        for layer in layers
    ]


def as_torch(states: Sequence[tuple[Any, ...]]) -> Any:
    """[layers * directions, batch, hidden], of each part of the state."""
    flat = [state for directions in states for state in directions]
    parts = tuple(torch.stack(part) for part in zip(*flat, strict=True))
    return parts if len(parts) > 1 else parts[0]


@pytest.mark.parametrize(
    ("cell", "way", "layers", "bidirectional"), list(product(TORCH, UNROLLS, [1, 3], [False, True]))
)
def test_matches_torch_stacks(cell: str, way: str, layers: int, bidirectional: bool) -> None:
    """Packed ragged batches from states other than zero: outputs, final states of all layers, and gradients."""
    ours = stack(cell, layers, bidirectional)
    theirs = torch_stack(cell, ours, bidirectional)
    inputs, initial = torch.randn(TIME, BATCH, FEATURES, requires_grad=True), random_states(ours)
    outputs, finals = run_layers(ours, inputs, LENGTHS, UNROLLS[way], SILENCE, initial)
    packed, last = theirs(pack_padded_sequence(inputs, LENGTHS, enforce_sorted=False), as_torch(initial))
    expected, _ = pad_packed_sequence(packed)
    real = (torch.arange(TIME).unsqueeze(1) < LENGTHS).unsqueeze(-1)
    torch.testing.assert_close(outputs * real, expected, rtol=0, atol=2e-6)
    torch.testing.assert_close(as_torch(finals), last, rtol=0, atol=2e-6)
    weighting = torch.randn_like(expected)
    wanted = [layer.directions[-1].from_input.weight for layer in ours]
    suffix = "_reverse" if bidirectional else ""
    named = [getattr(theirs, f"weight_ih_l{depth}{suffix}") for depth in range(layers)]
    mine = torch.autograd.grad((outputs * real * weighting).sum(), [inputs, *wanted])
    foreign = torch.autograd.grad((expected * weighting).sum(), [inputs, *named])
    torch.testing.assert_close(mine, foreign, rtol=1e-5, atol=2e-5)


def make(cell: str, pooling: str, padding: str = "masked", **settings: Any) -> TextClassifier:
    config = ModelConfig(
        cell=cell,  # type: ignore[arg-type]
        layers=2,
        bidirectional=True,
        embedding_size=FEATURES,
        hidden_size=HIDDEN,
        pooling=pooling,  # type: ignore[arg-type]
        padding=padding,  # type: ignore[arg-type]
    )
    model = TextClassifier(config, vocabulary_size=VOCABULARY, classes=3, **settings)
    torch.manual_seed(0)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.4)
    with torch.no_grad():
        model.embedding.weight[0] = 0
    return model


def batch() -> Tensor:
    torch.manual_seed(1)
    return torch.randint(1, VOCABULARY, (BATCH, TIME)) * (torch.arange(TIME) < LENGTHS.unsqueeze(1))


@pytest.mark.parametrize(("cell", "pooling"), list(product(TORCH, POOLINGS)))
def test_pooled_vectors_are_those_of_torch(cell: str, pooling: str) -> None:
    model, ids = make(cell, pooling), batch()
    theirs = torch_stack(cell, model.stack, True)
    embedded = model.embedding(ids.t())
    packed, last = theirs(pack_padded_sequence(embedded, LENGTHS, enforce_sorted=False))
    states, _ = pad_packed_sequence(packed)
    hidden = last[0] if isinstance(last, tuple) else last  # [layers * directions, batch, hidden]
    rows = [states[:length, row] for row, length in enumerate(LENGTHS.tolist())]
    expected = {
        "last": torch.cat([hidden[-2], hidden[-1]], dim=-1),
        "mean": torch.stack([row.mean(dim=0) for row in rows]),
        "max": torch.stack([row.amax(dim=0) for row in rows]),
    }[pooling]
    for backend in ENCODERS:
        pooled = ENCODERS[backend](model, ids, LENGTHS, SILENCE)
        torch.testing.assert_close(pooled, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize(("cell", "padding", "pooling"), list(product(CELLS, ["masked", "through"], POOLINGS)))
def test_backends_agree_and_empty_texts_are_legal(cell: str, padding: str, pooling: str) -> None:
    model, ids = make(cell, pooling, padding), batch()
    ids, lengths = torch.cat([ids, torch.zeros(1, TIME, dtype=torch.int64)]), torch.cat([LENGTHS, torch.tensor([0])])
    results = []
    for backend in ENCODERS:
        model.backend = backend
        logits = model(ids, lengths)
        gradients = torch.autograd.grad(logits.square().sum(), list(model.parameters()))
        assert all(gradient.isfinite().all() for gradient in gradients)
        results.append([logits, *gradients])
    for other in results[1:]:
        for mine, expected in zip(other, results[0], strict=True):
            torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_batch_mates_and_padding_change_nothing(cell: str) -> None:
    model, ids = make(cell, "mean"), batch()
    together = model(ids, LENGTHS)
    torch.testing.assert_close(model(nn.functional.pad(ids, (0, 30)), LENGTHS), together, rtol=0, atol=1e-6)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = model(ids[row : row + 1, :length], LENGTHS[row : row + 1])
        torch.testing.assert_close(alone[0], together[row], rtol=0, atol=1e-6)


def test_parameter_names() -> None:
    names = list(make("gru", "mean").weights())
    cell = ["from_input.weight", "from_input.bias", "from_hidden.weight", "from_hidden.bias"]
    directions = ["left_to_right", "right_to_left"]
    recurrent = [f"layers.{depth}.{way}.{name}" for depth, way, name in product([0, 1], directions, cell)]
    assert names == ["embedding.weight", *recurrent, "head.weight", "head.bias"]


def test_sparse_embedding_has_the_same_gradient() -> None:
    gradients = []
    for sparse in (False, True):
        model = make("gru", "mean", sparse_embedding=sparse)
        model(batch(), LENGTHS).sum().backward()
        gradient = model.embedding.weight.grad
        assert gradient is not None and gradient.is_sparse is sparse
        gradients.append(gradient.to_dense())
    torch.testing.assert_close(gradients[1], gradients[0], rtol=0, atol=1e-6)


def test_choice_of_a_backend() -> None:
    assert choose_backend("auto", torch.device("cpu"), "gru") in ENCODERS
    assert choose_backend("auto", torch.device("cuda"), "gru") == "torch"
    assert all(choose_backend(name, torch.device("cpu"), "gru") == name for name in ENCODERS)
    assert choose_backend("auto", torch.device("cpu"), "a cell without a kernel") == "readable"
    with pytest.raises(ConfigError, match=r"^backend: 'abacus' is not available here, expected one of auto, readable"):
        choose_backend("abacus", torch.device("cpu"), "gru")
