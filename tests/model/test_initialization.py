"""`torch` against the constructors of `nn.Embedding` and `nn.Linear`, `orthogonal` against its definition."""

import pytest
import torch
from torch import nn

from textrnn.config import ModelConfig
from textrnn.model import TextClassifier, initialize

CONFIG = ModelConfig(embedding_size=6, hidden_size=8)


def make() -> TextClassifier:
    return TextClassifier(CONFIG, vocabulary_size=11, classes=3)


@pytest.mark.parametrize("seed", [0, 42])
def test_torch_scheme_draws_what_the_constructors_draw(seed: int) -> None:
    torch.manual_seed(seed)
    modules = [
        nn.Embedding(11, 6, padding_idx=0),
        nn.Linear(6, 8),
        nn.Linear(8, 8, bias=False),
        nn.Linear(8, 3),
    ]
    expected = [parameter for module in modules for parameter in module.parameters()]
    stream = torch.Generator().manual_seed(seed)
    ours = list(initialize(make(), "torch", stream).parameters())
    for mine, theirs in zip(ours, expected, strict=True):
        assert torch.equal(mine, theirs)
    assert torch.equal(torch.rand(4, generator=stream), torch.rand(4))  # and the streams stand at the same place


@pytest.mark.parametrize("scheme", ["torch", "orthogonal"])
def test_the_ambient_stream_is_left_alone(scheme: str) -> None:
    before = torch.get_rng_state()
    initialize(make(), scheme, torch.Generator().manual_seed(1))
    assert torch.equal(torch.get_rng_state(), before)


def test_orthogonal_scheme() -> None:
    model = initialize(make(), "orthogonal", torch.Generator().manual_seed(1))
    recurrent = model.cell.from_hidden.weight
    torch.testing.assert_close(recurrent @ recurrent.T, torch.eye(8), rtol=0, atol=1e-5)
    assert not model.embedding.weight[0].any() and not model.head.bias.any()
    assert model.head.weight.abs().max() <= (6 / (8 + 3)) ** 0.5
