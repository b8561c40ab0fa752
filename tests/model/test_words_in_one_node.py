"""Words that the native kernels read and learn, against PyTorch's embedding; and the memory in between."""

import pytest
import torch
from torch import nn

from textrnn.cells.native_function import BUFFERS
from textrnn.config import ModelConfig
from textrnn.model import SILENCE, TextClassifier, initialize
from textrnn.model.native_encoder import native_encode
from textrnn.model.native_words import read_words, reading_of
from textrnn.native import Plan, library

pytestmark = pytest.mark.skipif(library() is None, reason="the native library was not built")


@pytest.mark.parametrize(
    ("vocabulary", "sparse"),
    [
        *((size, sparse) for size in (200, 5_000, 70_000) for sparse in (True, False)),
        (17_000_000, True),  # a dense gradient would take as much memory as the table
    ],
)
def test_the_gradient_is_that_of_an_embedding(vocabulary: int, sparse: bool) -> None:
    """Ids of one byte to four, some of them often, the one without a gradient among them."""
    stream = torch.Generator().manual_seed(vocabulary)
    ids = torch.randint(vocabulary, (20, 30), generator=stream)
    ids[:, ::7] = 0
    ids[:, 1::5] = vocabulary - 1
    lengths = torch.randint(31, (20,), generator=stream)
    table = nn.Embedding(vocabulary, 2, padding_idx=0, sparse=sparse)
    plan = Plan(lengths.numpy(), ids.numpy(), vocabulary)
    chosen = torch.from_numpy(plan.unique_ids.copy())
    weights = torch.randn(len(chosen), 2, generator=stream)

    (table(chosen) * weights).sum().backward()
    assert table.weight.grad is not None
    expected, table.weight.grad = table.weight.grad, None
    read = read_words(table, reading_of(table, plan, None, None))
    assert torch.equal(read, table(chosen))
    (read * weights).sum().backward()
    found: torch.Tensor | None = table.weight.grad
    assert found is not None
    if sparse:
        theirs = expected.coalesce()
        real = theirs.indices()[0] != 0
        assert torch.equal(found._indices()[0], theirs.indices()[0][real])  # each once, rising
        assert torch.equal(found._values(), theirs.values()[real])
    else:
        assert torch.equal(found, expected)


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm", "mingru"])
@pytest.mark.parametrize("hidden_size", [16, 21])
def test_what_memory_held_before_changes_nothing(cell: str, hidden_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    config = ModelConfig(
        cell=cell,  # type: ignore[arg-type]
        embedding_size=6,
        hidden_size=hidden_size,
        layers=2,
        bidirectional=True,
        pooling="max",
    )
    model = initialize(
        TextClassifier(config, vocabulary_size=50, classes=2), "orthogonal", torch.Generator().manual_seed(0)
    )
    ids = torch.randint(50, (20, 9), generator=torch.Generator().manual_seed(1))
    lengths = torch.arange(20) % 10

    def gradients(filling: float) -> list[torch.Tensor]:
        monkeypatch.setattr(BUFFERS, "take", lambda floats: torch.full((floats,), filling))
        model.zero_grad()
        pooled = native_encode(model, ids, lengths, SILENCE)
        pooled.square().sum().backward()
        grads = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
        return [pooled.detach(), *grads]

    for one, other in zip(gradients(0.0), gradients(float("nan")), strict=True):
        assert torch.equal(one, other)
