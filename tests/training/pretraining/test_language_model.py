"""The language model against PyTorch's own networks: what it predicts, what it costs, what it may not see."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from textrnn.cells import CELLS
from textrnn.config import ModelConfig
from textrnn.data import EncodedTexts, RaggedBatch
from textrnn.model import ENCODERS, Noise
from textrnn.training.pretraining.candidates import Sampler
from textrnn.training.pretraining.language_model import LanguageModel
from textrnn.training.pretraining.segments import batches, cut
from textrnn.training.randomness import random_stream

SIZE = 11
TEXTS = [[3, 4, 5, 3, 2], [9, 8], [10, 2, 7, 7, 6, 5, 3], [1, 3, 1]]
SILENT = Noise(random_stream(0))


def texts() -> EncodedTexts:
    return EncodedTexts.from_ids(np.array(text) for text in TEXTS)


def batch() -> RaggedBatch:
    return texts().batch(np.arange(len(TEXTS)))


def model(backend: str = "readable", **settings: Any) -> LanguageModel:
    config = ModelConfig(**{"cell": "gru", "bidirectional": True, "embedding_size": 6, "hidden_size": 5, **settings})
    made = LanguageModel(config, vocabulary_size=SIZE, backend=backend)
    stream = random_stream(7)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(std=0.5, generator=stream)
        made.embedding.weight[0] = 0
    return made


def by_pytorch(ours: LanguageModel, lstm: bool) -> float:
    """The mean cross-entropy of all predictions in float64, text by text, by two one-way networks, full softmax."""
    kind = nn.LSTM if lstm else nn.GRU
    losses, predicted = 0.0, 0
    layer = ours.stack[0]
    assert layer.right_to_left is not None
    for cell, projection, reverse in (
        (layer.left_to_right, ours.projection["left_to_right"], False),
        (layer.right_to_left, ours.projection["right_to_left"], True),
    ):
        network = kind(6, 5).double()
        assert cell.from_hidden is not None
        state = {
            "weight_ih_l0": cell.from_input.weight,
            "bias_ih_l0": cell.from_input.bias,
            "weight_hh_l0": cell.from_hidden.weight,
            "bias_hh_l0": cell.from_hidden.bias if cell.from_hidden.bias is not None else torch.zeros(20),
        }
        network.load_state_dict({name: value.detach().double() for name, value in state.items()})
        table, bias = ours.embedding.weight.detach().double(), ours.output_bias.detach().double()
        for text in TEXTS:
            ids = torch.tensor(text[::-1] if reverse else text)
            states = network(table[ids].unsqueeze(1))[0].squeeze(1)
            logits = states @ projection.weight.detach().double().t() @ table.t() + bias  # type: ignore[operator]
            losses += cross_entropy(logits[:-1], ids[1:], reduction="sum").item()
            predicted += len(text) - 1
    return losses / predicted


@pytest.mark.parametrize("backend", ENCODERS)
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_losses_are_pytorchs(backend: str, cell: str) -> None:
    ours = model(backend, cell=cell)
    expected = by_pytorch(ours, cell == "lstm")
    losses = ours.exact_losses(batch())
    assert len(losses) == 2 * sum(len(text) - 1 for text in TEXTS)
    assert losses.mean().item() == pytest.approx(expected, rel=1e-5)
    everything = Sampler(np.ones(SIZE, dtype=np.int64), head=SIZE, draws=1)
    candidates = everything.candidates(batch().ids, np.random.default_rng(0))
    assert ours.loss(batch(), candidates, SILENT).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_backends_have_the_same_gradients(cell: str) -> None:
    found = []
    for backend in ENCODERS:
        ours = model(backend, cell=cell)
        candidates = Sampler(np.ones(SIZE, dtype=np.int64), head=3, draws=2).candidates(
            batch().ids, np.random.default_rng(0)
        )
        loss = ours.loss(batch(), candidates, SILENT)
        loss.backward()
        gradients = {
            name: parameter.grad.to_dense() for name, parameter in ours.named_parameters() if parameter.grad is not None
        }
        assert len(gradients) == len(list(ours.parameters()))
        found.append((loss.item(), gradients))
    for loss_value, gradients in found[1:]:
        assert loss_value == pytest.approx(found[0][0], rel=1e-5)
        for name, gradient in gradients.items():
            torch.testing.assert_close(gradient, found[0][1][name], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("backend", ENCODERS)
def test_dropout_is_drawn_and_keeps_the_mean(backend: str) -> None:
    """Of predictions under 200 masks the mean is near that without: inverted dropout on what goes out."""
    ours = model(backend, cell="mingru")
    noise = Noise(random_stream(0), 0.3)
    features = torch.stack([ours.predict(batch(), noise).features.detach() for _ in range(200)])
    assert 0.2 < (features == 0).float().mean() < 0.4
    # A minimal GRU's candidate is linear in the input, its gate is not: hence near, not equal.
    silent = ours.predict(batch(), SILENT).features
    assert (features.mean(dim=0) - silent).norm() < 0.3 * silent.norm()


def test_no_direction_sees_what_it_predicts() -> None:
    """A prediction must not change with the token it is about, nor with those beyond it."""
    ours = model()
    data = EncodedTexts.from_ids([np.array([2, 3, 4, 5])])
    changed = EncodedTexts.from_ids([np.array([2, 3, 4, 9])])
    first, second = (ours.predict(some.batch(np.array([0])), SILENT).features for some in (data, changed))
    torch.testing.assert_close(first[:3], second[:3])  # left to right, predicting positions 1 to 3
    assert not torch.allclose(first[3:], second[3:])
    changed = EncodedTexts.from_ids([np.array([9, 3, 4, 5])])
    third = ours.predict(changed.batch(np.array([0])), SILENT).features
    torch.testing.assert_close(first[3:], third[3:])  # right to left
    assert not torch.allclose(first[:3], third[:3])


def test_cutting_keeps_every_token_in_order() -> None:
    rng = np.random.default_rng(0)
    data = EncodedTexts.from_ids(rng.integers(1, 100, size=length) for length in (0, 1, 2, 5, 6, 7, 23, 100))
    pieces = cut(data, 6)
    assert np.array_equal(pieces.ids, data.ids[data.offsets[2] :])
    assert pieces.lengths.max() <= 6 and pieces.lengths.min() >= 2
    assert len(pieces) == 1 + 1 + 1 + 2 + 4 + 17
    for shortest in (2, 3):
        assert cut(data, shortest).lengths.min() >= 1


def test_batches_hold_every_segment_once_and_about_so_many_tokens() -> None:
    rng = np.random.default_rng(0)
    data = EncodedTexts.from_ids(rng.integers(1, 9, size=rng.integers(2, 30)) for _ in range(500))
    for order in (batches(data, 64, np.random.default_rng(1)), batches(data, 64, None)):
        assert sorted(np.concatenate(order).tolist()) == list(range(500))
        assert max(int(data.lengths[indices].sum()) for indices in order) < 64 + 30
    other = batches(data, 64, np.random.default_rng(2))
    assert not all(
        np.array_equal(a, b) for a, b in zip(batches(data, 64, np.random.default_rng(1)), other, strict=False)
    )
    assert math.ceil(len(data.ids) / (64 + 30)) <= len(other)
