"""Every task from real texts to a model file and its predictions, better than a trivial baseline by a clear margin."""

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sklearn import metrics

import textrnn
from commands import assert_refused, nothing_changes, run_here
from forge import valid
from textrnn.evaluation import NumberEvaluation, SetEvaluation
from textrnn.modelfile import to_bytes
from textrnn.tasks import MultiLabel, Ordinal, Regression
from textrnn.tuning import TrialRecord

Rows = list[tuple[str, Any]]
SMALL: dict[str, Any] = {
    **{"effort": "plain", "cell": "gru", "pooling": "max", "embedding_size": 32, "hidden_size": 32, "max_length": 60},
    **{"epochs": 5, "learning_rate": 0.01, "batch_size": 64, "dropout": 0.2, "ngrams": 1, "calibrate": True},
    **{"timings": False, "patience": 0},
}


def rows(folder: Path, name: str, part: str) -> list[tuple[str, str]]:
    with gzip.open(folder / name / f"{part}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]


def questions(folder: Path, part: str, count: int) -> Rows:
    """None to three questions of trec6 one after the other, with the kinds of all of them."""
    rng = np.random.default_rng(1)
    data = rows(folder, "trec6", part)
    chosen = [rng.choice(len(data), int(rng.integers(0, 4)), replace=False).tolist() for _ in range(count)]
    return [(" ".join(data[k][0] for k in some), sorted({data[k][1] for k in some})) for some in chosen]


def reviews(folder: Path, part: str, count: int, answer: Callable[[int], Any]) -> Rows:
    """Two short texts of sst2's kind one after the other; the answer is made from how many of them are positive."""
    rng = np.random.default_rng(2)
    data = [(text, label == "pos") for text, label in rows(folder, "sst2", part) if len(text) < 100]
    kinds = [[text for text, positive in data if positive == kind] for kind in (False, True)]
    found: Rows = []
    for _ in range(count):
        positive = int(rng.integers(0, 3))
        some = [str(rng.choice(kinds[k])) for k in rng.permutation([1] * positive + [0] * (2 - positive))]
        found.append((" ".join(some), answer(positive)))
    return found


def write(path: Path, data: Rows) -> Path:
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in data))
    return path


@pytest.mark.data
def test_several_labels(data_folder: Path, tmp_path: Path) -> None:
    training, test = questions(data_folder, "train", 1200), questions(data_folder, "test", 300)
    settings = ("--task", "multi_label", "--effort", "plain", "--cell", "gru", "--pooling", "max", "--epochs", "6")
    small = ("--embedding-size", "32", "--hidden-size", "32", "--learning-rate", "0.01", "--ngrams", "1", "--calibrate")
    model, data = tmp_path / "m.textrnn", write(tmp_path / "d.jsonl", training)
    result = run_here("train", data, "--out", model, *settings, *small, "--progress", "none")
    assert result.code == 0, result.err
    classifier = textrnn.load(model)
    assert isinstance(classifier.task, MultiLabel) and len(classifier.task.thresholds) == 6
    evaluation = classifier.evaluate(test)
    assert isinstance(evaluation, SetEvaluation)
    every = np.mean([len(labels) for _, labels in test]) / 6  # always all labels
    assert evaluation.micro_f1 > 2 * every / (1 + every) + 0.2 and evaluation.lrap > 0.8
    share = np.mean([[label in labels for label in classifier.labels] for _, labels in test], axis=0)
    entropy = -(share * np.log(share) + (1 - share) * np.log(1 - share)).mean()  # always the shares
    assert evaluation.log_loss < 0.7 * entropy
    truth = np.array([[label in labels for label in classifier.labels] for _, labels in test])
    given = np.array(
        [
            [label in (one.labels or []) for label in classifier.labels]
            for one in classifier.predict([text for text, _ in test])
        ]
    )
    assert evaluation.micro_f1 == pytest.approx(metrics.f1_score(truth, given, average="micro"))
    assert evaluation.macro_f1 == pytest.approx(metrics.f1_score(truth, given, average="macro"))

    (tmp_path / "lines.txt").write_text("\n".join(text for text, _ in test) + "\n")
    found = classifier.predict([text for text, _ in test])
    written = run_here("predict", model, tmp_path / "lines.txt").out
    table = list(csv.DictReader(written.splitlines()))
    assert list(table[0]) == ["labels", *(f"p({label})" for label in classifier.labels)]
    assert [row["labels"] for row in table] == ["|".join(map(str, one.labels or [])) for one in found]
    objects = [
        json.loads(line)
        for line in run_here("predict", model, tmp_path / "lines.txt", "--to", "jsonl").out.splitlines()
    ]
    assert [one["labels"] for one in objects] == [one.labels for one in found]
    for one in found:
        assert one.labels == [
            label
            for label, threshold in zip(classifier.labels, classifier.task.thresholds, strict=True)
            if one.probabilities[label] >= threshold
        ]
        assert (
            one.label is None
            if not one.labels
            else one.probabilities[one.label or ""] == max(one.probabilities[label] for label in one.labels)
        )
    report = run_here("evaluate", model, write(tmp_path / "t.jsonl", test), "--html", tmp_path / "page.html")
    assert report.code == 0 and f"micro F1           {evaluation.micro_f1:.4f}" in report.out, report.err
    assert "thresholds" in run_here("info", model).out
    assert_refused(run_here("predict", model, tmp_path / "lines.txt", "--abstain-below", "0.5"), "--abstain-below")
    assert_refused(run_here("compare", model, model, tmp_path / "t.jsonl"), "one label a text")
    assert_refused(run_here("evaluate", model, tmp_path / "t.jsonl", "--baseline", data), "--baseline")
    with pytest.raises(textrnn.ConfigError, match="suspects: expected a model that predicts one label"):
        textrnn.suspects(test, model=classifier)


