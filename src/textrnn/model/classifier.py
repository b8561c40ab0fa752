"""The network: embedding -> recurrent cell unrolled over time -> pooling -> linear head -> logits."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import skip_init

from textrnn.cells import CELLS, unroll
from textrnn.config import ModelConfig
from textrnn.model.pooling import POOLINGS

Dropout = Callable[[Tensor], Tensor]


def no_dropout(features: Tensor) -> Tensor:
    """What the network does outside training."""
    return features


class TextClassifier(nn.Module):
    """Logits of padded texts. Parameters are uninitialised until `initialize` or `load_weights` fills them."""

    def __init__(self, config: ModelConfig, *, vocabulary_size: int, classes: int) -> None:
        super().__init__()
        self.config = config
        self.embedding: nn.Embedding = skip_init(nn.Embedding, vocabulary_size, config.embedding_size, padding_idx=0)
        self.cell = CELLS[config.cell](config.embedding_size, config.hidden_size)
        self.head: nn.Linear = skip_init(nn.Linear, config.hidden_size, classes)

    def forward(
        self, ids: Int[Tensor, "batch time"], lengths: Int[Tensor, " batch"], dropout: Dropout = no_dropout
    ) -> Float[Tensor, "batch classes"]:
        """Logits of a batch.

        Args:
            ids: padded at the end with 0. With `padding="through"` the padding is read like tokens, so each text must
                be padded to the same length as in training.
            lengths: real steps per row.
            dropout: applied to the embeddings and to the pooled vector.
        """
        inputs = dropout(self.embedding(ids.t()))  # [time, batch, features]
        if self.config.padding == "through":
            lengths = torch.full_like(lengths, len(inputs))
        states, final = unroll(self.cell, inputs, lengths, self.cell.initial_state(len(ids)))
        pooled = POOLINGS[self.config.pooling](states, final.hidden, lengths)  # [batch, hidden]
        logits: Tensor = self.head(dropout(pooled))
        return logits

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """A copy of every parameter by name, as a model file stores them."""
        return {name: value.detach().numpy().copy() for name, value in self.named_parameters()}

    def load_weights(self, weights: Mapping[str, NDArray[Any]]) -> "TextClassifier":
        """Take over every parameter by name; the names and shapes must be exactly those of `weights()`."""
        self.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
        return self
