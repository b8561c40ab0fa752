"""Every figure against float64 formulas written out here and against scikit-learn called directly."""

import sys
import typing
from collections import Counter
from collections.abc import Callable
from typing import Any

import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from numpy.typing import NDArray

from textrnn.config import TrainingConfig
from textrnn.errors import MissingDependencyError
from textrnn.evaluation import METRICS, better, evaluate, score
from textrnn.settings import choices
from textrnn.tasks import TASKS, TaskConfig, task_of

SIZES = [(2, 500), (3, 40), (20, 3000), (150, 6000)]


def ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else 0.0


def auc_by_pairs(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """The share of pairs in which the positive example has the higher probability, ties counting half."""
    above = positive[:, None] > negative
    equal = positive[:, None] == negative
    return float((above + 0.5 * equal).mean())


@pytest.mark.parametrize(("classes", "examples"), SIZES)
def test_figures_match_formulas_written_out(drawn: Callable[..., Any], classes: int, examples: int) -> None:
    targets, probabilities = drawn(classes, examples)
    found = evaluate(targets, probabilities, range(classes))
    exact = probabilities.astype(np.float64)
    predicted = [int(row.argmax()) for row in exact]
    pairs = Counter(zip(targets.tolist(), predicted, strict=True))
    f1: list[float] = []
    for i, scores in enumerate(found.per_class):
        support = sum(pairs[i, j] for j in range(classes))
        guesses = sum(pairs[j, i] for j in range(classes))
        f1.append(ratio(2 * pairs[i, i], support + guesses))
        assert (scores.label, scores.support, scores.predicted) == (i, support, guesses)
        assert scores.precision == pytest.approx(ratio(pairs[i, i], guesses), abs=1e-12)
        assert scores.recall == pytest.approx(ratio(pairs[i, i], support), abs=1e-12)
        assert scores.f1 == pytest.approx(f1[-1], abs=1e-12)
        assert found.confusion[i] == [pairs[i, j] for j in range(classes)]
    supports = np.bincount(targets, minlength=classes)
    accuracy = sum(t == p for t, p in zip(targets, predicted, strict=True)) / examples
    assert found.examples == examples
    assert found.accuracy.value == found.micro_f1 == pytest.approx(accuracy, abs=1e-12)
    assert found.macro_f1.value == pytest.approx(sum(f1) / classes, abs=1e-12)
    assert found.weighted_f1 == pytest.approx(float(supports @ f1) / examples, abs=1e-12)
    assert found.majority_share == max(supports) / examples
    chosen = np.maximum(exact[np.arange(examples), targets], 2.0**-52)
    assert found.log_loss == pytest.approx(-sum(map(float, np.log(chosen))) / examples, abs=1e-12)
    areas = [auc_by_pairs(exact[targets == i, i], exact[targets != i, i]) for i in range(classes) if supports[i]]
    assert found.roc_auc == pytest.approx(areas[1] if classes == 2 else np.mean(areas), abs=1e-12)


@pytest.mark.parametrize(("classes", "examples"), SIZES)
def test_figures_match_scikit_learn(drawn: Callable[..., Any], classes: int, examples: int) -> None:
    targets, probabilities = drawn(classes, examples)
    labels = [f"class {i}" for i in range(classes)]
    found = evaluate(targets, probabilities, labels)
    exact = probabilities.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    predicted, every = probabilities.argmax(axis=1), list(range(classes))
    report = sklearn.metrics.classification_report(
        targets, predicted, labels=every, target_names=labels, output_dict=True, zero_division=0
    )
    for scores in found.per_class:
        row = report[scores.label]
        assert (scores.precision, scores.recall, scores.f1, scores.support) == (
            *(row["precision"], row["recall"], row["f1-score"]),
            row["support"],
        )
    assert found.confusion == sklearn.metrics.confusion_matrix(targets, predicted, labels=every).tolist()
    assert found.accuracy.value == sklearn.metrics.accuracy_score(targets, predicted)
    assert found.macro_f1.value == pytest.approx(report["macro avg"]["f1-score"], abs=1e-12)
    assert found.weighted_f1 == pytest.approx(report["weighted avg"]["f1-score"], abs=1e-12)
    loss = sklearn.metrics.log_loss(targets, exact, labels=every)
    assert found.log_loss == pytest.approx(loss, abs=1e-6)
    scores_of = exact[:, 1] if classes == 2 else exact
    area = sklearn.metrics.roc_auc_score(targets, scores_of, multi_class="ovr", labels=every)
    assert found.roc_auc == pytest.approx(area, abs=1e-6)
    for metric, value in {
        "loss": found.log_loss,
        "accuracy": found.accuracy.value,
        "macro_f1": found.macro_f1.value,
        "micro_f1": found.micro_f1,
        "weighted_f1": found.weighted_f1,
        "roc_auc": found.roc_auc,
    }.items():
        assert score(metric, targets, probabilities) == value


def test_log_loss_of_an_impossible_event_is_that_of_scikit_learn() -> None:
    targets, probabilities = np.array([1, 0]), np.array([[1.0, 0.0], [1.0, 0.0]])
    expected = sklearn.metrics.log_loss(targets, probabilities, labels=[0, 1])
    assert score("loss", targets, probabilities) == pytest.approx(expected, rel=1e-12)
    assert expected == pytest.approx(-np.log(2.0**-52) / 2)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), classes=st.integers(2, 6), examples=st.integers(1, 30))
