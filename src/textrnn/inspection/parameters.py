"""The parameters as a whole: norms of weights and gradients, and eigenvalues of the recurrent weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from textrnn.cells import Cell
from textrnn.inspection.networks import Networks, in_double
from textrnn.inspection.targets import loss_of_text, targets_of
from textrnn.labels import AnyLabel
from textrnn.model import TextClassifier
from textrnn.runtime import Classifier


@dataclass(frozen=True)
class Norms:
    """Of one parameter, as a whole."""

    weight: float
    gradient: float
    """Of the mean loss over the texts."""


def parameter_norms(
    model: Classifier | Networks, texts: Sequence[str], labels: Sequence[AnyLabel] | None = None
) -> dict[str, Norms]:
    """Of every parameter of every network: the norms of its weight and of its gradient, by its name in the model file.

    The gradient is that of the mean loss of the whole model over the texts, without weights of classes or dropout.

    Raises:
        DataError: as `gradient_flow`.
    """
    networks = in_double(model)
    targets = targets_of(networks, texts, labels)
    # Parameters of their own, that may have gradients.
    members = []
    for member in networks.members:
        own = TextClassifier(
            networks.header.model, vocabulary_size=len(networks.header.vocabulary), classes=networks.outputs
        ).double()
        own.load_state_dict(member.state_dict())
        members.append(own)
    loss = torch.zeros((), dtype=torch.float64)
    for text, target in zip(texts, targets, strict=True):
        reading = networks.read(text)
        ids, lengths = torch.from_numpy(reading.ids)[None].long(), torch.tensor([reading.time])
        logits = torch.stack([member(ids, lengths) for member in members]).sum(dim=0)
        loss = loss + loss_of_text(networks, logits, reading, target) / len(texts)
    names = [
        f"members.{at}.{name}" if len(members) > 1 else name
        for at, member in enumerate(members)
        for name, _ in member.named_parameters()
    ]
    weights = [value for member in members for value in member.parameters()]
    gradients = torch.autograd.grad(loss, weights, materialize_grads=True)
    return {
        name: Norms(float(weight.detach().norm()), float(gradient.norm()))
        for name, weight, gradient in zip(names, weights, gradients, strict=True)
    }


def spectral_radii(model: Classifier | Networks) -> dict[str, dict[str, float]]:
    """The largest absolute eigenvalue of each gate's block of the recurrent weight, by the weight's name in the file.

    For an Elman cell below 1 gradients must vanish in the long run, above 1 they can explode. With gates they are
    scaled at every step, so that it is only one of the things that decide. Linear cells have no recurrent weight.
    """
    networks = in_double(model)
    found: dict[str, dict[str, float]] = {}
    for at, member in enumerate(networks.members):
        prefix = f"members.{at}." if len(networks.members) > 1 else ""
        for depth, layer in enumerate(member.stack):
            for direction, cell in zip(networks.directions, layer.directions, strict=True):
                if radii := radii_of_cell(cell):
                    found[f"{prefix}layers.{depth}.{direction}.from_hidden.weight"] = radii
    return found


def radii_of_cell(cell: Cell[Any, Any]) -> dict[str, float]:
    """The spectral radius of each gate's block, in 64 bits; nothing where there is no recurrent weight."""
    if cell.from_hidden is None:
        return {}
    blocks = cell.from_hidden.weight.detach().double().numpy().reshape(len(cell.GATES), cell.hidden_size, -1)
    return {gate: float(np.abs(np.linalg.eigvals(block)).max()) for gate, block in zip(cell.GATES, blocks, strict=True)}
