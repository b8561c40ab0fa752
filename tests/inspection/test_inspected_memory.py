"""Half-lives and gradients through time against torch.nn's cells with autograd, and finite differences."""

from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from inspected import TEXTS, TorchNetwork, classifier, linear_states
from textrnn.errors import DataError
from textrnn.inspection import Networks, gradient_flow, memory, parameter_norms, spectral_radii
from textrnn.runtime import Classifier

TEXT = "the film was not very good"


def torch_cell(made: Classifier, place: str) -> Any:
    """torch.nn's single step with the same weights, in double precision."""
    cell, config = made.header.model.cell, made.header.model
    kind: Any = {"gru": nn.GRUCell, "lstm": nn.LSTMCell, "elman": nn.RNNCell}[cell]
    found = kind(made.weights[f"{place}.from_input.weight"].shape[1], config.hidden_size).double()
    bias = made.weights[f"{place}.from_input.bias"]
    state = {
        "weight_ih": made.weights[f"{place}.from_input.weight"],
        "weight_hh": made.weights[f"{place}.from_hidden.weight"],
        "bias_ih": bias,
        "bias_hh": made.weights.get(f"{place}.from_hidden.bias", np.zeros_like(bias)),
    }
    found.load_state_dict({name: torch.from_numpy(value).double() for name, value in state.items()})
    return found


def states_from(cell: Any, inputs: Tensor, states: list[Tensor]) -> Tensor:
    """All that is carried after every step. [time, state]"""
    found = []
    for x in inputs:
        if isinstance(cell, nn.LSTMCell):
            hidden, kept = cell(x[None], (states[0], states[1]))
            states = [hidden, kept]
        else:
            states = [cell(x[None], states[0])]
        found.append(torch.cat(states, dim=1)[0])
    return torch.stack(found)


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
@pytest.mark.parametrize("both", [False, True])
def test_influence_is_the_jacobian_of_torch_nns_cells(cell: str, both: bool) -> None:
    made = classifier(cell=cell, bidirectional=both)
    for found in memory(made, TEXT):
        backwards = found.direction == "right_to_left"
        ids = made.encoder.encode(TEXT)
        rows = made.weights["embedding.weight"][ids[::-1] if backwards else ids]
        inputs = torch.from_numpy(rows.copy()).double()
        step, zeros = torch_cell(made, f"layers.0.{found.direction}"), [torch.zeros(1, 7).double()] * 2
        whole: Any = torch.autograd.functional.jacobian(lambda x, s=step, z=zeros: states_from(s, x, z), inputs)
        norms = whole.norm(dim=(1, 3)).numpy()  # [time of the state, time of the word]
        time = len(ids)
        for s in range(time):
            curve = norms[s:, s] / norms[s, s]
            row = time - 1 - s if backwards else s
            np.testing.assert_allclose(found.influence[row, : time - s], curve, rtol=1e-9)
            assert np.isnan(found.influence[row, time - s :]).all()
            expected = next((k for k, left in enumerate(curve) if left <= 0.5), np.inf)
            assert found.half_lives[row] == expected


@pytest.mark.parametrize("cell", ["mingru", "minlstm"])
def test_influence_by_finite_differences(cell: str) -> None:
    made = classifier(cell=cell)
    inputs = made.weights["embedding.weight"][made.encoder.encode(TEXT)].astype(np.float64)

    def states(x: Any) -> Any:
        kept, added = linear_states(made, x, "left_to_right")
        state, found = np.zeros(7), []
        for a, u in zip(kept, added, strict=True):
            state = a * state + u
            found.append(state)
        return np.stack(found)

    [found] = memory(made, TEXT)
    for s in range(len(inputs)):
        squares = np.zeros(len(inputs))
        for feature in range(inputs.shape[1]):
            push = np.zeros_like(inputs)
            push[s, feature] = 1e-5
            squares += np.square((states(inputs + push) - states(inputs - push)) / 2e-5).sum(axis=1)
        curve = np.sqrt(squares[s:] / squares[s])
        np.testing.assert_allclose(found.influence[s, : len(curve)], curve, rtol=1e-6)