def test_any_targets_and_predictions(data: st.DataObject, classes: int, examples: int) -> None:
    """Absent classes, ties and single examples raise neither errors nor warnings and keep the identities."""
    targets = data.draw(arrays.arrays(np.int64, examples, elements=st.integers(0, classes - 1)))
    weights = data.draw(arrays.arrays(np.float64, (examples, classes), elements=st.integers(1, 4).map(float)))
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    found = evaluate(targets, probabilities, range(classes), mistakes=examples)
    predicted = [row.index(max(row)) for row in probabilities.tolist()]
    confusion = np.zeros((classes, classes), dtype=int)
    for true, guess in zip(targets, predicted, strict=True):
        confusion[true, guess] += 1
    assert found.confusion == confusion.tolist()
    assert len(found.mistakes) == examples - confusion.trace()
    expected = sklearn.metrics.f1_score(targets, predicted, labels=range(classes), average="macro", zero_division=0)
    assert found.macro_f1.value == pytest.approx(expected, abs=1e-12)
    assert 0 <= found.accuracy.low <= found.accuracy.value <= found.accuracy.high <= 1
    assert 0 <= found.macro_f1.low <= found.macro_f1.high <= 1
    assert (found.roc_auc is None) == (len(set(targets.tolist())) == 1)


def test_roc_auc_averages_over_the_classes_present() -> None:
    targets = np.array([0, 0, 2, 2])
    probabilities = np.array([[0.6, 0.1, 0.3], [0.3, 0.3, 0.4], [0.4, 0.1, 0.5], [0.2, 0.2, 0.6]])
    # Class 0: three of the pairs (0.6, 0.3) x (0.4, 0.2) are in order. Class 2: all four. Class 1 is absent.
    assert score("roc_auc", targets, probabilities) == pytest.approx((0.75 + 1.0) / 2)


def test_roc_auc_of_one_class_is_undefined() -> None:
    targets, probabilities = np.array([1, 1]), np.array([[0.2, 0.8], [0.6, 0.4]])
    assert evaluate(targets, probabilities, ["a", "b"]).roc_auc is None
    with pytest.raises(ValueError, match="roc_auc is undefined: all examples belong to one class"):
        score("roc_auc", targets, probabilities)


def test_many_classes_in_few_examples_are_no_regression_problem() -> None:
    targets = np.arange(30)
    found = evaluate(targets, np.eye(150)[:30], range(150))
    assert found.accuracy.value == found.roc_auc == 1.0
    assert found.macro_f1.value == pytest.approx(30 / 150)
    assert score("weighted_f1", targets, np.eye(150)[:30]) == 1.0


