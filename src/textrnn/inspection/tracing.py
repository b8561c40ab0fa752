"""What a model computes on its way through one text: states and gates at every step."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from textrnn.cells import Cell
from textrnn.inspection import running
from textrnn.inspection.networks import Networks, embedded, of
from textrnn.inspection.reading import Reading, Token
from textrnn.model import POOLINGS, TextClassifier
from textrnn.runtime import Classifier
from textrnn.runtime.sum_network import added

Array = NDArray[np.floating[Any]]
"""In 32 bits, unless the networks compute in 64."""


@dataclass(frozen=True)
class DirectionTrace:
    """One direction of one layer. Everything stands in the order of the text, whatever the order of reading."""

    direction: str
    """`left_to_right`, or `right_to_left`: there position t holds the state after reading t and all that follows."""
    states: Array
    """[steps, hidden]; with `padding="through"` the steps of the padding follow those of the tokens."""
    gates: dict[str, Array]
    """By the names in `Cell.GATES`. [steps, hidden] each"""
    memory: Array | None
    """Of an LSTM, [steps, hidden]; other cells have none."""


@dataclass(frozen=True)
class MemberTrace:
    """One network of the model."""

    layers: tuple[tuple[DirectionTrace, ...], ...]
    """Of each layer its directions, left to right first."""
    pooled: Array
    """The vector that the text becomes. [directions * hidden]"""
    logits: Array
    """The network's own scores. [outputs]"""

    @property
    def top(self) -> Array:
        """The outputs of the last layer, directions side by side. [steps, directions * hidden]"""
        return np.concatenate([direction.states for direction in self.layers[-1]], axis=1)


@dataclass(frozen=True)
class Trace:
    """One text on its way through all parts of a model."""

    networks: Networks
    reading: Reading
    members: tuple[MemberTrace, ...]
    logits: Array
    """What all parts add up to, in 32 bits and in the order of the runtime. [outputs]"""

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Those that the networks read. [time]"""
        return self.reading.tokens

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """The answer: of every label [labels], or a number [1]."""
        found: NDArray[np.float64] = self.networks.answers(self.logits[None])[0]
        return found

    @property
    def predicted(self) -> int:
        """The place of the predicted label; of several the most probable one; 0 for a number."""
        return running.predicted_place(self.networks, self.logits)

    @cached_property
    def _prefixes(self) -> NDArray[np.float64]:
        return running.of_prefixes(self.networks, self.reading, self.members)

    @property
    def running(self) -> NDArray[np.float64]:
        """The answer to the first t tokens as a text of their own, t = 1 … time. [time, labels]

        The last row is the model's answer, unless something is cut off. Where a network reads from both ends, or reads
        the padding, each beginning of the text is read anew.
        """
        return self._prefixes[1:]

    @property
    def before(self) -> NDArray[np.float64]:
        """The answer to an empty text, where `running` starts from. [labels]"""
        found: NDArray[np.float64] = self._prefixes[0]
        return found

    @property
    def moves(self) -> NDArray[np.float64]:
        """By how much each token moves the running answer, once read, for the predicted label. [time]

        They add up to `running[-1] - before` of that label.
        """
        found: NDArray[np.float64] = np.diff(self._prefixes[:, self.predicted])
        return found

    @cached_property
    def pooled_so_far(self) -> NDArray[np.float64]:
        """The answer from the states of the whole text, pooled over the first t steps only. [steps, labels]

        The last row is the model's answer. For two directions this knows the end of the text from the first row on.
        """
        return running.pooled_so_far(self.networks, self.reading, self.members)


def trace(model: Classifier | Networks, text: str | Reading) -> Trace:
    """Read one text step by step with the readable cells, and keep everything.

    Raises:
        TypeError: the text is not a string.
    """
    networks = of(model)
    reading = networks.read(text)
    with torch.no_grad():
        members = tuple(_trace_member(member, embedded(member, reading)) for member in networks.members)
    scores = [member.logits for member in members]
    if networks.ngrams is not None:
        tokens = [token.text for token in reading.all_tokens]
        scores.append(networks.ngram_logits(tokens).astype(np.float32))
    return Trace(networks, reading, members, added(scores))


def _trace_member(member: TextClassifier, inputs: Float[Tensor, "steps features"]) -> MemberTrace:
    layers, steps = [], inputs.unsqueeze(1)  # [steps, 1, features]
    for layer in member.stack:
        found, outputs, finals = [], [], []
        for name, cell in zip(("left_to_right", "right_to_left"), layer.directions, strict=False):
            backwards = name == "right_to_left"
            kept, states, final = _follow(cell, steps.flip(0) if backwards else steps, backwards=backwards, name=name)
            found.append(kept)
            outputs.append(states)
            finals.append(final)
        layers.append(tuple(found))
        steps = torch.cat(outputs, dim=-1)
    lengths = torch.tensor([len(steps)])
    pooled = POOLINGS[member.config.pooling](steps, torch.cat(finals, dim=-1), lengths)
    logits = member.head(pooled)
    return MemberTrace(tuple(layers), pooled[0].numpy(), logits[0].numpy())


def _follow(
    cell: Cell[Any, Any], inputs: Float[Tensor, "steps 1 features"], *, backwards: bool, name: str
) -> tuple[DirectionTrace, Float[Tensor, "steps 1 hidden"], Float[Tensor, "1 hidden"]]:
    """Trace, states in the order of the text, and the state after the last step that is read."""
    state = cell.initial_state(1)
    empty = inputs.new_zeros(0, 1, cell.hidden_size)
    hidden, memory, gates = [], [], []
    for x in inputs:
        gates.append(cell.gates(x, state))
        state = cell.step(x, state)
        hidden.append(state.hidden)
        if hasattr(state, "memory"):
            memory.append(state.memory)

    def in_order(steps: list[Tensor]) -> Tensor:
        stacked = torch.stack(steps) if steps else empty
        return stacked.flip(0) if backwards else stacked

    states = in_order(hidden)
    by_name = {gate: in_order([kept[at] for kept in gates])[:, 0].numpy() for at, gate in enumerate(cell.GATES)}
    remembered = in_order(memory)[:, 0].numpy() if hasattr(state, "memory") else None
    return DirectionTrace(name, states[:, 0].numpy(), by_name, remembered), states, state.hidden
