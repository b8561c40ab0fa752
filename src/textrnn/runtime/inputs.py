"""What a layer makes of its inputs before any step: W_ih x + b."""

from typing import Protocol

import numpy as np

from textrnn.modelfile import Weights
from textrnn.runtime.steps import Mix
from textrnn.runtime.tables import Array, Ids, table_type

ROWS = 32
"""Texts that are computed together. The number is fixed, short batches are filled up: a matrix product sums in an order
that depends on its shape, so only equal shapes give a text the same bits whatever its batch-mates."""

LARGEST_FOLD = 16
"""The tables of folded embeddings take at most this many times the memory of the embedding itself."""


class Projection(Protocol):
    """W_ih x + b."""

    rows: int
    """So many rows, always, or at most if `any_number`."""
    any_number: bool
    """Whether a row has the same bits in any number of rows."""

    @property
    def width(self) -> int:
        """gates * hidden"""

    def __call__(self, inputs: Array) -> Array:
        """[rows, features] -> [rows, gates * hidden]"""


class StateInput:
    """W_ih x + b of the states x of the layer below."""

    rows = ROWS
    any_number = False

    def __init__(self, weights: Weights, prefix: str) -> None:
        self._weight = np.ascontiguousarray(weights[f"{prefix}from_input.weight"].T)
        self._bias = weights[f"{prefix}from_input.bias"]

    @property
    def width(self) -> int:
        """gates * hidden"""
        return len(self._bias)

    def __call__(self, inputs: Array) -> Array:
        """[rows, features] -> [rows, gates * hidden]"""
        projected: Array = inputs @ self._weight
        projected += self._bias
        return projected


class TokenInput:
    """W_ih x + b of the embedding x of a token: a row of a table, the embedding being folded into the projection.

    A row is computed when its token is first met, so that a single text does not wait for the whole vocabulary.
    """

    def __init__(
        self,
        weights: Weights,
        prefix: str,
        *,
        directions: int,
        compress: str | None,
        size: int = 0,
        padded: int = 0,
        mix: Mix | None = None,
        project: Projection | None = None,
    ) -> None:
        """A table for one direction.

        Args:
            weights: of the network.
            prefix: what the names of the direction's tensors begin with.
            directions: how many such tables the network has.
            compress: see `textrnn.runtime.tables`.
            size, padded: lay each gate's `size` numbers out in `padded` places, the rest zero; not if 0.
            mix: keep what the cell makes of the numbers instead; only if the embedding is folded.
            project: computes W_ih x + b; None: by NumPy.
        """
        self._embedding = weights["embedding.weight"]
        self._project: Projection = project or StateInput(weights, prefix)
        tokens, features = self._embedding.shape
        # With a narrow embedding a model file of 50 MB could ask for a table of 16 GB: there it is not folded.
        self.folded = directions * self._project.width <= LARGEST_FOLD * features
        self._size, self._padded, self._mix = size, padded, mix
        width = self._project.width if self.folded else features
        if self.folded and padded:
            width = padded * (2 if mix else width // size)
        self.table = table_type(compress)(tokens, width)
        self.written = np.zeros(tokens, dtype=np.bool_)
        """Which rows the table holds. [vocabulary]"""
        with np.errstate(over="ignore", invalid="ignore"):
            self.prepare(np.zeros(1, dtype=np.int32))

    def prepare(self, ids: Ids) -> None:
        """Write the rows of these tokens, of any number of them."""
        missing = np.sort(ids[~self.written[ids]])
        missing = missing[np.diff(missing, prepend=-1) > 0]  # `np.unique` imports `numpy.ma`, a tenth of a cold start
        for start in range(0, len(missing), self._project.rows):
            some = missing[start : start + self._project.rows]
            if not self._project.any_number:  # as many rows as ever, for the same bits whoever asks first
                some = np.concatenate([some, np.zeros(self._project.rows - len(some), dtype=some.dtype)])
            embedded = self._embedding[some]
            self.table.write(some, self._laid_out(self._project(embedded)) if self.folded else embedded)
            self.written[some] = True  # last: another thread may be reading

    def _laid_out(self, projected: Array) -> Array:
        """As the table holds it. [rows, width]"""
        parts = [projected] if self._mix is None else list(self._mix(projected))
        if not self._padded:
            return np.concatenate(parts, axis=1)
        gates = np.concatenate([part.reshape(len(part), -1, self._size) for part in parts], axis=1)
        wide = np.zeros((*gates.shape[:2], self._padded), dtype=np.float32)
        wide[:, :, : self._size] = gates
        return wide.reshape(len(wide), -1)

    def __call__(self, ids: Ids) -> Array:
        """[rows] -> [rows, gates * hidden], for prepared tokens and the padding."""
        looked_up = self.table.read(ids)
        return looked_up if self.folded else self._project(looked_up)
