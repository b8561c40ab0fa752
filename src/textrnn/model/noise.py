"""Everything random in a forward pass of training, drawn from one given stream.

All masks are inverted: what is kept is scaled up, so that the expected value stays and nothing changes afterwards.
A mask that a setting turns off is None, and then nothing is drawn either. Each mask takes one number from the stream,
and its factors follow from that and from their places: so a kernel can make those it needs, when it needs them.
"""

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from textrnn.cells import Cell
from textrnn.config import TrainingConfig
from textrnn.native import library
from textrnn.native.interface import MaskRecord


@dataclass(frozen=True)
class Mask:
    """Factors for rows of any number and width, all of them decided by a seed."""

    seed: int
    """From 0 to 2^63 - 1."""
    probability: float
    """Of a zero; met to 1 in 131,072."""

    @property
    def threshold(self) -> int:
        """The least 16-bit number, with its sign, whose factor is not zero."""
        return round(self.probability * 65_536) - 32_768

    @property
    def scale(self) -> float:
        """The factor of what is kept."""
        return 1 / (1 - self.probability)

    @property
    def record(self) -> MaskRecord:
        """For the native kernels."""
        return MaskRecord(self.seed, self.threshold, self.scale)

    def rows(self, count: int, columns: int) -> Float[Tensor, "count columns"]:
        """The first rows of the mask."""
        kernels = library()
        if kernels is None:
            return self.factors(torch.arange(count), columns)
        factors = torch.empty(count, columns)
        kernels.textrnn_mask_rows(ctypes.byref(self.record), count, columns, factors.data_ptr())
        return factors

    def factors(self, rows: Int[Tensor, " some"], columns: int) -> Float[Tensor, "some columns"]:
        """Some rows of the mask, as native/reading.h has them.

        Four factors come from a number of 64 bits, the lowest first: number `row * ceil(columns / 4) + column // 4`
        of the sequence SplitMix64 that begins at the seed (Steele, Lea and Flood 2014, Fast splittable pseudorandom
        number generators).
        """
        words = -(-columns // 4)
        places: NDArray[np.uint64] = np.multiply.outer(rows.numpy().astype(np.uint64), np.uint64(words))[:, np.newaxis]
        z: NDArray[np.uint64] = np.add(places, np.arange(1, words + 1, dtype=np.uint64), dtype=np.uint64)
        z = z * np.uint64(0x9E3779B97F4A7C15) + np.uint64(self.seed)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
        bits = z.astype("<u8").view("<i2")[:, :columns]
        return torch.from_numpy(np.where(bits >= self.threshold, np.float32(self.scale), np.float32(0)))


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
    """Whether the same features are zeroed at every step, of embeddings and between layers."""
    recurrent_dropout: float = 0.0
    """Probability of zeroing an entry of a recurrent weight."""
    dropout_by_word: bool = False
    """Whether the same features of a word's embedding are zeroed wherever a batch has it; `variational` is then between
    layers only."""
    readings: int = 1
    """How often a batch holds every text, first all of them once, then again; with `dropout_by_word` each reading has
    masks of its own."""
    perturbation: Float[Tensor, "time batch features"] | None = None
    """Added to the embeddings before dropout; nothing random in it."""

    @classmethod
    def from_config(cls, stream: torch.Generator, config: TrainingConfig) -> "Noise":
        """What a configuration asks for."""
        return cls(
            stream,
            config.dropout,
            config.word_dropout,
            config.variational,
            config.recurrent_dropout,
            config.dropout_by_word,
            readings=2 if config.r_drop else 1,
        )

    def words(self) -> Mask | None:
        """A factor for each word: row `id`, one column."""
        return self._drawn(self.word_dropout)

    def features(self) -> Mask | None:
        """A factor for each feature of each step: row `step * batch + text`, or `text` alone with `variational`.

        Of the embeddings, with `dropout_by_word`, row `id * readings + reading`.
        """
        return self._drawn(self.dropout)

    def pooled(self) -> Mask | None:
        """A factor for each feature of the pooled vector: row `text`."""
        return self._drawn(self.dropout)

    def word_mask(self, ids: Int[Tensor, "..."]) -> Float[Tensor, "..."] | None:
        """A factor for each token; tokens with the same id have the same."""
        mask = self.words()
        return None if mask is None else mask.factors(ids.cpu().reshape(-1), 1).view(ids.shape).to(ids.device)

    def steps_mask(self, time: int, batch: int, features: int) -> Float[Tensor, "steps batch features"] | None:
        """A factor for each feature of each step; with `variational` steps = 1, one mask for all steps."""
        mask, steps = self.features(), 1 if self.variational else time
        return None if mask is None else mask.rows(steps * batch, features).view(steps, batch, features)

    @property
    def readings_apart(self) -> int:
        """How many forms of a word a batch has."""
        return self.readings if self.dropout_by_word and self.dropout else 1

    def words_read(self, ids: Int[Tensor, "batch time"]) -> Int[Tensor, "batch time"]:
        """Numbers of the words, those of different readings apart: `id * readings + reading`."""
        readings = self.readings_apart
        if readings == 1:
            return ids
        reading = torch.arange(len(ids), device=ids.device) * readings // max(len(ids), 1)
        return ids * readings + reading.unsqueeze(1)

    def embeddings_mask(
        self, ids: Int[Tensor, "time batch"], features: int
    ) -> Float[Tensor, "steps batch features"] | None:
        """A factor for each feature of each embedding; steps = 1 where the mask is the same at all steps."""
        if not self.dropout_by_word:
            time, batch = ids.shape
            return self.steps_mask(time, batch, features)
        mask, words = self.features(), self.words_read(ids.t()).t()
        return None if mask is None else mask.factors(words.cpu().reshape(-1), features).view(*ids.shape, features)

    def pooled_mask(self, batch: int, features: int) -> Float[Tensor, "batch features"] | None:
        """A factor for each feature of the pooled vector."""
        mask = self.pooled()
        return None if mask is None else mask.rows(batch, features)

    def weight_mask(self, rows: int, columns: int) -> Float[Tensor, "rows columns"] | None:
        """A factor for each entry of a recurrent weight."""
        mask = self._drawn(self.recurrent_dropout)
        return None if mask is None else mask.rows(rows, columns)

    def cell(self, cell: Cell[Any, Any]) -> Cell[Any, Any]:
        """The cell for this batch: with a thinned recurrent weight where there is one and the setting asks for it."""
        if self.recurrent_dropout == 0 or cell.from_hidden is None:
            return cell
        weight = cell.from_hidden.weight
        mask = self.weight_mask(*weight.shape)
        return cell if mask is None else cell.with_recurrent_weight(masked(weight, mask))

    def _drawn(self, probability: float) -> Mask | None:
        """One number of the stream, unless nothing is to be zeroed."""
        if probability == 0:
            return None
        seed = torch.empty((), dtype=torch.int64, device=self.stream.device).random_(generator=self.stream)
        return Mask(int(seed), probability)


SILENCE = Noise(torch.Generator())
"""What the network hears outside training: it draws nothing."""


def masked(values: Tensor, mask: Tensor | None) -> Tensor:
    """The values times a mask that broadcasts to them, on their device; unchanged without a mask."""
    return values if mask is None else values * mask.to(values)