@pytest.mark.data
def test_levels(data_folder: Path) -> None:
    names = ["bad", "mixed", "good"]
    training, test = (
        reviews(data_folder, part, count, names.__getitem__) for part, count in (("train", 2500), ("test", 300))
    )
    classifier = textrnn.train(training, task="ordinal", label_order=",".join(names), **SMALL)
    assert classifier.labels == names and isinstance(classifier.task, Ordinal)
    evaluation = classifier.evaluate(test)
    truth = np.array([names.index(label) for _, label in test])
    trivial = min(np.abs(truth - level).mean() for level in range(3))
    assert evaluation.levels.mae < trivial - 0.1 and evaluation.levels.quadratic_kappa > 0.4
    probabilities = classifier.predict_proba([text for text, _ in test])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    predicted = [names.index(str(found.label)) for found in classifier.predict([text for text, _ in test])]
    assert (predicted == (np.cumsum(probabilities, axis=1) <= 0.5).sum(axis=1)).all()
    assert evaluation.levels.mae == pytest.approx(metrics.mean_absolute_error(truth, predicted))
    kappa = metrics.cohen_kappa_score(truth, predicted, weights="quadratic")
    assert evaluation.levels.quadratic_kappa == pytest.approx(kappa)
    assert textrnn.compare(classifier, classifier, test).accuracy[0].value == evaluation.accuracy.value
    assert classifier.predict("", abstain_below=1.0).label is None


