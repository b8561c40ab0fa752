"""Texts cut into segments, which batches are made of.

States are not carried from one segment to the next. A classifier, too, starts every text with a state of zeros; the
direction right to left would have to be fed from the end of a text; and segments that stand by themselves can be
shuffled, so that no batch holds one text only.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from textrnn.data import EncodedTexts


def cut(texts: EncodedTexts, longest: int) -> EncodedTexts:
    """Every text in pieces of nearly equal length, each of at most `longest` tokens and at least two.

    A text of fewer than two tokens has nothing to predict and is left out.
    """
    starts, sizes = [], []
    for start, length in zip(texts.offsets[:-1].tolist(), texts.lengths.tolist(), strict=True):
        if length < 2:
            continue
        pieces = -(-length // longest)
        edges = [start + length * piece // pieces for piece in range(pieces + 1)]
        starts += edges[:-1]
        sizes += [end - begin for begin, end in pairwise(edges)]
    lengths = np.array(sizes, dtype=np.int64)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    ids = np.concatenate(
        [np.empty(0, np.int32), *(texts.ids[begin : begin + size] for begin, size in zip(starts, sizes, strict=True))]
    )
    return EncodedTexts(ids, offsets)


def batches(segments: EncodedTexts, tokens: int, rng: np.random.Generator | None) -> list[NDArray[np.int64]]:
    """Batches of about `tokens` tokens each, of segments of similar length; every segment once. Each is [batch].

    rng: decides the order and which segments meet; None: from the longest to the shortest, always the same.
    """
    if rng is None:
        order = np.argsort(-segments.lengths, kind="stable")
        return _by_tokens(order, segments.lengths, tokens)
    shuffled = rng.permutation(len(segments))
    # Sorted within pools of 32 batches, as `textrnn.data.bucketed` does it, here with pools by tokens.
    found = []
    for pool in _by_tokens(shuffled, segments.lengths, 32 * tokens):
        order = pool[np.argsort(-segments.lengths[pool], kind="stable")]
        found += _by_tokens(order, segments.lengths, tokens)
    return [found[position] for position in rng.permutation(len(found))]


def _by_tokens(order: NDArray[np.int64], lengths: NDArray[np.int64], tokens: int) -> list[NDArray[np.int64]]:
    if not len(order):
        return []
    group = (np.cumsum(lengths[order]) - 1) // tokens
    return np.split(order, np.flatnonzero(np.diff(group)) + 1)


@dataclass(frozen=True)
class Targets:
    """What the states of one direction must predict."""

    positions: NDArray[np.int64]
    """Of the plan, those after which a token follows. [predicted]"""
    ids: NDArray[np.int64]
    """The tokens that follow. [predicted]"""


def targets_of(
    padded: NDArray[np.int64], rows: NDArray[np.int64], steps: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[Targets, Targets]:
    """The next tokens for left to right, the previous ones for right to left.

    Args:
        padded: the ids. [batch, time]
        rows, steps: where each position lies. [positions]
        lengths: real steps a row. [batch]
    """
    forward = np.flatnonzero(steps + 1 < lengths[rows])
    backward = np.flatnonzero(steps > 0)
    return (
        Targets(forward, padded[rows[forward], steps[forward] + 1]),
        Targets(backward, padded[rows[backward], steps[backward] - 1]),
    )
