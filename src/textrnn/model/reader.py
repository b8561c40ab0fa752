"""What reads a text: embedding and recurrent layers."""

from torch import nn
from torch.nn.utils import skip_init

from textrnn.config import ModelConfig
from textrnn.model.layers import Layer


class Reader(nn.Module):
    """The parameters of embedding and layers; `textrnn.model.encoders` has the ways to compute with them."""

    def __init__(self, config: ModelConfig, *, vocabulary_size: int, sparse_embedding: bool = False) -> None:
        """With `sparse_embedding` the gradient of the embedding is a sparse tensor with the rows of the batch."""
        super().__init__()
        self.config = config
        self.embedding: nn.Embedding = skip_init(
            nn.Embedding, vocabulary_size, config.embedding_size, padding_idx=0, sparse=sparse_embedding
        )
        self.embedding_rate = 1.0
        """Share of the learning rate with which the embedding learns."""
        below = [config.embedding_size] + [self.pooled_size] * (config.layers - 1)
        self.layers = nn.ModuleList(
            Layer(config.cell, input_size, config.hidden_size, bidirectional=config.bidirectional)
            for input_size in below
        )

    @property
    def stack(self) -> tuple[Layer, ...]:
        """The layers, the one that reads the embeddings first."""
        return tuple(self.layers)  # type: ignore[arg-type]  # a ModuleList does not know of what

    @property
    def pooled_size(self) -> int:
        """Features of the vector that a text becomes: the hidden states of all directions."""
        return self.config.hidden_size * (2 if self.config.bidirectional else 1)