@pytest.mark.data
def test_numbers(data_folder: Path, tmp_path: Path) -> None:
    training, test = (
        reviews(data_folder, part, count, lambda k: 1e6 + 250.0 * k) for part, count in (("train", 2500), ("test", 300))
    )
    classifier = textrnn.train(training, task="regression", **SMALL)
    assert classifier.labels == [] and isinstance(classifier.task, Regression)
    evaluation = classifier.evaluate(test)
    assert isinstance(evaluation, NumberEvaluation) and evaluation.r2 is not None
    assert evaluation.mae.value < 0.85 * evaluation.mae_of_mean and evaluation.r2 > 0.25
    classifier.save(tmp_path / "m.textrnn")
    loaded = textrnn.load(tmp_path / "m.textrnn")
    texts = [text for text, _ in test]
    values = [found.value for found in loaded.predict(texts)]
    assert values == [found.value for found in classifier.predict(texts)]
    assert evaluation.r2 == pytest.approx(metrics.r2_score([value for _, value in test], values))
    assert evaluation.mae.value == pytest.approx(np.mean(np.abs(np.array(values) - [value for _, value in test])))
    (tmp_path / "lines.txt").write_text("\n".join(texts) + "\n")
    table = run_here("predict", tmp_path / "m.textrnn", tmp_path / "lines.txt").out.splitlines()
    assert table[0] == "value" and [float(line) for line in table[1:]] == pytest.approx(values, rel=1e-8)
    shown = run_here("evaluate", tmp_path / "m.textrnn", write(tmp_path / "t.jsonl", test), "--png", tmp_path / "a.png")
    assert shown.code == 0 and "worst errors" in shown.out, shown.err
    with pytest.raises(textrnn.ConfigError, match="no probability"):
        loaded.predict_proba(texts)
    with pytest.raises(textrnn.ConfigError, match="abstain_below: expected 0"):
        loaded.predict("good", abstain_below=0.5)
    with pytest.raises(textrnn.ConfigError, match="others have no thresholds"):
        textrnn.choose_threshold(loaded, test, target="good", recall=0.5)


WORDS: dict[str, list[Any]] = {
    "multi_label": [["a"], [], ["a", "b"], ["b"]],
    "ordinal": [1, 2, 3, 4],
    "regression": [1.5, 2.0, 0.1, 7.0],
}
TEXTS = [f"{word} {thing}" for word in ("good", "fine", "bad", "dull") for thing in "film plot cast end".split()] * 3


