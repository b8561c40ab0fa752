"""Texts of different lengths as flat arrays of ids: a whole data set, and one batch of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAD_ID = 0
"""What stands after the last real step of a padded row; the id of `<PAD>` in every vocabulary."""


@dataclass(frozen=True, eq=False)
class RaggedBatch:
    """Some texts of a data set, their ids one after the other, without padding."""

    ids: NDArray[np.int32]
    """[tokens]"""
    lengths: NDArray[np.int64]
    """Real steps a text. [batch]"""
    targets: NDArray[Any] | None
    """Target of each text, if known; see `LabelledTexts.targets`. [batch, …]"""
    indices: NDArray[np.int64]
    """Position of each text in the data set. [batch]"""
    weights: NDArray[np.float32] | None = None
    """Of each text in the loss; None: all 1. [batch]"""

    @property
    def size(self) -> int:
        """Number of texts."""
        return len(self.lengths)

    @property
    def tokens(self) -> int:
        """Number of real steps."""
        return len(self.ids)

    def padded(self, time: int | None = None) -> NDArray[np.int64]:
        """The ids as a rectangle, `PAD_ID` after each text's last one. [batch, time]

        `time` defaults to the longest text's length, at least 1.

        Raises:
            ValueError: `time` is shorter than the longest text.
        """
        longest = int(self.lengths.max(initial=1))
        if time is None:
            time = longest
        if time < max(1, int(self.lengths.max(initial=0))):
            raise ValueError(f"time must be at least {longest}, the longest text's length, got {time}")
        padded = np.full((self.size, time), PAD_ID, dtype=np.int64)
        padded[np.arange(time) < self.lengths[:, np.newaxis]] = self.ids  # [batch, time]
        return padded


class EncodedTexts:
    """The ids of a whole data set: one flat array and where each text begins, 4 bytes a token, 8 a text."""

    def __init__(self, ids: NDArray[np.int32], offsets: NDArray[np.int64]) -> None:
        """`ids` is [tokens]; text i is `ids[offsets[i]:offsets[i + 1]]`, `offsets` is [texts + 1].

        Raises:
            ValueError: the offsets do not rise from 0 to the number of ids.
        """
        if not len(offsets) or offsets[0] != 0 or offsets[-1] != len(ids) or (np.diff(offsets) < 0).any():
            raise ValueError(f"offsets must rise from 0 to {len(ids)}, the number of ids")
        self.ids = ids
        self.offsets = offsets
        self.lengths: NDArray[np.int64] = np.diff(offsets)
        """Ids a text. [texts]"""

    @classmethod
    def from_ids(cls, texts: Iterable[NDArray[np.integer]]) -> "EncodedTexts":
        """Each text's ids ([time], any integer type), gathered one after the other."""
        gathered = bytearray()
        lengths = [0]
        for ids in texts:
            gathered += ids.astype(np.int32, casting="same_kind", copy=False).tobytes()
            lengths.append(len(ids))
        return cls(np.frombuffer(gathered, dtype=np.int32), np.cumsum(lengths, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> NDArray[np.int32]:
        """The ids of one text, a view. [time]"""
        if not -len(self) <= index < len(self):
            raise IndexError(f"text {index} of {len(self)}")
        index %= len(self)
        return self.ids[self.offsets[index] : self.offsets[index + 1]]

    def batch(
        self,
        indices: NDArray[np.int64],
        targets: NDArray[Any] | None = None,
        weights: NDArray[np.float32] | None = None,
    ) -> RaggedBatch:
        """The texts at `indices` [batch], in this order.

        `targets` and `weights` are those of the whole data set [texts]; the batch gets the ones at `indices`.
        """
        lengths = self.lengths[indices]  # [batch]
        before = np.cumsum(lengths) - lengths  # ids of the batch that stand before each text, [batch]
        positions = np.arange(lengths.sum()) + np.repeat(self.offsets[:-1][indices] - before, lengths)  # [tokens]
        return RaggedBatch(
            ids=self.ids[positions],
            lengths=lengths,
            targets=None if targets is None else targets[indices],
            indices=indices,
            weights=None if weights is None else weights[indices],
        )
