"""Metrics and evaluations of every task against scikit-learn and SciPy; reports, pages and pictures of them."""

from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn import metrics

from textrnn.evaluation import (
    NumberEvaluation,
    SetEvaluation,
    draw_png,
    evaluate_task,
    to_json,
    to_text,
    write_html,
)
from textrnn.evaluation.by_task import EVALUATORS
from textrnn.history import EpochRecord
from textrnn.tasks import (
    TASKS,
    AnyTask,
    MultiLabel,
    Ordinal,
    Regression,
    SingleLabel,
    Task,
    TaskConfig,
    better,
    task_of,
)
from textrnn.tasks.metrics import LESS_IS_BETTER
from textrnn.training.losses import LOSSES

RNG = np.random.default_rng(5)
TEXTS = [f"text {index}" for index in range(300)]


def sets(labels: int = 5, examples: int = 300) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """A label that nobody has, texts that have none."""
    rng = np.random.default_rng(labels)
    targets = rng.random((examples, labels)) < np.linspace(0.5, 0.1, labels)
    targets[:, -1] = labels == 1 and targets[:, -1]
    return targets, np.clip(0.5 * targets + 0.6 * rng.random((examples, labels)) - 0.05, 0, 1)


def levels(examples: int = 300) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rng = np.random.default_rng(1)
    targets = rng.integers(0, 5, examples)
    steps = targets[:, np.newaxis] - np.arange(4) - 0.5
    return targets, Ordinal().answers(2 * steps + rng.normal(0, 2, (examples, 4)))


def numbers(examples: int = 300) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(2)
    targets = rng.normal(50, 20, examples)
    return targets, (targets + rng.normal(3, 10, examples))[:, np.newaxis]


def test_several_labels_are_judged_as_scikit_learn_judges_them() -> None:
    targets, answers = sets()
    predicted, have = answers >= 0.5, [k for k in range(5) if targets[:, k].any()]
    expected = {
        "accuracy": metrics.accuracy_score(targets, predicted),
        "hamming_loss": metrics.hamming_loss(targets, predicted),
        "lrap": metrics.label_ranking_average_precision_score(targets, answers),
        "average_precision": metrics.average_precision_score(targets[:, have], answers[:, have], average="macro"),
        "roc_auc": metrics.roc_auc_score(targets[:, have], answers[:, have], average="macro"),
        "loss": np.mean([metrics.log_loss(targets[:, k], answers[:, k], labels=[False, True]) for k in range(5)]),
    }
    for kind in ("micro", "macro", "weighted", "samples"):
        expected[f"{kind}_f1"] = metrics.f1_score(targets, predicted, average=kind, zero_division=0)
    assert {name: MultiLabel().score(name, targets, answers) for name in MultiLabel.metrics} == pytest.approx(expected)

    task = MultiLabel(thresholds=[0.3, 0.4, 0.5, 0.6, 0.9])
    found = evaluate_task(task, targets, answers, list("abcde"), texts=TEXTS, mistakes=3)
    assert isinstance(found, SetEvaluation)
    predicted = answers >= np.array(task.thresholds)
    assert found.micro_f1 == pytest.approx(metrics.f1_score(targets, predicted, average="micro"))
    assert found.samples_f1 == pytest.approx(metrics.f1_score(targets, predicted, average="samples", zero_division=0))
    assert found.accuracy.value == pytest.approx(metrics.accuracy_score(targets, predicted))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(targets, predicted, zero_division=0)
    for k, scores in enumerate(found.per_label):
        assert (scores.precision, scores.recall, scores.f1) == pytest.approx((precision[k], recall[k], f1[k]))
        assert scores.support == support[k] and scores.predicted == predicted[:, k].sum()
    assert found.per_label[0].average_precision == pytest.approx(
        metrics.average_precision_score(targets[:, 0], answers[:, 0])
    )
    assert found.per_label[4].average_precision is None
    brier = np.mean([metrics.brier_score_loss(targets[:, k], answers[:, k], pos_label=True) for k in range(5)])
    assert found.calibration.brier == pytest.approx(brier)
    assert [mistake.loss for mistake in found.mistakes] == sorted((m.loss for m in found.mistakes), reverse=True)


