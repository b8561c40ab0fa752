"""The exact split of a model's scores into one row for each token, by what each state adds to the pooled vector.

With the head's weight W, for every network, the states h_t of the last layer, directions side by side:

    mean    W h_t / T goes to token t
    max     each unit's largest value, times its column of W, goes to the step where it is first reached
    last    W (h_t - h_{t-1}) goes to token t, each direction in its order of reading

The n-gram part is linear; see `ngram_shares`. Networks and n-grams are added, as the model adds their scores. A state
holds more than its own word, so a share says at which word the model had what it decides by, not that this word alone
brought it there; `linear_split` goes further where the cell is linear.
"""

from collections.abc import Callable

import numpy as np

from textrnn.inspection.attribution import Attribution, Rows, Scores
from textrnn.inspection.networks import Networks, in_double
from textrnn.inspection.reading import Reading
from textrnn.inspection.tracing import MemberTrace, trace
from textrnn.runtime import Classifier


def shares(model: Classifier | Networks, text: str | Reading) -> Attribution:
    """Which token adds what to the scores: logits = bias + scores.sum(0), exactly, for every cell and pooling.

    Raises:
        TypeError: the text is not a string.
    """
    networks = in_double(model)
    traced = trace(networks, text)
    rows = Rows(networks, traced.reading)
    for network, member in zip(networks.members, traced.members, strict=True):
        rows.add_steps(ADDED[networks.header.model.pooling](member) @ network.head.weight.numpy().T)
        rows.bias += network.head.bias.numpy()
    rows.add_ngrams()
    return rows.attribution("shares", exact=True)


def _last(member: MemberTrace) -> Scores:
    parts = []
    for direction in member.layers[-1]:
        lead = np.zeros((1, direction.states.shape[1]))
        if direction.direction == "left_to_right":
            parts.append(np.diff(direction.states, axis=0, prepend=lead))
        else:
            parts.append(-np.diff(direction.states, axis=0, append=lead))
    return np.concatenate(parts, axis=1).astype(np.float64)


def _mean(member: MemberTrace) -> Scores:
    states = member.top.astype(np.float64)
    return states / max(1, len(states))


def _max(member: MemberTrace) -> Scores:
    states = member.top.astype(np.float64)
    added = np.zeros_like(states)
    if len(states):
        first, units = states.argmax(axis=0), np.arange(states.shape[1])
        added[first, units] = states[first, units]
    return added


ADDED: dict[str, Callable[[MemberTrace], Scores]] = {"last": _last, "mean": _mean, "max": _max}
"""By pooling."""
