"""The tensors of every cell: what a model file holds for one direction of one layer."""

from collections.abc import Iterator
from typing import NamedTuple

from textrnn.config import ModelConfig

Shape = tuple[int, ...]


class CellTensors(NamedTuple):
    """Which parameters a cell has; `docs/equations.md` says what it does with them."""

    gates: tuple[str, ...]
    """Row blocks of every weight and bias, in this order."""
    from_hidden: bool = True
    """Whether a matrix reads the state before."""
    hidden_bias: bool = False
    """Whether that matrix has a bias of its own."""

    def shapes(self, features: int, hidden_size: int) -> dict[str, Shape]:
        """Name and shape of each tensor of one direction of one layer."""
        rows = len(self.gates) * hidden_size
        shapes: dict[str, Shape] = {"from_input.weight": (rows, features), "from_input.bias": (rows,)}
        if self.from_hidden:
            shapes["from_hidden.weight"] = (rows, hidden_size)
        if self.hidden_bias:
            shapes["from_hidden.bias"] = (rows,)
        return shapes


CELL_TENSORS: dict[str, CellTensors] = {
    "elman": CellTensors(("candidate",)),
    "elman_relu": CellTensors(("candidate",)),
    # Reset acts after the product, so the candidate's bias lies inside its reach and cannot be added to the other one.
    "gru": CellTensors(("reset", "update", "candidate"), hidden_bias=True),
    "lstm": CellTensors(("input", "forget", "proposal", "output")),
    "mingru": CellTensors(("update", "candidate"), from_hidden=False),
    "minlstm": CellTensors(("forget", "input", "candidate"), from_hidden=False),
}
"""Every cell by the name it has in a configuration. Gates are in PyTorch's order."""

NGRAM_KEYS = "ngrams.key"
"""The one tensor of integers."""

DIRECTIONS = ("left_to_right", "right_to_left")


def directions(model: ModelConfig) -> tuple[str, ...]:
    """The directions in which every layer reads: one, or both."""
    return DIRECTIONS if model.bidirectional else DIRECTIONS[:1]


def prefix(layer: int, direction: str) -> str:
    """What the names of the tensors of one direction of one layer begin with."""
    return f"layers.{layer}.{direction}."


def member_prefixes(model: ModelConfig) -> list[str]:
    """What the names of the tensors of each network begin with; nothing where there is but one."""
    return [""] if model.members == 1 else [f"members.{member}." for member in range(model.members)]


def network_tensors(model: ModelConfig, *, vocabulary_size: int, classes: int) -> Iterator[tuple[str, Shape]]:
    """Name and shape of every tensor of all networks."""
    for member in member_prefixes(model):
        for name, shape in _member_tensors(model, vocabulary_size=vocabulary_size, classes=classes):
            yield member + name, shape


def ngram_tensors(model: ModelConfig, *, ngrams: int, classes: int) -> Iterator[tuple[str, Shape]]:
    """Name and shape of every tensor of the n-gram part."""
    if model.ngrams or model.character_ngrams:
        yield NGRAM_KEYS, (ngrams,)
        yield "ngrams.weight", (ngrams, classes)
        yield "ngrams.bias", (classes,)


def _member_tensors(model: ModelConfig, *, vocabulary_size: int, classes: int) -> Iterator[tuple[str, Shape]]:
    width = len(directions(model)) * model.hidden_size
    yield "embedding.weight", (vocabulary_size, model.embedding_size)
    for layer in range(model.layers):
        shapes = CELL_TENSORS[model.cell].shapes(width if layer else model.embedding_size, model.hidden_size)
        for direction in directions(model):
            for name, shape in shapes.items():
                yield prefix(layer, direction) + name, shape
    yield "head.weight", (classes, width)
    yield "head.bias", (classes,)
