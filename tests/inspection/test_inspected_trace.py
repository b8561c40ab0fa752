"""A trace against the model's own forward pass, torch.nn, the equations in NumPy, and the runtime's stream."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inspected import CELLS, EVERY, SUMS, TEXTS, TorchNetwork, classifier, named
from textrnn.inspection import Networks, read_text, trace
from textrnn.inspection.reading import kept_places
from textrnn.tasks import MultiLabel, Ordinal, Regression


@pytest.mark.parametrize("model", [*EVERY, *SUMS], ids=named)
def test_scores_are_the_models_own_to_the_bit_and_the_runtimes_to_1e_5(model: dict[str, Any]) -> None:
    made = classifier(**model)
    networks = Networks(made)
    for text in TEXTS:
        found = trace(networks, text)
        for network, member in zip(networks.members, found.members, strict=True):
            ids, lengths = torch.from_numpy(found.reading.ids)[None].long(), torch.tensor([found.reading.time])
            assert (network(ids, lengths)[0].numpy() == member.logits).all()
        np.testing.assert_allclose(found.logits, made.logits([text])[0], atol=2e-5, rtol=1e-5)
        np.testing.assert_allclose(found.probabilities, made.predict_proba([text])[0], atol=1e-5)


@pytest.mark.parametrize("cell", ["elman", "elman_relu", "gru", "lstm"])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("both", [False, True])
def test_states_are_those_of_torch_nn(cell: str, layers: int, both: bool) -> None:
    made = classifier(cell=cell, layers=layers, bidirectional=both, scale=0.4)
    oracle = TorchNetwork(made)
    for text in TEXTS[1:]:
        found = trace(made, text)
        expected = oracle.states(oracle.embedded(found.reading.ids))[0].detach().numpy()
        np.testing.assert_allclose(found.members[0].top, expected, atol=1e-5, rtol=1e-5)
        assert len(found.members[0].layers) == layers


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("direction", ["left_to_right", "right_to_left"])
def test_gates_and_memory_are_those_of_the_equations(cell: str, direction: str) -> None:
    """As docs/equations.md writes them, in double precision."""
    made = classifier(cell=cell, bidirectional=True)
    [found] = trace(made, TEXTS[2]).members
    kept = found.layers[0][direction == "right_to_left"]
    assert kept.direction == direction
    ids = read_text(made, TEXTS[2]).ids
    place, size = f"layers.0.{direction}", 7
    weights = {name.removeprefix(place): value.astype(np.float64) for name, value in made.weights.items()}
    gates = {name: values[::-1] if direction == "right_to_left" else values for name, values in kept.gates.items()}
    states = kept.states[::-1] if direction == "right_to_left" else kept.states
    before = np.concatenate([np.zeros((1, size)), states[:-1]])
    inputs = made.weights["embedding.weight"][ids[::-1] if direction == "right_to_left" else ids].astype(np.float64)
    into = inputs @ weights[".from_input.weight"].T + weights[".from_input.bias"]
    back = np.zeros_like(into)
    if ".from_hidden.weight" in weights:
        back = before @ weights[".from_hidden.weight"].T + weights.get(".from_hidden.bias", 0.0)

    def sigmoid(x: Any) -> Any:
        return 1 / (1 + np.exp(-x))

    a, b = np.split(into, len(gates), axis=1), np.split(back, len(gates), axis=1)
    if cell == "elman":
        expected = {"candidate": np.tanh(into + back)}
    elif cell == "elman_relu":
        expected = {"candidate": np.maximum(into + back, 0)}
    elif cell == "gru":
        reset = sigmoid(a[0] + b[0])
        expected = {"reset": reset, "update": sigmoid(a[1] + b[1]), "candidate": np.tanh(a[2] + reset * b[2])}
    elif cell == "lstm":
        expected = {
            "input": sigmoid(a[0] + b[0]),
            "forget": sigmoid(a[1] + b[1]),
            "proposal": np.tanh(a[2] + b[2]),
            "output": sigmoid(a[3] + b[3]),
        }
        assert kept.memory is not None
        memory = kept.memory[::-1] if direction == "right_to_left" else kept.memory
        earlier = np.concatenate([np.zeros((1, size)), memory[:-1]])
        np.testing.assert_allclose(
            memory, expected["forget"] * earlier + expected["input"] * expected["proposal"], atol=1e-5
        )
        np.testing.assert_allclose(states, expected["output"] * np.tanh(memory), atol=1e-5)
    elif cell == "mingru":
        expected = {"update": sigmoid(a[0]), "candidate": a[1]}
    else:
        forget, let_in = sigmoid(a[0]), sigmoid(a[1])
        expected = {"forget": forget / (forget + let_in), "input": let_in / (forget + let_in), "candidate": a[2]}
    assert list(gates) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(gates[name], values, atol=1e-5, err_msg=name)
    assert (kept.memory is None) == (cell != "lstm")


@pytest.mark.parametrize(
    "model",
    [*SUMS, *[model for model in EVERY if model["layers"] == 1 and model["cell"] in ("elman", "lstm", "mingru")]],
    ids=named,
)
def test_running_answers_are_the_runtimes_to_each_beginning(model: dict[str, Any]) -> None:
    made = classifier(**model)
    for text in TEXTS:
        found = trace(made, text)
        words = [token.text for token in found.tokens]
        expected = made.predict_proba([" ".join(words[:count]) for count in range(len(words) + 1)])
        np.testing.assert_allclose(np.concatenate([found.before[None], found.running]), expected, atol=1e-5)
        np.testing.assert_allclose(found.moves.sum(), (expected[-1] - expected[0])[found.predicted], atol=2e-5)
        assert found.predicted == made.labels.index(made.predict(text).label or "")


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_running_answers_of_one_direction_are_those_of_the_stream(pooling: str) -> None:
    made = classifier(cell="gru", pooling=pooling, ngrams=2, layers=2)
    found = trace(made, TEXTS[3])
    stream = made.stream()
    expected = [list(stream.push(token.text).values()) for token in found.tokens]
    np.testing.assert_allclose(found.running, expected, atol=1e-5)
    if not found.reading.cut_off:
        np.testing.assert_allclose(found.pooled_so_far, expected, atol=1e-5)


@pytest.mark.parametrize("model", [*EVERY, *SUMS], ids=named)
def test_what_is_pooled_so_far_ends_with_the_answer(model: dict[str, Any]) -> None:
    made = classifier(**model)
    for text in TEXTS[1:]:
        found = trace(made, text)
        assert len(found.pooled_so_far) == found.reading.steps
        np.testing.assert_allclose(found.pooled_so_far[-1], made.predict_proba([text])[0], atol=1e-5)


def test_pooled_so_far_by_hand() -> None:
    """Of two directions: the states of the whole text, pooled over its beginning."""
    for pooling in ("last", "mean", "max"):
        made = classifier(cell="gru", bidirectional=True, pooling=pooling)
        oracle = TorchNetwork(made)
        found = trace(made, "the film was very good")
        states = oracle.states(oracle.embedded(found.reading.ids))[0].detach().numpy()
        for t in range(1, 6):
            pooled = {
                "last": np.concatenate([states[t - 1, :7], states[0, 7:]]),
                "mean": states[:t].mean(axis=0),
                "max": states[:t].max(axis=0),
            }[pooling]
            scores = pooled @ made.weights["head.weight"].T + made.weights["head.bias"]
            expected = np.exp(scores) / np.exp(scores).sum()
            np.testing.assert_allclose(found.pooled_so_far[t - 1], expected, atol=1e-5)


@pytest.mark.parametrize("keep", ["head", "tail", "both"])
def test_what_is_cut_off(keep: str) -> None:
    made = classifier(keep=keep, ngrams=1)
    words = [f"{'good' if at % 2 else 'bad'}" for at in range(17)]
    reading = read_text(made, " ".join(words))
    assert reading.cut_off == 5 and reading.time == 12
    assert reading.places.tolist() == kept_places(17, made.header.text).tolist()
    assert [token.text for token in reading.tokens] == made.encoder.tokens(" ".join(words))
    assert reading.ids.tolist() == made.encoder.encode(" ".join(words)).tolist()
    unread = [at for at, token in enumerate(reading.all_tokens) if not token.read]
    assert unread == {"head": [12, 13, 14, 15, 16], "tail": [0, 1, 2, 3, 4], "both": [6, 7, 8, 9, 10]}[keep]


def test_unknown_words_are_told() -> None:
    assert [token.known for token in read_text(classifier(), "good unheard film").tokens] == [True, False, True]


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        (["x", "y", "z"], MultiLabel()),
        ([1, 2, 3, 4], Ordinal()),
        ([], Regression(mean=3.0, std=2.0)),
    ],
)
def test_other_tasks(labels: list[Any], task: Any) -> None:
    made = classifier(cell="gru", labels=labels, task=task, bidirectional=True, ngrams=2, members=2)
    found = trace(made, TEXTS[2])
    np.testing.assert_allclose(found.probabilities, made.answers([TEXTS[2]])[0], atol=1e-5)
    assert found.running.shape == (found.reading.time, max(1, len(labels)))
    np.testing.assert_allclose(found.running[-1], found.probabilities, atol=1e-5)


def test_characters() -> None:
    made = classifier(tokenizer="characters", cell="elman", ngrams=2)
    found = trace(made, "a film")
    assert [token.text for token in found.tokens] == list("a film")
    np.testing.assert_allclose(found.running[-1], made.predict_proba(["a film"])[0], atol=1e-5)


def test_no_string_is_refused() -> None:
    """In a process of its own, since in the tests the checked types refuse it first."""
    code = """
from builders import header, random_weights
from textrnn.inspection import trace
from textrnn.runtime import Classifier
try:
    trace(Classifier(header(), random_weights(header())), ["a"])
except TypeError as error:
    assert str(error) == "expected a string, got list"
else:
    raise AssertionError
"""
    tests = str(Path(__file__).parents[1])
    subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=60, env={**os.environ, "PYTHONPATH": f"{tests}:{_path()}"}
    )


def _path() -> str:
    return os.environ.get("PYTHONPATH", "")
