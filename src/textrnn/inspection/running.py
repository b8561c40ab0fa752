"""The answer to the beginnings of a text, and from the beginnings of its states."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from textrnn.inspection.networks import Networks
from textrnn.inspection.reading import Reading

if TYPE_CHECKING:
    from textrnn.inspection.tracing import MemberTrace

PREFIXES = 64
"""Beginnings that are read together."""


def predicted_place(networks: Networks, logits: NDArray[np.floating]) -> int:
    """The place of the predicted label; of several the most probable one; 0 for a number. `logits`: [outputs]"""
    answers = networks.answers(logits[None])
    if not networks.header.task.one_label:
        return int(answers[0].argmax())
    return int(networks.header.task.decided(answers)[0])


def of_prefixes(networks: Networks, reading: Reading, members: Sequence["MemberTrace"]) -> NDArray[np.float64]:
    """The answer to the first t tokens as a text of their own, t = 0 … time. [time + 1, labels]"""
    model = networks.header.model
    if model.bidirectional or model.padding == "through":
        logits = _read_anew(networks, reading)
    else:  # the states of a beginning are the beginning of the states
        logits = _pooled_logits(networks, members, reading.steps)
    tokens = [token.text for token in reading.tokens]
    return networks.answers(logits + _ngrams_of_prefixes(networks, tokens))


def pooled_so_far(networks: Networks, reading: Reading, members: Sequence["MemberTrace"]) -> NDArray[np.float64]:
    """The answer from the states of the whole text, pooled over the first t steps. [steps, labels]

    The n-grams are those of the text up to the token at t, at the last token and in the padding those of all the text.
    """
    logits = _pooled_logits(networks, members, reading.steps)[1:]
    tokens = [token.text for token in reading.all_tokens]
    read = np.append(reading.places[:-1] + 1, [len(tokens)] * (reading.steps - max(reading.time - 1, 0)))
    return networks.answers(logits + _ngrams_of_prefixes(networks, tokens)[read[: reading.steps].astype(np.int64)])


def _pooled_logits(networks: Networks, members: Sequence["MemberTrace"], steps: int) -> NDArray[np.float64]:
    """The networks' scores from the first t states, t = 0 … steps. [steps + 1, outputs]"""
    logits = np.zeros((steps + 1, networks.outputs))
    for network, member in zip(networks.members, members, strict=True):
        pooled = POOLED_SO_FAR[networks.header.model.pooling](member)
        weight, bias = network.head.weight.numpy().astype(np.float64), network.head.bias.numpy().astype(np.float64)
        logits += np.concatenate([np.zeros((1, pooled.shape[1])), pooled]) @ weight.T + bias
    return logits


def _last(member: "MemberTrace") -> NDArray[np.float64]:
    """The state at t, beside that of the other direction after all of the text."""
    sides = [member.layers[-1][0].states]
    if len(member.layers[-1]) > 1:
        other = member.layers[-1][1].states
        sides.append(np.repeat(other[:1], len(other), axis=0))
    return np.concatenate(sides, axis=1).astype(np.float64)


def _mean(member: "MemberTrace") -> NDArray[np.float64]:
    states = member.top.astype(np.float64)
    means: NDArray[np.float64] = states.cumsum(axis=0) / np.arange(1, len(states) + 1)[:, None]
    return means


def _max(member: "MemberTrace") -> NDArray[np.float64]:
    return np.maximum.accumulate(member.top, axis=0).astype(np.float64)


POOLED_SO_FAR = {"last": _last, "mean": _mean, "max": _max}
"""Of the first t states, t = 1 … steps, by pooling. [steps, directions * hidden]"""


def _read_anew(networks: Networks, reading: Reading) -> NDArray[np.float64]:
    """The networks' scores of each beginning of the text, read on its own. [time + 1, outputs]"""
    ids = torch.from_numpy(reading.ids[: reading.time]).long()
    through = networks.header.model.padding == "through"
    parts = []
    for start in range(0, reading.time + 1, PREFIXES):
        lengths = torch.arange(start, min(start + PREFIXES, reading.time + 1))
        steps = reading.steps if through else int(lengths[-1])
        rows = torch.zeros(len(lengths), steps, dtype=torch.int64)
        for row, length in enumerate(lengths.tolist()):
            rows[row, :length] = ids[:length]
        parts.append(networks.member_logits(rows, lengths).astype(np.float64))
    return np.concatenate(parts)


def _ngrams_of_prefixes(networks: Networks, tokens: Sequence[str]) -> NDArray[np.float64]:
    """The n-gram part's scores of the first t tokens, t = 0 … tokens. [tokens + 1, outputs], or one row of zeros"""
    if networks.ngrams is None:
        return np.zeros((len(tokens) + 1, networks.outputs))
    stream = networks.ngrams.stream()
    scores = [stream.scores()]
    for token in tokens:
        stream.push([token])
        scores.append(stream.scores())
    return np.stack(scores).astype(np.float64)
