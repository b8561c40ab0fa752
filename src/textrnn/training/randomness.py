"""Everything random in training, drawn from one given stream."""

import numpy as np
import torch
from numpy.typing import NDArray


def random_stream(seed: int) -> torch.Generator:
    """A stream of its own: PyTorch's ambient one is neither read nor moved."""
    return torch.Generator().manual_seed(seed)


def dataloader_order(examples: int, stream: torch.Generator) -> NDArray[np.int64]:
    """The order of one pass of `torch.utils.data.DataLoader(shuffle=True)`, drawn as it draws it. [examples]

    Each pass takes two numbers from the stream, a base seed for worker processes and the seed of the sampler, and
    permutes with a stream of that second seed. The lesson's published digits depend on it.
    """
    torch.empty((), dtype=torch.int64).random_(generator=stream)
    seed = int(torch.empty((), dtype=torch.int64).random_(generator=stream))
    order: NDArray[np.int64] = torch.randperm(examples, generator=random_stream(seed)).numpy()
    return order