def test_half_lives_are_the_same_without_the_curves() -> None:
    made = classifier(cell="lstm", layers=2, bidirectional=True, members=2, scale=0.9)
    for text in TEXTS:
        for one, other in zip(memory(made, text), memory(made, text, curves=False), strict=True):
            np.testing.assert_array_equal(one.half_lives, other.half_lives)
            seen = ~np.isnan(other.influence)
            np.testing.assert_allclose(other.influence[seen], one.influence[seen], rtol=1e-12)


def test_half_lives_of_a_state_that_keeps_a_known_share() -> None:
    """minGRU whose update gate is sigmoid(-b) whatever it reads: what is kept halves in ln 2 / -ln(1 - z) tokens."""
    made = classifier(cell="mingru")
    weight, bias = (made.weights[f"layers.0.left_to_right.from_input.{name}"] for name in ("weight", "bias"))
    weight[:7], bias[:7] = 0, np.log(0.2 / 0.8)  # z = 0.2, so 0.8 is kept: 0.8^3 = 0.512, 0.8^4 = 0.41
    [found] = memory(Classifier(made.header, made.weights), TEXT)
    assert found.half_lives[:2].tolist() == [4, 4]
    assert found.half_lives[-3:].tolist() == [np.inf] * 3
    assert found.half_life == np.median(found.half_lives)


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_gradients_of_the_loss_by_the_states_are_autograds(cell: str, pooling: str) -> None:
    made = classifier(cell=cell, pooling=pooling)
    [found] = gradient_flow(made, [TEXT], ["b"])
    step, inputs = torch_cell(made, "layers.0.left_to_right"), TorchNetwork(made).embedded(made.encoder.encode(TEXT))[0]
    states: list[Any] = []
    state: Any = [torch.zeros(1, 7).double().requires_grad_(True) for _ in range(2 if cell == "lstm" else 1)]
    for x in inputs:
        state = list(step(x[None], tuple(state))) if cell == "lstm" else [step(x[None], state[0])]
        for part in state:
            part.retain_grad()
        states.append(state)
    hidden = torch.stack([one[0] for one in states])
    pooled = {"last": hidden[-1], "mean": hidden.mean(dim=0), "max": hidden.amax(dim=0)}[pooling]
    head = TorchNetwork(made)
    logits = pooled.reshape(1, -1) @ head.weight.t() + head.bias
    cross_entropy(logits, torch.tensor([1])).backward()
    expected = [
        torch.cat([torch.zeros(1, 7) if part.grad is None else part.grad for part in one]).norm() for one in states
    ]
    np.testing.assert_allclose(found.loss_gradients[0], [float(norm) for norm in expected], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_what_the_recurrence_carries_back_is_the_jacobian(cell: str) -> None:
    made = classifier(cell=cell, bidirectional=True)
    for found in gradient_flow(made, [TEXT, "good"]):
        backwards = found.direction == "right_to_left"
        ids = made.encoder.encode(TEXT)
        rows = made.weights["embedding.weight"][ids[::-1] if backwards else ids]
        inputs, step = torch.from_numpy(rows.copy()).double(), torch_cell(made, f"layers.0.{found.direction}")
        zeros = [torch.zeros(1, 7).double()] * (2 if cell == "lstm" else 1)
        carried = states_from(step, inputs, zeros).detach()
        for t in range(len(ids)):

            def last(state: Tensor, t: int = t, inputs: Tensor = inputs, step: Any = step) -> Tensor:
                if t == len(inputs) - 1:
                    return state
                return states_from(step, inputs[t + 1 :], [part[None] for part in state.split(7)])[-1]

            jacobian: Any = torch.autograd.functional.jacobian(last, carried[t])
            row = len(ids) - 1 - t if backwards else t
            expected = float(jacobian.norm()) / np.sqrt(len(carried[t]))
            np.testing.assert_allclose(found.carried[0][row], expected, rtol=1e-9)
        assert found.by_distance()[0] == 1 and len(found.by_distance()) == len(ids)
        first = found.carried[0][-1 if backwards else 0]
        np.testing.assert_allclose(found.rate, first ** (1 / (len(ids) - 1)), rtol=1e-9)


def test_vanishing_and_exploding_are_told() -> None:
    text = " ".join(["film"] * 12)
    for scale, expected in ((0.3, "vanishing"), (1.0, "steady"), (3.0, "exploding")):
        made = classifier(cell="elman_relu")
        weight = made.weights["layers.0.left_to_right.from_hidden.weight"]
        weight[:] = scale * np.eye(7)  # every unit alive: what is carried is the scale to the power of the distance
        made.weights["layers.0.left_to_right.from_input.weight"][:] = 0
        made.weights["layers.0.left_to_right.from_input.bias"][:] = 1
        [found] = gradient_flow(Classifier(made.header, made.weights), [text])
        np.testing.assert_allclose(found.carried[0], scale ** np.arange(11.0, -1, -1), rtol=1e-6)
        assert found.verdict == expected
    [nothing] = gradient_flow(classifier(), [""])
    assert nothing.verdict == "unknown" and nothing.carried[0].shape == (0,)


@pytest.mark.parametrize("cell", ["gru", "mingru"])
def test_parameter_norms_by_finite_differences(cell: str) -> None:
    made = classifier(cell=cell, members=2, bidirectional=True, ngrams=2, pooling="mean")
    texts, labels = [TEXT, "good", "bad film"], ["a", "b", "c"]
    found = parameter_norms(made, texts, labels)
    assert list(found) == [name for name in made.weights if not name.startswith("ngrams.")]

    def loss(weights: dict[str, Any]) -> float:
        networks = Networks(Classifier(made.header, weights), precision=torch.float64)
        rows = torch.from_numpy(np.stack([networks.logits(text) for text in texts]))
        return float(cross_entropy(rows, torch.tensor([0, 1, 2])))

    for name in ("members.0.head.weight", "members.1.layers.0.right_to_left.from_input.bias"):
        squares = 0.0
        for place in np.ndindex(made.weights[name].shape):
            values = []
            for push in (1e-2, -1e-2):
                weights = dict(made.weights)
                weights[name] = weights[name].copy()
                weights[name][place] += np.float32(push)
                values.append((loss(weights), float(weights[name][place])))
            squares += ((values[0][0] - values[1][0]) / (values[0][1] - values[1][1])) ** 2
        np.testing.assert_allclose(found[name].gradient, np.sqrt(squares), rtol=2e-3)
        np.testing.assert_allclose(found[name].weight, np.linalg.norm(made.weights[name]), rtol=1e-6)


def test_spectral_radii_are_those_of_torch_linalg() -> None:
    made = classifier(cell="lstm", layers=2, bidirectional=True, members=2)
    found = spectral_radii(made)
    assert len(found) == 8
    for name, radii in found.items():
        for gate, block in zip(radii, torch.from_numpy(made.weights[name]).double().chunk(4), strict=True):
            expected = float(torch.linalg.eigvals(block).abs().max())
            assert radii[gate] == pytest.approx(expected, rel=1e-9)
    assert spectral_radii(classifier(cell="mingru")) == {}
    made = classifier(cell="elman")
    angle = 0.3
    weight = np.zeros((7, 7), dtype=np.float32)
    weight[:2, :2] = 0.9 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    made.weights["layers.0.left_to_right.from_hidden.weight"][:] = weight
    assert spectral_radii(made)["layers.0.left_to_right.from_hidden.weight"]["candidate"] == pytest.approx(0.9)


def test_labels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="expected as many labels as texts, got 1 labels and 2 texts"):
        gradient_flow(classifier(), ["a", "b"], ["a"])
    with pytest.raises(DataError, match="'z'"):
        parameter_norms(classifier(), ["a"], ["z"])


def test_a_batch_is_its_texts() -> None:
    made = classifier(cell="gru", layers=2, bidirectional=True, padding="through", pooling="last")
    together = gradient_flow(made, TEXTS)
    for at, text in enumerate(TEXTS):
        for one, all_of_them in zip(gradient_flow(made, [text]), together, strict=True):
            np.testing.assert_array_equal(one.loss_gradients[0], all_of_them.loss_gradients[at])
            np.testing.assert_array_equal(one.carried[0], all_of_them.carried[at])
    assert msgspec.json.encode(together[0].verdict)
