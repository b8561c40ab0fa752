"""Planted defects of the recurrent cells, and torch.nn's own numbers for the same weights."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import textrnn
from builders import header, random_texts, random_weights
from oracles import torch_twin
from textrnn.cells import CELLS
from textrnn.doctor.activity import HIGH, LOW, Place, activity
from textrnn.doctor.units import dead_units, saturated_gates, spectral_radius
from textrnn.inspection import Networks

TEXTS = [*random_texts(60, seed=3), "", "good"]


def made(scale: float = 0.6, **model: Any) -> textrnn.Classifier:
    head = header(**model)
    return textrnn.Classifier(head, random_weights(head, seed=4, scale=scale))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["elman", "elman_relu", "gru", "lstm"])
def test_states_are_those_of_torch(cell: str, bidirectional: bool) -> None:
    """The range of every unit, by torch.nn's layers over a packed batch of the same ragged texts."""
    classifier = made(scale=0.3, cell=cell, bidirectional=bidirectional, layers=2, members=2)
    networks = Networks(classifier)
    found = activity(networks, TEXTS)
    assert len(found) == 2 * 2 * (2 if bidirectional else 1)
    rows = [torch.from_numpy(classifier.encoder.encode(text)).long() for text in TEXTS]
    rows = [row for row in rows if len(row)]
    lengths = torch.tensor([len(row) for row in rows])
    for number, member in enumerate(networks.members, 1):
        inputs = member.embedding(nn.utils.rnn.pad_sequence(rows))  # [time, batch, features]
        for depth, layer in enumerate(member.stack, 1):
            outputs = []
            for name, one in zip(("left_to_right", "right_to_left"), layer.directions, strict=False):
                steps = inputs if name == "left_to_right" else turned(inputs, lengths)
                packed = pack_padded_sequence(steps, lengths, enforce_sorted=False)
                states = pad_packed_sequence(torch_twin(cell, one)(packed)[0])[0].detach()
                real = (torch.arange(len(states))[:, None] < lengths).numpy()
                flat = states.numpy()[real]
                seen = found[Place(number, depth, name)]
                assert seen.steps == int(lengths.sum()) == len(flat)
                np.testing.assert_allclose(seen.ranges, np.ptp(flat, axis=0), atol=1e-5)
                near = np.abs(np.abs(flat) - HIGH).min(axis=0) > 1e-4  # where rounding cannot decide
                np.testing.assert_array_equal(seen.loud[near], (np.abs(flat) > HIGH).sum(axis=0)[near])
                outputs.append(states if name == "left_to_right" else turned(states, lengths))
            inputs = torch.cat(outputs, dim=-1)


