"""`torch` against the constructors of `nn.Embedding` and `nn.Linear`, `orthogonal` against its definition."""

import pytest
import torch
from torch import nn

from textrnn.cells import CELLS, Cell
from textrnn.config import ModelConfig
from textrnn.model import TextClassifier, initialize
from textrnn.training.randomness import random_stream

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


@pytest.mark.parametrize("cell", CELLS)
def test_orthogonal_scheme(cell: str) -> None:
    """In every layer, direction and gate."""
    config = ModelConfig(cell=cell, embedding_size=6, hidden_size=8, layers=2, bidirectional=True)  # type: ignore[arg-type]
    model = initialize(TextClassifier(config, vocabulary_size=11, classes=3), "orthogonal", random_stream(1))
    cells = [module for module in model.modules() if isinstance(module, Cell)]
    assert [module.input_size for module in cells] == [6, 6, 16, 16]
    for module in cells:
        for block in module.from_input.weight.chunk(len(module.GATES)):
            # Uniform between -bound and bound; of 48 draws or more the largest comes near it.
            bound = (6 / (module.input_size + 8)) ** 0.5
            assert 0.8 * bound < block.abs().max() <= bound
        assert not module.from_input.bias.any()
        if module.from_hidden is not None:
            for block in module.from_hidden.weight.chunk(len(module.GATES)):
                torch.testing.assert_close(block @ block.T, torch.eye(8), rtol=0, atol=1e-5)
            assert module.from_hidden.bias is None or not module.from_hidden.bias.any()
    assert len({tuple(module.from_input.weight[0].tolist()) for module in cells}) == 4
    assert not model.embedding.weight[0].any() and not model.head.bias.any()
    assert model.head.weight.abs().max() <= (6 / (16 + 3)) ** 0.5


@pytest.mark.parametrize("scheme", ["torch", "orthogonal"])
@pytest.mark.parametrize("cell", CELLS)
def test_every_parameter_is_filled(cell: str, scheme: str) -> None:
    config = ModelConfig(cell=cell, embedding_size=6, hidden_size=8, layers=2, bidirectional=True)  # type: ignore[arg-type]
    model = TextClassifier(config, vocabulary_size=11, classes=3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(torch.nan)
    initialize(model, scheme, random_stream(1))
    assert all(parameter.isfinite().all() for parameter in model.parameters())
