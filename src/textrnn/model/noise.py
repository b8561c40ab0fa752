"""Everything random in a forward pass of training, drawn from one given stream.

All masks are inverted: what is kept is scaled up, so that the expected value stays and nothing changes afterwards.
A mask that a setting turns off is None, and then nothing is drawn either.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from textrnn.cells import Cell
from textrnn.config import TrainingConfig


@dataclass(frozen=True)
class Noise:
    """Dropout of features, of words and of recurrent weights.

    Srivastava et al. (2014), Journal of Machine Learning Research 15, 1929-1958; Gal and Ghahramani (2016),
    arXiv:1512.05287, for words and for masks that stay over time; Merity, Keskar and Socher (2018), arXiv:1708.02182,
    for recurrent weights.
    """

    stream: torch.Generator
    dropout: float = 0.0
    """Probability of zeroing a feature: of the embeddings, between layers, and of the pooled vector."""
    word_dropout: float = 0.0
    """Probability of zeroing a word's embedding, all over the batch."""
    variational: bool = False
    """Whether the same features are zeroed at every step."""
    recurrent_dropout: float = 0.0
    """Probability of zeroing an entry of a recurrent weight."""
    perturbation: Float[Tensor, "time batch features"] | None = None
    """Added to the embeddings before dropout; nothing random in it."""

    @classmethod
    def from_config(cls, stream: torch.Generator, config: TrainingConfig) -> "Noise":
        """What a configuration asks for."""
        return cls(stream, config.dropout, config.word_dropout, config.variational, config.recurrent_dropout)

    def word_mask(self, ids: Int[Tensor, "..."]) -> Float[Tensor, "..."] | None:
        """A factor for each token; tokens with the same id have the same. Draws one number for each id there is."""
        if self.word_dropout == 0:
            return None
        present, positions = torch.unique(ids, return_inverse=True)
        return self._kept(present.shape, self.word_dropout).to(ids.device)[positions]

    def steps_mask(self, time: int, batch: int, features: int) -> Float[Tensor, "steps batch features"] | None:
        """A factor for each feature of each step; with `variational` steps = 1, one mask for all steps."""
        if self.dropout == 0:
            return None
        return self._kept(torch.Size([1 if self.variational else time, batch, features]), self.dropout)

    def pooled_mask(self, batch: int, features: int) -> Float[Tensor, "batch features"] | None:
        """A factor for each feature of the pooled vector."""
        return None if self.dropout == 0 else self._kept(torch.Size([batch, features]), self.dropout)

    def weight_mask(self, rows: int, columns: int) -> Float[Tensor, "rows columns"] | None:
        """A factor for each entry of a recurrent weight."""
        return None if self.recurrent_dropout == 0 else self._kept(torch.Size([rows, columns]), self.recurrent_dropout)

    def cell(self, cell: Cell[Any, Any]) -> Cell[Any, Any]:
        """The cell for this batch: with a thinned recurrent weight where there is one and the setting asks for it."""
        if cell.from_hidden is None:
            return cell
        weight = cell.from_hidden.weight
        mask = self.weight_mask(*weight.shape)
        return cell if mask is None else cell.with_recurrent_weight(masked(weight, mask))

    def _kept(self, shape: torch.Size, probability: float) -> Tensor:
        """Zeros with `probability`, otherwise the factor that keeps the expected value.

        Four numbers of 16 bits out of each random one of 64: a sixth of the time of `bernoulli_`, which would be a
        third of a step on short texts. The probability is met to 1 in 131,072.
        """
        count = shape.numel()
        drawn = torch.empty(-(-count // 4), dtype=torch.int64, device=self.stream.device)
        bits = drawn.random_(-(2**63), None, generator=self.stream).view(torch.int16)[:count]
        kept = bits >= round(probability * 65_536) - 32_768
        return kept.float().mul_(1 / (1 - probability)).view(shape)


SILENCE = Noise(torch.Generator())
"""What the network hears outside training: it draws nothing."""


def masked(values: Tensor, mask: Tensor | None) -> Tensor:
    """The values times a mask that broadcasts to them, on their device; unchanged without a mask."""
    return values if mask is None else values * mask.to(values)
