"""What is told to those who watch a training, and that watching changes nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score

import textrnn
from made import pairs
from textrnn.history import EpochRecord
from textrnn.training import Begun, Finished, Step, Watched

KINDS: dict[str, dict[str, Any]] = {
    "one network": {"effort": "plain", "cell": "gru", "epochs": 3, "hidden_size": 8},
    "sum of parts": {"members": 2, "epochs": 2, "hidden_size": 8, "ngrams": 2},
    "adversarial": {"effort": "plain", "cell": "lstm", "epochs": 2, "hidden_size": 8, "adversarial": 0.5},
    "readable": {
        "effort": "plain",
        "epochs": 2,
        "hidden_size": 8,
        "backend": "readable",
        "layers": 2,
        "padding": "through",
    },
    "frozen rows": {"effort": "plain", "optimizer": "adam", "epochs": 2, "hidden_size": 8, "batching": "shuffled"},
}


def watched(data: Any, **settings: Any) -> tuple[textrnn.Classifier, list[Any]]:
    events: list[Any] = []
    classifier = textrnn.train(data, on_event=events.append, **{"watch": True, "timings": False} | settings)
    return classifier, events


@pytest.mark.parametrize("kind", KINDS)
def test_a_watched_training_is_the_same_to_the_bit(kind: str, tmp_path: Path) -> None:
    data = pairs(240)
    for name, watch in (("with", True), ("given", ["good w3", ""]), ("without", False)):
        watched(data, watch=watch, **KINDS[kind])[0].save(tmp_path / name)
    assert (tmp_path / "with").read_bytes() == (tmp_path / "without").read_bytes() == (tmp_path / "given").read_bytes()


def test_every_network_tells_every_epoch() -> None:
    classifier, events = watched(pairs(240), **KINDS["sum of parts"])
    told = [event for event in events if not isinstance(event, Step)]
    kinds = [(type(event).__name__, getattr(event, "network", 0), getattr(event, "epoch", 0)) for event in told]
    epochs = [(name, network, epoch) for network in (1, 2) for epoch in (1, 2) for name in ("EpochRecord", "Watched")]
    assert kinds == [("Begun", 0, 0), *epochs, ("Finished", 0, 0)]
    begun, finished = told[0], told[-1]
    assert (
        isinstance(begun, Begun)
        and begun.labels == ["neg", "pos"]
        and begun.examples + begun.validation_examples == 240
    )
    assert isinstance(finished, Finished) and len(finished.parts) == 3
    texts = [text.text for text in finished.texts]
    assert [[text.text for text in event.texts] for event in told if isinstance(event, Watched)] == [texts] * 4
    np.testing.assert_allclose([text.answer for text in finished.texts], classifier.predict_proba(texts), atol=1e-6)


def test_what_a_network_says_is_what_it_says_after_training() -> None:
    data = pairs(240)
    classifier, events = watched(data, patience=0, **KINDS["one network"])
    looks = [event for event in events if isinstance(event, Watched)]
    best = classifier.header.provenance.best_epoch  # type: ignore[union-attr]
    texts = looks[best - 1].texts
    expected = classifier.predict_proba([text.text for text in texts])
    np.testing.assert_allclose([text.answer for text in texts], expected, atol=1e-5)
    truth = dict(data)
    assert all(text.expected == truth[text.text] for text in texts)
    assert [text.right for text in texts] == [text.predicted == truth[text.text] for text in texts]
    first = looks[0].texts
    record = next(event for event in events if isinstance(event, EpochRecord))
    assert record.validation is not None
    if record.validation["accuracy"] < 0.8:
        assert {text.right for text in first} == {True, False}
    share = accuracy_score([truth[text.text] for text in first], [text.predicted for text in first])
    assert share == np.mean([text.right for text in first])


def test_gradients_by_group_are_those_of_finite_differences() -> None:
    """Of the head's bias: the loss over the sample, computed by the finished classifier in NumPy, with a bias moved."""
    data = pairs(30)
    held_out = pairs(20, seed=2)
    classifier, events = watched(data, validation=held_out, **KINDS["one network"] | {"epochs": 1})
    norms = next(event for event in events if isinstance(event, Watched)).gradient_norms
    assert set(norms) == {
        "embedding",
        "layers.0.left_to_right.from_input",
        "layers.0.left_to_right.from_hidden",
        "head",
    }
    texts, targets = [text for text, _ in data], np.array([label == "pos" for _, label in data], dtype=int)

    def loss(moved: dict[str, Any]) -> float:
        logits = torch.from_numpy(textrnn.Classifier(classifier.header, moved).logits(texts)).double()
        return float(torch.nn.functional.cross_entropy(logits, torch.from_numpy(targets)))

    squares, step = 0.0, 1e-2
    for name in ("head.weight", "head.bias"):
        for place in np.ndindex(classifier.weights[name].shape):
            sides = []
            for sign in (1, -1):
                moved = {key: value.copy() for key, value in classifier.weights.items()}
                moved[name][place] += sign * step
                sides.append(loss(moved))
            squares += ((sides[0] - sides[1]) / (2 * step)) ** 2
    assert norms["head"] == pytest.approx(squares**0.5, rel=2e-3)


@pytest.mark.parametrize("task", ["multi_label", "regression", "ordinal"])
def test_other_tasks_are_watched_too(task: str) -> None:
    rng = np.random.default_rng(0)
    texts = [text for text, _ in pairs(200)]
    made_up: dict[str, list[Any]] = {
        "multi_label": [[name for name in "abc" if rng.random() < 0.5] for _ in texts],
        "regression": [float(value) for value in rng.standard_normal(len(texts))],
        "ordinal": [int(value) for value in rng.integers(1, 5, len(texts))],
    }
    labels = made_up[task]
    classifier, events = watched(texts, labels=labels, task=task, effort="plain", epochs=2, hidden_size=8)
    finished = events[-1]
    assert isinstance(finished, Finished) and 0 < len(finished.texts) <= 6
    known = dict(zip(texts, labels, strict=True))
    for text, answer in zip(finished.texts, classifier.answers([text.text for text in finished.texts]), strict=True):
        np.testing.assert_allclose(text.answer, answer, atol=1e-6)
        assert (text.right is None) == (task == "regression")
        if task == "regression":
            assert float(text.expected or "nan") == pytest.approx(known[text.text], abs=1e-3, rel=1e-3)
        elif task == "ordinal":
            assert text.expected == str(known[text.text])


def test_given_texts_have_no_label() -> None:
    _, events = watched(pairs(60), watch=["good", ""], **KINDS["one network"] | {"validation_fraction": 0})
    assert [(text.text, text.expected, text.right) for text in events[-1].texts] == [
        ("good", None, None),
        ("", None, None),
    ]