def test_one_label_alone_is_judged_too() -> None:
    targets, answers = sets(1)
    predicted = answers[:, 0] >= 0.5
    for name in ("micro_f1", "macro_f1"):
        expected = metrics.f1_score(targets[:, 0], predicted)
        assert MultiLabel().score(name, targets, answers) == pytest.approx(expected)
    assert MultiLabel().score("samples_f1", targets, answers) == (targets[:, 0] & predicted).mean()
    assert MultiLabel().score("lrap", targets, answers) == 1
    assert isinstance(evaluate_task(MultiLabel(), targets, answers, ["a"]), SetEvaluation)


def test_levels_are_judged_as_scikit_learn_judges_them() -> None:
    targets, answers = levels()
    predicted = np.array([np.searchsorted(np.cumsum(row), 0.5, side="right") for row in answers])  # the median
    assert (Ordinal().decided(answers) == predicted).all() and (predicted != answers.argmax(axis=1)).any()
    expected = {
        "accuracy": metrics.accuracy_score(targets, predicted),
        "macro_f1": metrics.f1_score(targets, predicted, average="macro"),
        "mae": metrics.mean_absolute_error(targets, predicted),
        "quadratic_kappa": metrics.cohen_kappa_score(targets, predicted, weights="quadratic"),
        "spearman": stats.spearmanr(targets, predicted).statistic,
        "loss": metrics.log_loss(targets, answers),
        "roc_auc": metrics.roc_auc_score(targets, answers, multi_class="ovr"),
    }
    assert {name: Ordinal().score(name, targets, answers) for name in expected} == pytest.approx(expected)
    found = evaluate_task(Ordinal(), targets, answers, [1, 2, 3, 4, 5])
    assert not isinstance(found, SetEvaluation | NumberEvaluation) and found.levels is not None
    assert found.levels.mae == pytest.approx(expected["mae"])
    assert found.levels.within_one == np.mean(np.abs(targets - predicted) <= 1)
    assert found.accuracy.value == pytest.approx(expected["accuracy"])
    assert found.confusion == metrics.confusion_matrix(targets, predicted).tolist()
    for name in ("quadratic_kappa", "spearman"):
        assert Ordinal().score(name, np.zeros(3, dtype=int), np.tile([[0.9, 0.05, 0.05]], (3, 1))) == 0


def test_the_median_has_the_least_expected_distance() -> None:
    _, answers = levels()
    distances = np.abs(np.arange(5)[:, np.newaxis] - np.arange(5))
    expected = answers @ distances
    decided = Ordinal().decided(answers)
    np.testing.assert_allclose(expected[np.arange(len(answers)), decided], expected.min(axis=1), rtol=1e-9)


def test_numbers_are_judged_as_scikit_learn_judges_them() -> None:
    targets, answers = numbers()
    task = Regression(mean=45.0, std=20.0)
    values = answers[:, 0]
    expected = {
        "loss": metrics.mean_squared_error(targets, values) / 400,
        "mae": metrics.mean_absolute_error(targets, values),
        "rmse": metrics.root_mean_squared_error(targets, values),
        "r2": metrics.r2_score(targets, values),
        "pearson": stats.pearsonr(targets, values).statistic,
        "spearman": stats.spearmanr(targets, values).statistic,
    }
    assert {name: task.score(name, targets, answers) for name in task.metrics} == pytest.approx(expected)
    found = evaluate_task(task, targets, answers, [], texts=TEXTS, mistakes=2)
    assert isinstance(found, NumberEvaluation)
    assert (found.mae.value, found.rmse.value) == pytest.approx((expected["mae"], expected["rmse"]))
    assert found.mae_of_mean == pytest.approx(metrics.mean_absolute_error(targets, np.full(300, 45.0)))
    by_scipy = stats.bootstrap((np.abs(values - targets),), np.mean, method="percentile", rng=np.random.default_rng(1))
    interval = by_scipy.confidence_interval
    assert (found.mae.low, found.mae.high) == pytest.approx((interval.low, interval.high), rel=0.02)
    worst = int(np.abs(values - targets).argmax())
    assert (found.mistakes[0].text, found.mistakes[0].value) == (TEXTS[worst], targets[worst])
    same = evaluate_task(task, np.ones(4), np.ones((4, 1)), [])
    assert isinstance(same, NumberEvaluation) and (same.r2, same.pearson, same.spearman) == (None, None, None)


