"""The exact split of linear recurrences (minGRU, minLSTM) into what each word has added.

Their state is a sum over all words so far,

    h_t = sum over s <= t of kept_t kept_{t-1} … kept_{s+1} added_s,        added_s = gate_s (W_c x_s + b_c)

so each word's part of every state is known, and with the pooling its part of the scores. Kept and gate read only the
word at their own step; they are taken at the values that they have, as are the steps at which a maximum is reached. So
this says what becomes of what a word has added, and not what would happen without it.

In layers above the first, x_s is made of the states below: W_c x_s goes to the words that these states come from, and
gate_s b_c to the word at step s. With all gates held the scores are linear in everything that was added in the first
layer and in these biases, so that the parts are derivatives times values: one pass backwards for each output.
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import linear

from textrnn.cells import Cell, LinearCell, linear_recurrence
from textrnn.errors import ConfigError
from textrnn.inspection.attribution import Attribution, Rows, Scores
from textrnn.inspection.networks import Networks, embedded, in_double
from textrnn.inspection.reading import Reading
from textrnn.model import TextClassifier
from textrnn.runtime import Classifier

ADDING = {"mingru": "update", "minlstm": "input"}
"""The gate that the candidate is multiplied by."""


def recurrence(model: Classifier | Networks, text: str | Reading) -> Attribution:
    """Words by what they have added to the states that the text is judged by.

    Raises:
        ConfigError: the cell is not linear, so that there is no such split.
    """
    networks = in_double(model)
    cell = networks.header.model.cell
    if cell not in ADDING:
        raise ConfigError(f"recurrence: expected a model of the cells {' or '.join(ADDING)}, got one of {cell!r}")
    rows = Rows(networks, networks.read(text))
    for member in networks.members:
        rows.add_steps(_split(member, embedded(member, rows.reading)))
        rows.bias += member.head.bias.numpy()
    rows.add_ngrams()
    return rows.attribution("recurrence", exact=True)


def _split(member: TextClassifier, inputs: Float[Tensor, "steps features"]) -> Scores:
    """What each step has added to the scores. [steps, outputs]"""
    classes = len(member.head.bias)
    if not len(inputs):
        return np.zeros((0, classes))
    brought: list[Tensor] = []  # in the order of the text, [steps, hidden] each
    values = inputs
    for depth, layer in enumerate(member.stack):
        outputs, held = [], values.detach()
        for at, cell in enumerate(layer.directions):
            kept, added, own = _held(cell, values, held, first=depth == 0)
            brought.append(own)
            outputs.append(_states(kept, added, backwards=at == 1))
        values = torch.cat(outputs, dim=-1)
    logits = linear(_pooled(member, values), member.head.weight)
    parts = []
    for k in range(classes):
        derivatives = torch.autograd.grad(logits[k], brought, retain_graph=True)
        each = [(slope * own.detach()).sum(dim=1) for slope, own in zip(derivatives, brought, strict=True)]
        parts.append(torch.stack(each).sum(dim=0).numpy())
    return np.stack(parts, axis=1)


def _held(
    cell: Cell[Any, Any], values: Tensor, held: Tensor, *, first: bool
) -> tuple[Float[Tensor, "steps hidden"], Float[Tensor, "steps hidden"], Float[Tensor, "steps hidden"]]:
    """Kept, added, and what each step brings itself of that, a leaf; all gates are constants."""
    assert isinstance(cell, LinearCell)
    kept, added = cell.kept_and_added(held)
    if first:
        own = added.detach().requires_grad_(True)
        return kept, own, own
    gates = cell.gates(held, cell.initial_state(len(held)))._asdict()
    gate = next(gates[name] for name in ADDING.values() if name in gates)
    rows = slice(cell.GATES.index("candidate") * cell.hidden_size, None)
    own = (gate * cell.from_input.bias[rows]).requires_grad_(True)
    return kept, gate * linear(values, cell.from_input.weight[rows]) + own, own


def _states(kept: Tensor, added: Tensor, *, backwards: bool) -> Float[Tensor, "steps hidden"]:
    if backwards:
        kept, added = kept.flip(0), added.flip(0)
    states = linear_recurrence(kept[:, None], added[:, None], torch.zeros_like(added[:1]))[:, 0]
    return states.flip(0) if backwards else states


def _pooled(member: TextClassifier, states: Float[Tensor, "steps outputs"]) -> Float[Tensor, " outputs"]:
    """With the steps at which a maximum is first reached held."""
    if member.config.pooling == "mean":
        return states.mean(dim=0)
    if member.config.pooling == "max":
        first = torch.from_numpy(states.detach().numpy().argmax(axis=0))
        return states.gather(0, first[None])[0]
    size = member.config.hidden_size
    return torch.cat([states[-1, :size], states[0, size:]])
