"""Several networks on the same ids whose scores are added: the members of a model."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from textrnn.runtime.engines import Network, TokenStream

Ids = NDArray[np.int32]


class SumNetwork:
    """The sum of the parts' scores, behind the signature of one; what each is worth is in its own weights."""

    def __init__(self, parts: Sequence["Network"]) -> None:
        self.parts = parts

    def logits(self, texts: Sequence[Ids]) -> NDArray[np.float32]:
        """See `textrnn.runtime.engines.Network`."""
        return added([part.logits(texts) for part in self.parts])

    def logits_of(self, ids: Ids, offsets: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `textrnn.runtime.engines.Network`."""
        return added([part.logits_of(ids, offsets) for part in self.parts])

    def stream(self) -> "SumStream":
        """See `textrnn.runtime.engines.Network`."""
        return SumStream([part.stream() for part in self.parts])


class SumStream:
    """A text that every part reads."""

    def __init__(self, streams: Sequence["TokenStream"]) -> None:
        self._streams = streams

    def push(self, ids: Ids) -> None:
        """Read some tokens. [time]"""
        for stream in self._streams:
            stream.push(ids)

    def logits(self) -> NDArray[np.float32]:
        """Scores after the tokens so far. [classes]"""
        return added([stream.logits() for stream in self._streams])

    def reset(self) -> None:
        """Forget all tokens."""
        for stream in self._streams:
            stream.reset()


def added(scores: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The sum, in the order of the parts."""
    total = scores[0].copy()
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is told by the scores that come out
        for part in scores[1:]:
            total += part
    return total