def test_every_task_has_all_that_a_task_has() -> None:
    """A new one cannot arrive without its loss, its figures and its place in a model file."""
    found = {type(task_of(TaskConfig(task=name))) for name in TASKS}  # type: ignore[arg-type]
    assert found == set(LOSSES) == set(EVALUATORS) == set(get_args(AnyTask))
    for task in found:
        assert task.metrics[0] == "loss" and set(task.shown) <= set(task.metrics)
        for name in vars(Task):
            if not name.startswith("_"):
                assert callable(getattr(task, name)), (task, name)
        for name in Task.__annotations__:
            assert isinstance(getattr(task, name), tuple | bool), (task, name)
        assert msgspec.json.decode(msgspec.json.encode(task()), type=AnyTask) == task()


def test_less_is_better_for_losses_and_errors_alone() -> None:
    every = {name for task in (SingleLabel, MultiLabel, Ordinal, Regression) for name in task.metrics}
    assert every >= LESS_IS_BETTER == {name for name in every if better(name, 0.1, 0.2)}


HISTORY = [
    EpochRecord(
        epoch=epoch,
        loss=1 / epoch,
        accuracy=None,
        learning_rate=0.1,
        gradient_norm=1.0,
        tokens_per_second=None,
        validation={"loss": 0.5, "mae": 2.0},
    )
    for epoch in (1, 2)
]
CASES: dict[str, tuple[Any, Any, list[Any]]] = {
    "several labels": (MultiLabel(), sets(), ["a<script>", "b", "c", "d", "e"]),
    "levels": (Ordinal(), levels(), [1, 2, 3, 4, 5]),
    "numbers": (Regression(mean=45.0, std=20.0), numbers(), []),
}


@pytest.mark.parametrize("case", CASES)
def test_reports_of_every_kind(case: str, tmp_path: Path) -> None:
    task, (targets, answers), labels = CASES[case]
    texts = ["<b>bold</b> text " + "very long " * 40, *TEXTS[1:]]
    found = evaluate_task(task, targets, answers, labels, texts=texts, places=[f"d.csv, line {k}" for k in range(300)])
    text = to_text(found)
    assert max(map(len, text.splitlines())) <= 100 and "300 examples" in text
    assert {"several labels": "LRAP", "levels": "kappa", "numbers": "Pearson"}[case] in text
    assert msgspec.json.decode(to_json(found), type=type(found)) == found
    accuracy = None if case == "numbers" else 0.5
    history = [msgspec.structs.replace(record, accuracy=accuracy) for record in HISTORY]
    write_html(tmp_path / "page.html", found, history, "a & b")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and "a &amp; b" in page and "<svg" in page
    assert "<script>" not in page and "<b>bold" not in page
    draw_png(tmp_path / "picture.png", found, history)
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_arrays_that_do_not_fit_are_refused() -> None:
    targets, answers = sets()
    with pytest.raises(ValueError, match="expected booleans and probabilities"):
        MultiLabel().score("loss", targets.astype(int), answers)
    with pytest.raises(ValueError, match="probabilities from 0 to 1"):
        MultiLabel().score("loss", targets, answers + 1)
    with pytest.raises(ValueError, match="undefined"):
        MultiLabel().score("roc_auc", np.zeros((3, 2), dtype=bool), np.full((3, 2), 0.5))
    with pytest.raises(ValueError, match="expected numbers"):
        Regression().score("mae", np.ones(3), np.ones(3))
    with pytest.raises(ValueError, match="finite"):
        Regression().score("mae", np.ones(3), np.full((3, 1), np.nan))
    for task, arrays in ((MultiLabel(), sets()), (Ordinal(), levels()), (Regression(), numbers())):
        with pytest.raises(ValueError, match=r"metric: expected one of loss, .*, got 'best'"):
            task.score("best", *arrays)
