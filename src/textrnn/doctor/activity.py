"""What units and gates do over many texts, from the readable cells with the model's own weights.

The layers are run as always, with an unrolling that looks at every step instead of only making it.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from textrnn.cells import Cell
from textrnn.cells.unroll import select
from textrnn.data import EncodedTexts, by_length
from textrnn.inspection import Networks
from textrnn.model import SILENCE, run_layers

HIGH, LOW = 0.95, 0.05
"""Beyond these a gate has hardly a slope left, and so hardly learns."""
BOUNDED = frozenset({"reset", "update", "input", "forget", "output"})
"""Gates between 0 and 1. The others (`candidate`, `proposal`) are what is written, not how much."""
MOST_TEXTS = 256
BATCH = 64


class Place(NamedTuple):
    """One direction of one layer of one network, all counted from 1."""

    member: int
    layer: int
    direction: str

    def __str__(self) -> str:
        return f"network {self.member}, layer {self.layer}, {self.direction.replace('_', ' ')}"


class Activity:
    """Of the units of one cell, over all steps of all texts."""

    def __init__(self, cell: Cell[Any, Any]) -> None:
        self.steps = 0
        self.lowest = np.full(cell.hidden_size, np.inf)
        """Of each unit's state. [hidden]"""
        self.highest = np.full(cell.hidden_size, -np.inf)
        self.high = {gate: np.zeros(cell.hidden_size, dtype=np.int64) for gate in cell.GATES if gate in BOUNDED}
        """Steps at which each unit's gate is beyond `HIGH`, by gate. [hidden]"""
        self.low = {gate: np.zeros(cell.hidden_size, dtype=np.int64) for gate in self.high}
        self.loud = np.zeros(cell.hidden_size, dtype=np.int64)
        """Steps at which each unit's state is beyond ±`HIGH`. [hidden]"""

    @property
    def ranges(self) -> NDArray[np.float64]:
        """How far each unit's state moves over all that was read. [hidden]"""
        return self.highest - self.lowest if self.steps else np.zeros(len(self.highest))

    def add(self, states: NDArray[Any], gates: dict[str, NDArray[Any]]) -> None:
        """Take in one step of some rows. [rows, hidden] each"""
        if not len(states):
            return
        self.steps += len(states)
        self.lowest = np.minimum(self.lowest, states.min(axis=0))
        self.highest = np.maximum(self.highest, states.max(axis=0))
        self.loud += (np.abs(states) > HIGH).sum(axis=0)
        for gate in self.high:
            self.high[gate] += (gates[gate] > HIGH).sum(axis=0)
            self.low[gate] += (gates[gate] < LOW).sum(axis=0)


def activity(networks: Networks, texts: list[str]) -> dict[Place, Activity]:
    """Of every cell of every network, over an even selection of the texts, as the networks read them."""
    chosen = np.unique(np.linspace(0, len(texts) - 1, min(len(texts), MOST_TEXTS)).round().astype(int))
    encoded = EncodedTexts(*networks.classifier.encoder.encode_many([texts[place] for place in chosen.tolist()]))
    padded = networks.header.model.padding == "through"
    longest = networks.header.text.max_length if padded else None
    found: dict[Place, Activity] = {}
    cells: dict[int, Activity] = {}
    for place, cell in cells_of(networks):
        cells[id(cell)] = found[place] = Activity(cell)

    def look(
        cell: Cell[Any, Any],
        inputs: Float[Tensor, "time batch features"],
        lengths: Int[Tensor, " batch"],
        state: Any,
    ) -> tuple[Float[Tensor, "time batch hidden"], Any]:
        seen, outputs = cells[id(cell)], []
        for t, x in enumerate(inputs):
            alive = t < lengths
            gates = cell.gates(x, state)
            state = select(alive, cell.step(x, state), state)
            rows = alive.numpy()
            by_name = {name: gate.numpy()[rows] for name, gate in zip(cell.GATES, gates, strict=True)}
            seen.add(state.hidden.numpy()[rows], by_name)
            outputs.append(state.hidden)
        return (torch.stack(outputs) if outputs else inputs.new_zeros(0, *state.hidden.shape)), state

    with torch.no_grad():
        for indices in by_length(encoded.lengths, BATCH):
            batch = encoded.batch(indices)
            ids = torch.from_numpy(batch.padded(longest)).t()  # [time, batch]
            lengths = torch.from_numpy(batch.lengths)
            for member in networks.members:
                real = torch.full_like(lengths, len(ids)) if padded else lengths
                run_layers(member.stack, member.embedding(ids), real, look, SILENCE)
    return found


def cells_of(networks: Networks) -> Iterator[tuple[Place, Cell[Any, Any]]]:
    """Every cell of the model, and where it stands."""
    for number, member in enumerate(networks.members, 1):
        for depth, layer in enumerate(member.stack, 1):
            for direction, cell in zip(networks.directions, layer.directions, strict=True):
                yield Place(number, depth, direction), cell