def turned(steps: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Each row's real steps from the last to the first, by a loop."""
    found = steps.clone()
    for row, length in enumerate(lengths.tolist()):
        found[:length, row] = steps[:length, row].flip(0)
    return found


@pytest.mark.parametrize("padding", ["masked", "through"])
def test_gates_are_counted_step_by_step(padding: str) -> None:
    """By NumPy, one text and one step at a time."""
    classifier = made(cell="gru", padding=padding, scale=2.0)
    networks = Networks(classifier)
    (seen,) = activity(networks, TEXTS).values()
    weights = {name: value.astype(np.float64) for name, value in classifier.weights.items()}
    prefix = "layers.0.left_to_right."
    from_input, from_hidden = weights[prefix + "from_input.weight"], weights[prefix + "from_hidden.weight"]
    bias, second = weights[prefix + "from_input.bias"], weights[prefix + "from_hidden.bias"]
    high, low, steps = np.zeros((2, 7)), np.zeros((2, 7)), 0
    for text in TEXTS:
        ids = classifier.encoder.encode(text)
        if padding == "through":
            ids = np.pad(ids, (0, 12 - len(ids)))
        state = np.zeros(7)
        for index in ids:
            x, h = from_input @ weights["embedding.weight"][index] + bias, from_hidden @ state + second
            reset, update = (1 / (1 + np.exp(-(x + h)[at : at + 7])) for at in (0, 7))
            candidate = np.tanh(x[14:] + reset * h[14:])
            state = (1 - update) * candidate + update * state
            high += np.array([reset > HIGH, update > HIGH])
            low += np.array([reset < LOW, update < LOW])
            steps += 1
    assert seen.steps == steps
    for at, gate in enumerate(("reset", "update")):
        np.testing.assert_allclose(seen.high[gate], high[at], atol=1)  # rounding may decide one step
        np.testing.assert_allclose(seen.low[gate], low[at], atol=1)
    findings = {finding.numbers["gate"]: finding.numbers for finding in saturated_gates({Place(1, 1, "x"): seen})}
    assert findings["reset"]["above"] == pytest.approx(high[0].sum() / (7 * steps), abs=2 / (7 * steps))


def with_bias(classifier: textrnn.Classifier, gate: str, units: list[int], value: float) -> textrnn.Classifier:
    """Another bias for some units' gate."""
    cell, hidden = classifier.header.model.cell, classifier.header.model.hidden_size
    row = CELLS[cell].GATES.index(gate) * hidden
    weights = {name: array.copy() for name, array in classifier.weights.items()}
    weights["layers.0.left_to_right.from_input.bias"][[row + unit for unit in units]] = value
    return textrnn.Classifier(classifier.header, weights)


@pytest.mark.parametrize(
    ("cell", "gate", "value"), [("gru", "update", 60.0), ("lstm", "output", -60.0), ("elman_relu", "candidate", -60.0)]
)
def test_planted_dead_units_are_found(cell: str, gate: str, value: float) -> None:
    whole = made(cell=cell, scale=0.3)
    (before,) = dead_units(activity(Networks(whole), TEXTS))
    assert before.numbers["dead"] == 0 and before.severity == "fine"
    (finding,) = dead_units(activity(Networks(with_bias(whole, gate, [2, 5], value)), TEXTS))
    assert finding.numbers["where"] == {"network 1, layer 1, left to right": [2, 5]}
    assert finding.severity == "warning" and finding.numbers["share"] == 2 / 7 and "hidden_size" in finding.advice


@pytest.mark.parametrize(("value", "side"), [(30.0, "above"), (-30.0, "below")])
@pytest.mark.parametrize(("cell", "gate"), [("lstm", "forget"), ("gru", "reset"), ("mingru", "update")])
def test_planted_saturated_gates_are_found(cell: str, gate: str, value: float, side: str) -> None:
    planted = with_bias(made(cell=cell), gate, list(range(5)), value)
    findings = {one.numbers["gate"]: one for one in saturated_gates(activity(Networks(planted), TEXTS))}
    finding = findings.pop(gate)
    assert finding.severity == "warning" and finding.numbers[side] >= 5 / 7 and "learning_rate" in finding.advice
    assert set(range(5)) <= set(finding.numbers["where"]["network 1, layer 1, left to right"])
    assert all(one.numbers["stuck"] == 0 for one in findings.values())


def test_saturated_states_of_the_vanilla_network() -> None:
    quiet, loud = made(cell="elman", scale=0.1), made(cell="elman", scale=30.0)
    ((fine,), (warned,)) = (list(saturated_gates(activity(Networks(one), TEXTS))) for one in (quiet, loud))
    assert fine.severity == "fine" and fine.numbers["beyond"] == 0
    assert warned.severity == "warning" and warned.numbers["beyond"] > 0.5


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_spectral_radius_is_that_of_the_characteristic_polynomial(cell: str) -> None:
    classifier = made(cell=cell, bidirectional=True)
    (finding,) = spectral_radius(Networks(classifier))
    for direction in ("left_to_right", "right_to_left"):
        weight = classifier.weights[f"layers.0.{direction}.from_hidden.weight"].astype(np.float64)
        for at, gate in enumerate(CELLS[cell].GATES):
            roots = np.roots(np.poly(weight[7 * at : 7 * at + 7]))
            found = finding.numbers["radii"][f"network 1, layer 1, {direction.replace('_', ' ')}"][gate]
            assert found == pytest.approx(np.abs(roots).max(), rel=1e-6)


@pytest.mark.parametrize(("radius", "severity"), [(0.3, "warning"), (0.8, "fine"), (1.5, "warning")])
def test_rotations_have_a_known_radius(radius: float, severity: str) -> None:
    classifier = made(cell="elman_relu")
    weights = {name: array.copy() for name, array in classifier.weights.items()}
    rotation, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((7, 7)))
    weights["layers.0.left_to_right.from_hidden.weight"] = (radius * rotation).astype(np.float32)
    (finding,) = spectral_radius(Networks(textrnn.Classifier(classifier.header, weights)))
    assert finding.severity == severity
    assert finding.numbers["radii"]["network 1, layer 1, left to right"]["candidate"] == pytest.approx(radius, rel=1e-5)


def test_a_cell_without_recurrent_weight_has_no_radius() -> None:
    (finding,) = spectral_radius(Networks(made(cell="minlstm")))
    assert finding.severity == "fine" and "no recurrent weight" in finding.message


def test_texts_without_a_step() -> None:
    (finding,) = dead_units(activity(Networks(made()), ["", ""]))
    assert finding.severity == "note"
