"""The network: embedding -> recurrent layers -> pooling -> linear head -> logits."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import skip_init

from textrnn.config import ModelConfig
from textrnn.model.encoders import ENCODERS
from textrnn.model.noise import SILENCE, Noise, masked
from textrnn.model.reader import Reader


class TextClassifier(Reader):
    """Logits of padded texts. Parameters are uninitialised until `initialize` or `load_weights` fills them."""

    def __init__(
        self,
        config: ModelConfig,
        *,
        vocabulary_size: int,
        classes: int,
        backend: str = "readable",
        sparse_embedding: bool = False,
    ) -> None:
        """`backend` is a name in `ENCODERS`; it can be changed at any time."""
        super().__init__(config, vocabulary_size=vocabulary_size, sparse_embedding=sparse_embedding)
        self.head: nn.Linear = skip_init(nn.Linear, self.pooled_size, classes)
        self.backend = backend

    def forward(
        self, ids: Int[Tensor, "batch time"], lengths: Int[Tensor, " batch"], noise: Noise = SILENCE
    ) -> Float[Tensor, "batch classes"]:
        """Logits of a batch.

        Args:
            ids: padded at the end with 0. With `padding="through"` the padding is read like tokens, so each text must
                be padded to the same length as in training.
            lengths: real steps per row.
            noise: what is zeroed at random; in training only.
        """
        pooled = ENCODERS[self.backend](self, ids, lengths, noise)  # [batch, directions * hidden]
        logits: Tensor = self.head(masked(pooled, noise.pooled_mask(*pooled.shape)))
        return logits

    def load_bias(self, bias: NDArray[np.float64]) -> None:
        """Take over the biases of the head. [classes]"""
        with torch.no_grad():
            self.head.bias.copy_(torch.from_numpy(bias))

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """A copy of every parameter by name, as a model file stores them."""
        return {name: value.detach().cpu().numpy().copy() for name, value in self.named_parameters()}

    def load_weights(self, weights: Mapping[str, NDArray[Any]]) -> "TextClassifier":
        """Take over every parameter by name; the names and shapes must be exactly those of `weights()`."""
        self.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
        return self
