"""The whole network against one made of torch.nn modules, and batch-mates that change nothing."""

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from textrnn.config import ModelConfig
from textrnn.model import POOLINGS, TextClassifier

LENGTHS = torch.tensor([9, 6, 6, 2, 1])
SETTINGS = list(product(POOLINGS, ["masked", "through"]))


def make(pooling: str, padding: str, seed: int = 0) -> TextClassifier:
    config = ModelConfig(embedding_size=6, hidden_size=8, pooling=pooling, padding=padding)  # type: ignore[arg-type]
    model = TextClassifier(config, vocabulary_size=20, classes=3)
    torch.manual_seed(seed)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.6)
    with torch.no_grad():
        model.embedding.weight[0] = 0
    return model


def batch(seed: int = 1) -> Tensor:
    torch.manual_seed(seed)
    ids = torch.randint(1, 20, (len(LENGTHS), 9))
    return ids * (torch.arange(9) < LENGTHS.unsqueeze(1))


def foreign_logits(model: TextClassifier, ids: Tensor) -> Tensor:
    """The same network by torch.nn: packed for `masked`, plain for `through`."""
    rnn: Any = nn.RNN(6, 8, batch_first=True)
    cell: Any = model.stack[0].left_to_right
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(cell.from_input.weight)
        rnn.weight_hh_l0.copy_(cell.from_hidden.weight)
        rnn.bias_ih_l0.copy_(cell.from_input.bias)
        rnn.bias_hh_l0.zero_()
        embedded = nn.functional.embedding(ids, model.embedding.weight)
        if model.config.padding == "masked":
            packed, hidden = rnn(pack_padded_sequence(embedded, LENGTHS, batch_first=True))
            states, lengths = pad_packed_sequence(packed, batch_first=True)
        else:
            states, hidden = rnn(embedded)
            lengths = torch.full_like(LENGTHS, ids.size(1))
        rows = [states[row, :length] for row, length in enumerate(lengths)]
        pooled = {
            "last": hidden[0],
            "mean": torch.stack([row.mean(dim=0) for row in rows]),
            "max": torch.stack([row.amax(dim=0) for row in rows]),
        }
        return nn.functional.linear(pooled[model.config.pooling], model.head.weight, model.head.bias)


@pytest.mark.parametrize(("pooling", "padding"), SETTINGS)
def test_matches_torch_modules(pooling: str, padding: str) -> None:
    model, ids = make(pooling, padding), batch()
    torch.testing.assert_close(model(ids, LENGTHS), foreign_logits(model, ids), rtol=0, atol=1e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_batch_mates_and_padding_change_nothing(pooling: str) -> None:
    model, ids = make(pooling, "masked"), batch()
    together = model(ids, LENGTHS)
    much_padding = model(nn.functional.pad(ids, (0, 40)), LENGTHS)
    torch.testing.assert_close(much_padding, together, rtol=0, atol=1e-6)
    backwards = model(ids.flip(0), LENGTHS.flip(0)).flip(0)
    torch.testing.assert_close(backwards, together, rtol=0, atol=1e-6)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = model(ids[row : row + 1, :length], LENGTHS[row : row + 1])
        torch.testing.assert_close(alone[0], together[row], rtol=0, atol=1e-6)


@pytest.mark.parametrize(("pooling", "padding"), SETTINGS)
def test_an_empty_text_is_legal(pooling: str, padding: str) -> None:
    model = make(pooling, padding)
    ids = torch.cat([batch()[:2], torch.zeros(1, 9, dtype=torch.int64)])
    logits = model(ids, torch.tensor([9, 6, 0]))
    assert logits.isfinite().all()
    if padding == "masked":
        torch.testing.assert_close(logits[2], model.head.bias, rtol=0, atol=1e-6)
    logits.sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in model.parameters())


def test_padding_gets_no_gradient() -> None:
    model = make("mean", "through")
    model(batch(), LENGTHS).sum().backward()
    assert model.embedding.weight.grad is not None and not model.embedding.weight.grad[0].any()


def test_weights_go_out_and_in() -> None:
    model, other = make("mean", "masked", seed=1), make("mean", "masked", seed=2)
    weights = model.weights()
    other.load_weights(weights)
    assert torch.equal(other(batch(), LENGTHS), model(batch(), LENGTHS))
    weights["head.bias"] += 1  # a copy: the model is not touched
    assert torch.equal(other(batch(), LENGTHS), model(batch(), LENGTHS))
