"""How gradients flow back through time: what each state is worth to the loss, and what the recurrence lets through.

Two things that are easily taken for each other:

    |dL/dh_t|             by pooling `mean` and `max` the loss reaches many steps directly, whatever the recurrence does
    || d s_T / d s_t ||   what gets through the recurrence alone, from the end of reading back to step t; divided by the
                          root of the size of the state, so that an orthogonal matrix has 1

A network whose second number falls to nothing cannot learn from words that far away what it should do at the end:
the vanishing gradient (Hochreiter 1991; Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013,
arXiv:1211.5063). The verdict comes from its geometric rate a token over the texts given, and from how
long these are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textrnn.inspection.networks import Networks, embedded, in_double
from textrnn.inspection.reading import Reading
from textrnn.inspection.remembering import StepJacobians, every_direction
from textrnn.inspection.targets import loss_of_text, targets_of
from textrnn.labels import AnyLabel
from textrnn.model import POOLINGS
from textrnn.runtime import Classifier

LOST = 1e-3
"""What is left, at most, of a gradient that has vanished over a text; one that has exploded exceeds the inverse."""


@dataclass(frozen=True)
class Flow:
    """One direction of one layer of one network, over the texts given; all arrays stand in the order of the text."""

    member: int
    layer: int
    direction: str
    loss_gradients: tuple[NDArray[np.float64], ...]
    """|dL/ds_t| of each text, s the whole state (hidden, and an LSTM's memory), L the text's own loss. [steps] each"""
    carried: tuple[NDArray[np.float64], ...]
    """|| d s_T / d s_t || / sqrt(state), T the last step that is read: on the right, or on the left for
    `right_to_left`. [steps] each"""

    @property
    def rate(self) -> float:
        """The factor a token by which the recurrence passes gradients on, the geometric mean over all texts and steps;
        1 is ideal, nan where no text has two steps."""
        logs, tokens = 0.0, 0
        for carried in self.carried:
            if len(carried) > 1:
                first = carried[0] if self.direction == "left_to_right" else carried[-1]
                logs += float(np.log(max(first, 1e-300)))
                tokens += len(carried) - 1
        return float(np.exp(logs / tokens)) if tokens else float("nan")

    @property
    def verdict(self) -> str:
        """`vanishing`, `exploding` or `steady`, by what the rate makes of a gradient over the longest of the texts;
        `unknown` where no text has two steps."""
        left = self.rate ** max(1, max(map(len, self.carried), default=1) - 1)
        if np.isnan(left):
            return "unknown"
        return "vanishing" if left < LOST else "exploding" if left > 1 / LOST else "steady"

    def by_distance(self) -> NDArray[np.float64]:
        """What is carried over 0, 1, … steps, the median over the texts that are that long. [longest]"""
        longest = max(map(len, self.carried), default=0)
        rows = np.full((len(self.carried), longest), np.nan)
        for row, carried in zip(rows, self.carried, strict=True):
            row[: len(carried)] = carried[::-1] if self.direction == "left_to_right" else carried
        return np.nanmedian(rows, axis=0) if longest else np.zeros(0)


def gradient_flow(
    model: Classifier | Networks, texts: Sequence[str], labels: Sequence[AnyLabel] | None = None
) -> list[Flow]:
    """How gradients flow through every direction of every layer of every network, on these texts.

    Args:
        model: a classifier.
        texts: one or more.
        labels: theirs; None: those that the model predicts, whose loss is small where it is certain.

    Raises:
        DataError: a label is unknown to the model, or there are not as many as texts.
    """
    networks = in_double(model)
    readings = [networks.read(text) for text in texts]
    targets = targets_of(networks, texts, labels)
    losses = [_loss_gradients(networks, reading, target) for reading, target in zip(readings, targets, strict=True)]
    carried: list[list[NDArray[np.float64]]] = []
    for reading in readings:
        carried.append([])
        for _, _, direction, cell, inputs in every_direction(networks, reading):
            through = carried_back(StepJacobians(cell, inputs)) if len(inputs) else np.zeros(0)
            carried[-1].append(through[::-1] if direction == "right_to_left" else through)
    places = [
        (member, layer, direction)
        for member in range(len(networks.members))
        for layer in range(networks.header.model.layers)
        for direction in networks.directions
    ]
    return [
        Flow(*place, tuple(text[at] for text in losses), tuple(text[at] for text in carried))
        for at, place in enumerate(places)
    ]


def carried_back(steps: StepJacobians) -> NDArray[np.float64]:
    """|| d s_T / d s_t || / sqrt(state) for every step, in the order of reading. [steps]"""
    size = steps.by_state.shape[1]
    through, found = np.eye(size), np.zeros(len(steps.by_state))
    for t in range(len(found) - 1, -1, -1):
        found[t] = np.linalg.norm(through) / np.sqrt(size)
        through = through @ steps.by_state[t]
    return found


def _loss_gradients(networks: Networks, reading: Reading, target: Any) -> list[NDArray[np.float64]]:
    """|dL/ds_t| for every member, layer and direction, in the order of the text. [steps] each"""
    kept: list[list[Any]] = []
    logits = torch.zeros(1, networks.outputs, dtype=networks.precision)
    for member in networks.members:
        below = embedded(member, reading)[:, None].requires_grad_(True)
        finals: list[Tensor] = []
        for layer in member.stack:
            outputs = []
            finals = []
            for direction, cell in zip(networks.directions, layer.directions, strict=True):
                backwards = direction == "right_to_left"
                state, states = cell.initial_state(1), []
                for x in below.flip(0) if backwards else below:
                    state = cell.step(x, state)
                    states.append(state)
                nothing = below.new_zeros(0, 1, cell.hidden_size)
                hidden = torch.stack([one.hidden for one in states]) if states else nothing
                outputs.append(hidden.flip(0) if backwards else hidden)
                finals.append(state.hidden)
                kept.append(states[::-1] if backwards else states)
            below = torch.cat(outputs, dim=-1)
        lengths = torch.tensor([len(below)])
        logits = logits + member.head(POOLINGS[member.config.pooling](below, torch.cat(finals, dim=-1), lengths))
    if not reading.steps:
        return [np.zeros(0) for _ in kept]
    flat = [part for states in kept for state in states for part in state]
    gradients = iter(torch.autograd.grad(loss_of_text(networks, logits, reading, target), flat, materialize_grads=True))
    return [
        np.array([float(torch.cat([next(gradients) for _ in state]).norm()) for state in states]) for states in kept
    ]
