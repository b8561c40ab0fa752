"""The random stream against PyTorch's own DataLoader."""

from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from textrnn.training.randomness import dataloader_order, random_stream


@pytest.mark.parametrize(("examples", "seed"), [(40, 42), (1, 0), (1000, 7)])
def test_order_is_that_of_a_shuffling_dataloader(examples: int, seed: int) -> None:
    torch.manual_seed(seed)
    loader: Any = DataLoader(list(range(examples)), batch_size=8, shuffle=True)  # type: ignore[arg-type]
    stream = random_stream(seed)
    for _ in range(3):  # the stream moves on as the ambient one does
        expected = torch.cat(list(loader)).tolist()
        assert dataloader_order(examples, stream).tolist() == expected
    assert torch.equal(torch.rand(3, generator=stream), torch.rand(3))