@pytest.mark.parametrize("task", WORDS)
@pytest.mark.parametrize("more", [{"r_drop": 1.0}, {"adversarial": 1.0, "virtual_adversarial": 1.0}, {"members": 2}])
def test_all_ways_of_training_know_every_task(task: str, more: dict[str, Any], tmp_path: Path) -> None:
    labels = [WORDS[task][index // 4 % 4] for index in range(len(TEXTS))]
    settings = {**SMALL, "epochs": 3, "min_count": 1, "bidirectional": True, **more}
    first = textrnn.train(TEXTS, labels, task=task, checkpoint=tmp_path / "c", **settings)
    again = textrnn.train(TEXTS, labels, task=task, checkpoint=tmp_path / "c", resume=True, **settings)
    assert to_bytes(first.header, first.weights) == to_bytes(again.header, again.weights)
    losses = [record.loss for record in first.history]
    assert losses[-1] < losses[0] and (first.history[0].accuracy is None) == (task == "regression")


@pytest.mark.parametrize("task", WORDS)
def test_a_stream_ends_where_the_whole_text_does(task: str) -> None:
    labels = [WORDS[task][index // 4 % 4] for index in range(len(TEXTS))]
    classifier = textrnn.train(TEXTS, labels, task=task, **{**SMALL, "epochs": 2, "min_count": 1})
    stream = classifier.stream()
    for word in "good dull film".split():
        told = stream.push(word)
    whole = classifier.predict("good dull film")
    expected = {"value": whole.value} if task == "regression" else whole.probabilities
    assert told == pytest.approx(expected, abs=1e-5)


def test_a_label_that_almost_nobody_or_everybody_has_is_no_obstacle() -> None:
    labels = [["all", "once"] if index == 5 else ["all"] for index in range(len(TEXTS))]
    classifier = textrnn.train(TEXTS, labels, task="multi_label", **{**SMALL, "epochs": 2, "min_count": 1})
    probabilities = classifier.predict("good film").probabilities
    assert probabilities["all"] > 0.5 > probabilities["once"]
    settings: dict[str, Any] = {**SMALL, "epochs": 2, "min_count": 1, "label_order": "low,never,high"}
    levels = textrnn.train(
        *(TEXTS, ["low", "high"] * (len(TEXTS) // 2)),
        task="ordinal",
        **settings,
    )
    assert levels.predict("good film").probabilities["never"] < 0.3


def test_balanced_classes_and_focal_loss_reach_the_training() -> None:
    labels = [["rare"] if index % 12 == 0 else [] for index in range(len(TEXTS))]
    settings = {**SMALL, "epochs": 3, "min_count": 1, "calibrate": False, "ngrams": 0}
    weighing: list[dict[str, Any]] = [{}, {"class_weight": "balanced"}, {"focal": 2.0}]
    plain, balanced, focal = (
        textrnn.train(TEXTS, labels, task="multi_label", **settings, **more).predict("fine film").probabilities["rare"]
        for more in weighing
    )
    assert balanced > plain and focal != plain
    names = ["rare" if has else "usual" for has in labels]
    losses = [textrnn.train(TEXTS, names, **settings, **more).history[0].loss for more in weighing]
    assert losses[2] < losses[0]


def test_old_model_files_have_one_label_a_text() -> None:
    labels = ["x" if index % 2 else "y" for index in range(len(TEXTS))]
    classifier = textrnn.train(TEXTS, labels, **{**SMALL, "epochs": 1, "min_count": 1})
    content = msgspec.to_builtins(classifier.header)
    del content["task"]
    del content["provenance"]["training"]["focal"]
    assert msgspec.convert(content, type(classifier.header)) == classifier.header


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (
            "learning-curve d.csv --task multi_label",
            "task: expected 'single_label', which is all that a learning curve",
        ),
        (
            "suspects d.csv --task regression",
            "task: expected 'single_label', which is all that the search for suspects",
        ),
        ("train d.csv --task regression", "d.csv, line 2: the label 'x' is no number"),
        ("train d.csv --task ordinal", "d.csv, line 2: the label 'x' is no number: expected numbers, or the order"),
        ("train d.csv --task ordinal --label-order x", "label_order: expected at least two different labels"),
        ("train d.csv --task regression --focal 2", "focal: expected 0"),
        ("train d.csv --metric r2", "metric: expected one of loss, accuracy"),
        ("threshold old.textrnn d.csv --label good --precision 2", "label: expected one of neg, pos, got 'good'"),
        ("threshold old.textrnn d.csv --label pos --precision 2", "above 0 and at most 1, got 2.0"),
        ("threshold old.textrnn d.csv --label pos --recall 0.5", "unknown label 'x', expected one of 'neg', 'pos'"),
    ],
)
def test_what_is_refused_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("d.csv").write_text("text,label\none,x\ntwo,y\n")
    Path("old.textrnn").write_bytes(valid())
    with nothing_changes(tmp_path):
        assert_refused(run_here(*command.split()), sentence)


def test_a_search_for_less_error_finds_less_error() -> None:
    labels = [[1.5, 2.0, 0.1, 7.0][index // 4 % 4] for index in range(len(TEXTS))]
    small: dict[str, Any] = {"embedding_size": 8, "hidden_size": 8, "min_count": 1, "max_length": 8, "cell": "elman"}
    seen: list[TrialRecord] = []

    def twice(record: TrialRecord) -> None:
        seen.append(record)
        if len(seen) == 2:
            raise KeyboardInterrupt  # as Ctrl-C ends a search

    fixed = {**small, "layers": 1, "epochs": 2}
    tuning = textrnn.tune(TEXTS, labels, task="regression", metric="mae", budget=300.0, on_trial=twice, **fixed)
    values = [trial.value for trial in seen if trial.value is not None]
    assert tuning.best.value == min(values) and isinstance(tuning.classifier.task, Regression)


@pytest.mark.parametrize(("levels", "told"), [([1, 2], "task ordinal\n"), (["low", "high"], "task ordinal, order [")])
def test_info_tells_the_order_of_levels_where_one_was_given(levels: list[Any], told: str, tmp_path: Path) -> None:
    settings: dict[str, Any] = {**SMALL, "epochs": 1, "min_count": 1}
    if isinstance(levels[0], str):
        settings["label_order"] = "low,high"
    textrnn.train(TEXTS, levels * (len(TEXTS) // 2), task="ordinal", **settings).save(tmp_path / "m.textrnn")
    assert told in run_here("info", tmp_path / "m.textrnn").out
