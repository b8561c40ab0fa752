"""Weights of the classes against brute force and scikit-learn, and the classifiers that decide by them."""

import itertools
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score

import textrnn
from builders import random_texts
from commands import assert_refused, run_here
from textrnn.errors import ConfigError
from textrnn.tasks import LabelThreshold, SingleLabel
from textrnn.tasks.decisions import LOGARITHMS, MOST_SWEEPS, macro_f1, weights_for_macro_f1


def drawn(seed: int, classes: int, texts: int = 300) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Probabilities that can be believed, of classes the rarer the later."""
    rng = np.random.default_rng(seed)
    scores = 1.3 * rng.normal(size=(texts, classes)) - np.arange(classes)
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return np.array([rng.choice(classes, p=row) for row in probabilities]), probabilities


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_macro_f1_is_that_of_scikit_learn(classes: int) -> None:
    targets, probabilities = drawn(classes, classes)
    for predicted in (probabilities.argmax(axis=1), np.zeros_like(targets)):
        wanted = f1_score(targets, predicted, labels=range(classes), average="macro", zero_division=0)
        assert macro_f1(targets, predicted, classes) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_two_classes_against_brute_force(seed: int) -> None:
    """Only the quotient of two weights counts, so a sweep over one of them sees whatever the grid offers."""
    targets, probabilities = drawn(seed, 2)

    def reached(logarithms: tuple[float, ...]) -> float:
        predicted = (probabilities * np.exp(logarithms)).argmax(axis=1)
        return float(f1_score(targets, predicted, average="macro"))

    best = max(reached((0.0, some)) for some in LOGARITHMS.tolist())
    weights = weights_for_macro_f1(targets, probabilities)
    assert reached(tuple(np.log(weights))) >= best - 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_no_single_weight_could_be_better(seed: int) -> None:
    targets, probabilities = drawn(seed, 4)
    found = np.log(weights_for_macro_f1(targets, probabilities))
    reached = macro_f1(targets, (probabilities * np.exp(found)).argmax(axis=1), 4)
    assert reached > macro_f1(targets, probabilities.argmax(axis=1), 4) + 0.01
    for k, logarithm in itertools.product(range(4), LOGARITHMS.tolist()):
        other = found.copy()
        other[k] = logarithm
        assert macro_f1(targets, (probabilities * np.exp(other)).argmax(axis=1), 4) <= reached + 1e-9


def test_what_is_right_already_stays_as_it_is() -> None:
    targets = np.arange(30) % 3
    assert weights_for_macro_f1(targets, np.eye(3)[targets] * 0.7 + 0.1) == [1.0, 1.0, 1.0]
    assert MOST_SWEEPS > 1


def test_rare_classes_are_found_on_other_texts() -> None:
    """What the weights are for: half of the texts choose them, the other half gains."""
    targets, probabilities = drawn(7, 4, texts=8000)
    weights = weights_for_macro_f1(targets[::2], probabilities[::2])
    others, answers = targets[1::2], probabilities[1::2]
    tuned = SingleLabel(decisions="macro_f1").tuned(targets[::2], probabilities[::2])
    assert isinstance(tuned, SingleLabel) and tuned.weights == weights
    before, after = (f1_score(others, task.decided(answers), average="macro") for task in (SingleLabel(), tuned))
    assert after > before + 0.03


def test_a_threshold_comes_first() -> None:
    task = SingleLabel(weights=[1.0, 1.0, 10.0], threshold=LabelThreshold(label=0, value=0.6))
    answers = np.array([[0.7, 0.1, 0.2], [0.5, 0.3, 0.2], [0.5, 0.49, 0.01]])
    assert task.decided(answers).tolist() == [0, 2, 1]


def test_from_training_to_the_model_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    texts, labels = random_texts(400), rng.choice(["a", "b", "c"], 400, p=[0.8, 0.15, 0.05]).tolist()
    model = textrnn.train(texts, labels, effort="plain", epochs=1, validation_fraction=0.5, decisions="macro_f1")
    task = model.task
    assert isinstance(task, SingleLabel) and len(task.weights) == 3 and len(set(task.weights)) > 1
    model.save(tmp_path / "m.textrnn")
    again = textrnn.load(tmp_path / "m.textrnn")
    assert again.task == task
    answers = model.predict_proba(texts)
    wanted = [model.labels[k] for k in (answers * task.weights).argmax(axis=1)]
    predictions = again.predict(texts)
    assert [prediction.label for prediction in predictions] == wanted
    assert {prediction.label for prediction in predictions} != {"a"}
    assert [p.probability for p in predictions] == [p.probabilities[p.label] for p in predictions if p.label]
    assert again.evaluate(texts, labels).accuracy.value == np.mean(np.array(wanted) == labels)


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="decisions: expected 'most_probable' unless task is 'single_label'"):
        textrnn.train(["a", "b"], ["1", "2"], task="ordinal", decisions="macro_f1")
    with pytest.raises(ConfigError, match="decisions: 'macro_f1' needs validation texts, found none"):
        textrnn.train(["a b", "b c"] * 5, ["x", "y"] * 5, effort="plain", validation_fraction=0.0, decisions="macro_f1")
    (tmp_path / "d.csv").write_text("text,label\na,x\nb,y\n")
    result = run_here("train", str(tmp_path / "d.csv"), "--decisions", "most", "--out", str(tmp_path / "m.textrnn"))
    assert_refused(result, "decisions")
    with pytest.raises(ValueError, match="expected 2 weights, one a label, found 3"):
        SingleLabel(weights=[1.0, 2.0, 3.0]).check(["neg", "pos"])
    with pytest.raises(msgspec.ValidationError, match="> 0"):
        msgspec.json.decode(b'{"task": "single_label", "weights": [0.0]}', type=SingleLabel)
