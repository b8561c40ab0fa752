"""How long a network remembers a word: what is left, some tokens later, of a word's influence on the state.

For one direction of one layer, with s_t all that its cell carries (hidden, and an LSTM's memory) and x_s what it reads
at step s, in its order of reading,

    influence_s(k) = || d s_{s+k} / d x_s ||   (Frobenius),       half-life = the least k at which it is at most half of
                                                                  influence_s(0)

It is the derivative itself and not the answer to a push of some size: so it needs no choice of a direction or of a
size, and it is exact. The derivative is a product of one step's derivatives,

    d s_t / d x_s = A_t A_{t-1} … A_{s+1} B_s,          A_t = d s_t / d s_{t-1},        B_s = d s_s / d x_s

each of which is computed with the readable cell at the states of this very text. Influence may grow before it falls,
and where it has not halved when the text ends, the half-life is infinite: longer than what could be seen.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from textrnn.cells import Cell
from textrnn.inspection.networks import Networks, embedded, in_double
from textrnn.inspection.reading import Reading
from textrnn.runtime import Classifier


@dataclass(frozen=True)
class Memory:
    """One direction of one layer of one network on one text; all arrays stand in the order of the text."""

    member: int
    layer: int
    direction: str
    influence: NDArray[np.float64]
    """Row s, column k: the influence of step s after k more steps in the order of reading, as a share of that at once;
    nan where the text is over, or the word had none. [steps, steps]"""
    half_lives: NDArray[np.float64]
    """Of each word, in tokens; inf: not within the text. [steps]"""

    @property
    def half_life(self) -> float:
        """The median over the words."""
        return float(np.median(self.half_lives)) if len(self.half_lives) else float("nan")


class StepJacobians:
    """The derivatives of every step of one direction by the state before it and by what it reads."""

    def __init__(self, cell: Cell[Any, Any], inputs: Float[Tensor, "steps features"]) -> None:
        """`inputs`: in the order of reading."""
        before, state = [], cell.initial_state(1)
        with torch.no_grad():
            for x in inputs[:, None]:
                before.append(state)
                state = cell.step(x, state)
        kind: Any = type(state)
        size = cell.hidden_size
        leaf = inputs.detach().requires_grad_(True)
        parts = [torch.cat(part).detach().requires_grad_(True) for part in zip(*before, strict=True)]
        after = torch.cat(list(cell.step(leaf, kind(*parts))), dim=1)  # [steps, parts * hidden]
        wide = after.shape[1]
        self.by_state = np.zeros((len(inputs), wide, len(parts) * size))
        """A_t: [steps, state, state]"""
        self.by_input = np.zeros((len(inputs), wide, inputs.shape[1]))
        """B_t: [steps, state, features]"""
        for row in range(wide):  # every step at once: no step's state depends on another's here
            found = torch.autograd.grad(after[:, row].sum(), [leaf, *parts], retain_graph=True, materialize_grads=True)
            self.by_input[:, row] = found[0].numpy()
            self.by_state[:, row] = torch.cat(found[1:], dim=1).numpy()


def memory(model: Classifier | Networks, text: str | Reading, *, curves: bool = True) -> list[Memory]:
    """How long each word of a text is remembered, by every direction of every layer of every network.

    Args:
        model: a classifier.
        text: as a string.
        curves: follow every word's influence to the end of the text, which takes time in proportion to the square of
            the steps; without, until it has halved, `influence` being nan from there on.

    Raises:
        TypeError: the text is not a string.
    """
    networks = in_double(model)
    found = []
    for place, layer, direction, cell, inputs in every_direction(networks, networks.read(text)):
        if not len(inputs):
            found.append(Memory(place, layer, direction, np.zeros((0, 0)), np.zeros(0)))
            continue
        influence = influences(StepJacobians(cell, inputs), curves=curves)
        lives = half_lives(influence)
        if direction == "right_to_left":
            influence, lives = influence[::-1], lives[::-1]
        found.append(Memory(place, layer, direction, influence, lives))
    return found


def every_direction(
    networks: Networks, reading: Reading
) -> "list[tuple[int, int, str, Cell[Any, Any], Float[Tensor, 'steps features']]]":
    """Member, layer, direction, cell and what that reads of a text, in its order of reading."""
    found = []
    for place, member in enumerate(networks.members):
        below = embedded(member, reading)
        for depth, layer in enumerate(member.stack):
            outputs = []
            for direction, cell in zip(networks.directions, layer.directions, strict=True):
                backwards = direction == "right_to_left"
                inputs = below.flip(0) if backwards else below
                found.append((place, depth, direction, cell, inputs))
                states, state = [below.new_zeros(0, cell.hidden_size)], cell.initial_state(1)
                with torch.no_grad():
                    for x in inputs[:, None]:
                        state = cell.step(x, state)
                        states.append(state.hidden)
                outputs.append(torch.cat(states).flip(0) if backwards else torch.cat(states))
            below = torch.cat(outputs, dim=-1)
    return found


def influences(steps: StepJacobians, *, curves: bool = True) -> NDArray[np.float64]:
    """Row s, column k: the norm of d s_{s+k} / d x_s as a share of that of d s_s / d x_s. [steps, steps]"""
    time = len(steps.by_input)
    shares = np.full((time, time), np.nan)
    # || A B || = || A L || where B B' = L L': as wide as the state at most, however wide the embedding is.
    factors = np.stack([np.linalg.qr(block.T).R.T for block in steps.by_input])
    first = np.linalg.norm(factors, axis=(1, 2))
    words, moving = np.zeros(0, dtype=np.int64), factors[:0]
    for t in range(time):
        words = np.append(words, t)
        moving = np.concatenate([steps.by_state[t] @ moving, factors[t : t + 1]])
        with np.errstate(invalid="ignore", divide="ignore"):
            left = np.linalg.norm(moving, axis=(1, 2)) / first[words]  # nan for a word without any influence
        shares[words, t - words] = left
        if not curves:
            words, moving = words[left > 0.5], moving[left > 0.5]
    return shares


def half_lives(influence: NDArray[np.float64]) -> NDArray[np.float64]:
    """The first column at which at most half is left, inf where there is none; 0 where there was none. [steps]"""
    with np.errstate(invalid="ignore"):
        low = influence <= 0.5
    found = np.where(low.any(axis=1), low.argmax(axis=1), np.inf)
    return np.where(np.isnan(influence[:, 0]), 0.0, found)
