"""What single units of the last layer answer to: the words, in their context, at which each is largest and smallest."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textrnn.inspection.networks import Networks, of
from textrnn.inspection.tracing import trace
from textrnn.runtime import Classifier


@dataclass(frozen=True, order=True)
class Moment:
    """A unit at one token of one text."""

    value: float
    """Of the unit's state after that token, in its direction of reading."""
    text: int
    """Which of the texts."""
    token: int
    """Which of its tokens, of those that the networks read."""
    context: str
    """The token in square brackets, with its neighbours."""


@dataclass(frozen=True)
class Unit:
    """One unit of the last layer of a network."""

    member: int
    direction: str
    unit: int
    weight: NDArray[np.float64]
    """Of the unit in the head. [outputs]"""
    largest: tuple[Moment, ...]
    smallest: tuple[Moment, ...]


def units(
    model: Classifier | Networks, texts: Sequence[str], *, count: int = 5, around: int = 3, most: int | None = None
) -> list[Unit]:
    """Every unit of the last layer with its strongest words, the one with the largest spread of weights first.

    Args:
        model: a classifier.
        texts: in which words are looked for.
        count: moments on each side; a text gives each side of a unit one at most, its strongest.
        around: tokens on each side of a word that are shown as its context.
        most: how many units; None: all of them.
    """
    networks = of(model)
    size = networks.header.model.hidden_size
    high: dict[tuple[int, int], list[Moment]] = {}
    low: dict[tuple[int, int], list[Moment]] = {}
    for number, text in enumerate(texts):
        traced = trace(networks, text)
        words = [token.text for token in traced.tokens]
        if not words:
            continue
        for at, member in enumerate(traced.members):
            states = member.top[: len(words)]
            for heap, places, sign in ((high, states.argmax(axis=0), 1), (low, states.argmin(axis=0), -1)):
                for unit, place in enumerate(places.tolist()):
                    kept = heap.setdefault((at, unit), [])
                    value = float(states[place, unit])
                    moment = Moment(sign * value, -number, place, _context(words, place, around))
                    heapq.heappush(kept, moment)
                    if len(kept) > count:
                        heapq.heappop(kept)
    found = []
    for at, network in enumerate(networks.members):
        weight = network.head.weight.numpy().astype(np.float64)  # [outputs, directions * hidden]
        for unit in range(weight.shape[1]):
            found.append(
                Unit(
                    at,
                    networks.directions[unit // size],
                    unit % size,
                    weight[:, unit],
                    _in_order(high.get((at, unit), []), 1),
                    _in_order(low.get((at, unit), []), -1),
                )
            )
    found.sort(key=lambda one: -float(np.ptp(one.weight) or abs(one.weight[0])))
    return found[:most]


def _in_order(heap: list[Moment], sign: int) -> tuple[Moment, ...]:
    return tuple(
        Moment(sign * moment.value, -moment.text, moment.token, moment.context) for moment in sorted(heap, reverse=True)
    )


def _context(words: list[str], place: int, around: int) -> str:
    before, after = words[max(0, place - around) : place], words[place + 1 : place + 1 + around]
    start = "… " if place > around else ""
    end = " …" if place + 1 + around < len(words) else ""
    return f"{start}{' '.join([*before, f'[{words[place]}]', *after])}{end}"
