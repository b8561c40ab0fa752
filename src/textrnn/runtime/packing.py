"""A block of ragged texts laid out step after step, without padding."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Packing:
    """Where each token of a block lies: all first tokens, the longest text's first, then all second tokens, …"""

    def __init__(self, lengths: NDArray[np.int64]) -> None:
        """`lengths`: steps of each text, the longest first."""
        self.lengths = lengths
        self.steps = int(lengths[0]) if len(lengths) else 0
        self.alive = (np.arange(self.steps)[:, None] < lengths).sum(axis=1)
        """Rows that still read, for each step; they come first. [steps]"""
        self.tokens = int(lengths.sum())
        self._starts = np.cumsum(self.alive) - self.alive
        self._rows = np.arange(len(lengths))

    def lay(self, texts: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
        """The ids of all texts in that order; where a text is shorter than its steps, the padding's id 0. [tokens]"""
        ids = np.zeros(self.tokens, dtype=np.int32)
        for row, text in enumerate(texts):
            ids[self._starts[: len(text)] + row] = text
        return ids

    def places(self, step: int, *, backwards: bool) -> slice | NDArray[np.int64]:
        """Where the tokens lie that the rows read in this step: the next of each text, from its end if `backwards`.

        An index of `alive` tokens.
        """
        alive = self.alive[step]
        if not backwards:
            return slice(self._starts[step], self._starts[step] + alive)
        places: NDArray[np.int64] = self._starts[self.lengths[:alive] - 1 - step] + self._rows[:alive]
        return places