def test_mistakes_are_the_most_confident_first_and_equal_ones_in_order() -> None:
    probabilities = np.array([[0.4, 0.6], [0.1, 0.9], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]])
    targets = np.array([0, 0, 1, 0, 1])
    texts, places = list("abcde"), [f"x.csv, line {i}" for i in range(2, 7)]
    found = evaluate(targets, probabilities, ["no", "yes"], texts=texts, places=places, mistakes=3)
    assert [(m.text, m.label, m.predicted, m.probability) for m in found.mistakes] == [
        ("b", "no", "yes", 0.9),
        ("c", "yes", "no", 0.75),
        ("d", "no", "yes", 0.75),
    ]
    assert found.mistakes[0].place == "x.csv, line 3"
    bare = evaluate(targets, probabilities, ["no", "yes"], mistakes=1).mistakes
    assert [(m.text, m.place) for m in bare] == [(None, None)]
    assert evaluate(targets, probabilities, ["no", "yes"], mistakes=0).mistakes == []


GOOD = (np.array([0, 1]), np.array([[0.5, 0.5], [0.1, 0.9]]))


@pytest.mark.parametrize(
    ("targets", "probabilities", "sentence"),
    [
        (np.array([[0], [1]]), GOOD[1], r"targets: expected integers \[examples\], got int64 \[2, 1\]"),
        (np.array([0.0, 1.0]), GOOD[1], "targets: expected integers"),
        (
            GOOD[0],
            np.array([0.5, 0.9]),
            r"probabilities: expected floats \[examples, classes\], got float64 \[2\]",
        ),
        (GOOD[0], np.array([[0, 1], [1, 0]]), "probabilities: expected floats"),
        (np.array([0]), GOOD[1], "targets: expected 2 as there are rows of probabilities, got 1"),
        (np.zeros(0, dtype=int), np.zeros((0, 2)), "expected at least one example, got none"),
        (GOOD[0] * 0, np.ones((2, 1)), "expected at least two classes, got 1"),
        (np.array([0, 2]), GOOD[1], "targets: expected class indices from 0 to 1, got 2"),
        (np.array([-1, 0]), GOOD[1], "targets: expected class indices from 0 to 1, got -1"),
        (GOOD[0], np.array([[0.5, 0.5], [np.nan, 0.9]]), "probabilities: row 1 contains NaN"),
        (GOOD[0], np.array([[0.5, 0.5], [np.inf, 0.9]]), "row 1 adds up to inf"),
        (GOOD[0], np.array([[2.5, -1.5], [0.1, 0.9]]), "row 0 adds up to 1 and has the least value -1.5"),
        (GOOD[0], np.array([[3.0, 0.5], [0.1, 0.9]]), "row 0 adds up to 3.5"),
    ],
)
def test_unusable_arrays_are_refused(targets: NDArray[Any], probabilities: NDArray[Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        evaluate(targets, probabilities, ["a", "b"])
    with pytest.raises(ValueError, match=sentence):
        score("accuracy", targets, probabilities)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"labels": ["a", "b", "c"]}, "labels: expected 2 for probabilities of this shape, got 3"),
        ({"texts": ["a"]}, "texts: expected 2 for probabilities of this shape, got 1"),
        ({"places": []}, "places: expected 2 for probabilities of this shape, got 0"),
        ({"confidence": 1.0}, "confidence: expected a number between 0 and 1, got 1.0"),
        ({"mistakes": -1}, "mistakes: expected a number of 0 or more, got -1"),
    ],
)
def test_unusable_settings_are_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        evaluate(*GOOD, **{"labels": ["a", "b"], **change})


def test_metrics_are_those_of_the_configuration() -> None:
    kind = typing.get_type_hints(TrainingConfig, include_extras=True)["metric"]
    tasks = [task_of(TaskConfig(task=name)) for name in TASKS]  # type: ignore[arg-type]
    assert set(choices(kind)) == {metric for task in tasks for metric in task.metrics}
    assert tasks[0].metrics == METRICS


def test_better() -> None:
    assert better("loss", 0.1, 0.2)
    assert not better("loss", 0.2, 0.2)
    for metric in METRICS[1:]:
        assert better(metric, 0.3, 0.2)
        assert not better(metric, 0.2, 0.2)
    for call in (lambda: better("f1", 1.0, 0.0), lambda: score("f1", *GOOD)):
        with pytest.raises(ValueError, match=r"metric: expected one of loss, accuracy, .*, got 'f1'"):
            call()


def test_missing_scikit_learn_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    assert score("accuracy", *GOOD) == 1.0
    with pytest.raises(MissingDependencyError, match=r"sklearn.*pip install 'textrnn\[evaluate\]'"):
        score("macro_f1", *GOOD)
