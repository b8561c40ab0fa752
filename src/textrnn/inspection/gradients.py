"""Attributions by derivatives of the scores by the embeddings: integrated gradients, and gradient times input.

The baseline is the embedding of `<PAD>` at every step: all zeros in what training makes. It is what the networks know
as the absence of a word: word dropout puts it in the place of words, and `padding="through"` reads it behind each text.

    gradient x input        (x_t - b) . d logit_k / d x_t
    integrated gradients    (x_t - b) . integral over a from 0 to 1 of d logit_k / d x_t at b + a (x - b)

(Sundararajan, Taly and Yan 2017, arXiv:1703.01365.) The integral of the gradient along the path is the difference of
the scores at its ends, over each part of the path as well as over all of it. So each of 64 equal parts tells how wrong
the midpoint rule is there, and the parts that are most wrong are halved until the sum of what is missed is small: a
maximum over time has kinks, at which the gradient jumps, and rules for smooth functions do not get better there.

The n-gram part is linear in its n-grams, so that its exact split is added.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from textrnn.inspection.attribution import Attribution, Rows, Scores
from textrnn.inspection.networks import Networks, embedded, in_double, logits_of_inputs
from textrnn.inspection.reading import Reading
from textrnn.model import TextClassifier
from textrnn.runtime import Classifier

STEPS = 64
TOLERANCE = 0.005
"""Of the sum of what is missed in all parts of the path, as a share of the difference of the scores at its ends."""
MOST_STEPS = 4096
BATCH = 64
"""Points of a path that are computed together."""


def integrated_gradients(
    model: Classifier | Networks, text: str | Reading, *, steps: int = STEPS, tolerance: float = TOLERANCE
) -> Attribution:
    """Words by the integral of the gradient on the way from a text of `<PAD>` to this one.

    Args:
        model: a classifier.
        text: as a string.
        steps: parts of the path to begin with.
        tolerance: parts are halved until what is missed is less than this share of what is explained, or there are
            4096 parts. `Attribution.error` tells what is left.
    """
    networks = in_double(model)
    rows = Rows(networks, networks.read(text))
    rows.add_ngrams()
    paths = []
    for member in networks.members:
        inputs = embedded(member, rows.reading)
        baseline = _baseline(member, inputs)
        paths.append((member, baseline, inputs))
        rows.bias += _logits(member, baseline[:, None])[0]
    explained = float(np.abs(networks.logits(rows.reading) - rows.bias).max())
    for path in paths:
        rows.add_steps(_along_path(*path, parts=steps, allowed=tolerance * explained / len(paths)))
    return rows.attribution("integrated_gradients", exact=False)


def gradient_input(model: Classifier | Networks, text: str | Reading) -> Attribution:
    """Words by the gradient at the text itself, times what they are more than `<PAD>`.

    It is the first order of a Taylor series, and so not complete: the error tells how much it misses.
    """
    networks = in_double(model)
    rows = Rows(networks, networks.read(text))
    rows.add_ngrams()
    for member in networks.members:
        inputs = embedded(member, rows.reading)
        baseline = _baseline(member, inputs)
        gradient = input_gradients(member, inputs[:, None])[:, :, 0]  # [outputs, steps, features]
        rows.add_steps(((inputs - baseline) * gradient).sum(dim=-1).t().numpy())
        rows.bias += _logits(member, baseline[:, None])[0]
    return rows.attribution("gradient_input", exact=False)


def input_gradients(
    member: TextClassifier, inputs: Float[Tensor, "steps batch features"]
) -> Float[Tensor, "outputs steps batch features"]:
    """The derivative of every score of every row by all of its inputs."""
    leaf = inputs.detach().requires_grad_(True)
    logits = logits_of_inputs(member, leaf)
    if not leaf.numel():
        return torch.zeros(logits.shape[1], *leaf.shape, dtype=leaf.dtype)
    found = [torch.autograd.grad(logits[:, k].sum(), leaf, retain_graph=True)[0] for k in range(logits.shape[1])]
    return torch.stack(found)


def _baseline(member: TextClassifier, inputs: Float[Tensor, "steps features"]) -> Float[Tensor, "steps features"]:
    return member.embedding.weight[:1].expand(len(inputs), -1)


def _logits(member: TextClassifier, inputs: Float[Tensor, "steps batch features"]) -> Scores:
    with torch.no_grad():
        found: Scores = logits_of_inputs(member, inputs).numpy()
    return found


def _along_path(
    member: TextClassifier,
    baseline: Float[Tensor, "steps features"],
    inputs: Float[Tensor, "steps features"],
    *,
    parts: int,
    allowed: float,
) -> Scores:
    """What each step has of the difference of the scores. [steps, outputs]

    parts: of the path, to begin with; they are halved until together they miss no more than is `allowed`.
    """
    way = inputs - baseline

    def at(places: Scores) -> Float[Tensor, "steps points features"]:
        return baseline[:, None] + torch.from_numpy(places)[:, None] * way[:, None]

    def values(places: Scores) -> Scores:
        return np.concatenate([_logits(member, at(some)) for some in _chunks(places)])

    def rules(begins: Scores, ends: Scores) -> Scores:
        """By the midpoint rule, for each part of the path. [parts, steps, outputs]"""
        middles, widths = (begins + ends) / 2, ends - begins
        found = [
            torch.einsum("ktpf,tf->ptk", input_gradients(member, at(some)), way).numpy() for some in _chunks(middles)
        ]
        return np.concatenate(found) * widths[:, None, None]

    places = np.linspace(0, 1, parts + 1)
    scores = values(places)
    begins, ends, low, high = places[:-1], places[1:], scores[:-1], scores[1:]
    found = rules(begins, ends)
    while True:
        missed = np.abs(high - low - found.sum(axis=1)).max(axis=1)  # [parts]
        if missed.sum() <= allowed or len(begins) >= MOST_STEPS:
            summed: Scores = found.sum(axis=0)
            return summed
        order = np.argsort(-missed, kind="stable")
        left = missed.sum() - np.cumsum(missed[order])  # if that many of the worst parts missed nothing
        count = min(int((left > allowed / 2).sum()) + 1, BATCH, len(order))
        worst, rest = order[:count], order[count:]
        middles = (begins[worst] + ends[worst]) / 2
        between = values(middles)
        halves = [rules(begins[worst], middles), rules(middles, ends[worst])]
        begins = np.concatenate([begins[rest], begins[worst], middles])
        ends = np.concatenate([ends[rest], middles, ends[worst]])
        low = np.concatenate([low[rest], low[worst], between])
        high = np.concatenate([high[rest], between, high[worst]])
        found = np.concatenate([found[rest], *halves])


def _chunks(places: Scores) -> list[Scores]:
    return [places[start : start + BATCH] for start in range(0, len(places), BATCH)]
