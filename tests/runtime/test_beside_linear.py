"""`train(baseline=True)` and `evaluate(baseline=…)` against scikit-learn used directly."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss

import textrnn
from textrnn.config import TextConfig
from textrnn.data import as_examples, collect, split_stratified
from textrnn.errors import ConfigError, DataError
from textrnn.evaluation import to_text, write_html
from textrnn.runtime import baseline

SETTINGS: dict[str, Any] = {
    "effort": "plain",
    "epochs": 1,
    "hidden_size": 4,
    "embedding_size": 4,
    "on_event": lambda event: None,
}


def pairs(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """Only the order of two words tells the class, so that pairs are needed."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        label, word = rng.choice(["up", "down"]), f"word{rng.integers(30)}"
        found.append((f"{word} {'first second' if label == 'up' else 'second first'} {word}", str(label)))
    return found


def by_hand(train: Any, c: float) -> tuple[TfidfVectorizer, LogisticRegression]:
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+")
    return vectorizer, LogisticRegression(C=c, max_iter=5000, tol=1e-7).fit(
        vectorizer.fit_transform(train.texts), train.targets
    )


def test_training_keeps_both_sides_and_notes_the_better_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="textrnn"):
        classifier = textrnn.train(pairs(300), baseline=True, **SETTINGS)
    record = classifier.baseline
    assert record is not None
    training, validation = split_stratified(collect(as_examples(pairs(300))), 0.1, 42)
    assert (record.texts, record.learned_from) == (len(validation), len(training))
    vectorizer, regression = by_hand(training, record.c)
    theirs = regression.predict_proba(vectorizer.transform(validation.texts))
    assert record.features == len(vectorizer.vocabulary_)
    assert record.linear.accuracy == accuracy_score(validation.targets, theirs.argmax(axis=1)) == 1
    assert record.linear.loss == pytest.approx(log_loss(validation.targets, theirs), abs=3e-3)
    ours = classifier.predict_proba(validation.texts)
    assert record.network.accuracy == accuracy_score(validation.targets, ours.argmax(axis=1)) < 0.9
    assert record.network.loss == pytest.approx(log_loss(validation.targets, ours))
    assert "the linear model is better by accuracy, macro F1 and log loss" in caplog.text
    classifier.save(tmp_path / "m.textrnn")
    assert textrnn.load(tmp_path / "m.textrnn").baseline == record


def test_without_timings_equal_trainings_write_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        textrnn.train(pairs(100), baseline=True, timings=False, **SETTINGS).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_without_being_asked_there_is_none() -> None:
    classifier = textrnn.train(pairs(60), **SETTINGS)
    assert classifier.baseline is None
    assert classifier.evaluate(pairs(20, seed=1)).baseline is None


def test_a_comparison_needs_validation_texts() -> None:
    with pytest.raises(ConfigError, match="baseline: expected validation texts"):
        textrnn.train(pairs(60), baseline=True, validation_fraction=0, **SETTINGS)


@pytest.mark.parametrize("problem", [DataError("no text has a token"), KeyboardInterrupt(), MemoryError()])
def test_what_goes_wrong_does_not_cost_the_network(
    problem: BaseException, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: Any, **settings: Any) -> None:
        raise problem

    monkeypatch.setattr(baseline, "fit_linear_model", fail)
    classifier = textrnn.train(pairs(60), baseline=True, **SETTINGS)
    assert classifier.baseline is None and len(classifier.history) == 1
    assert "no linear model beside the network" in caplog.text


def test_evaluation_learns_from_the_same_texts_as_the_training(tmp_path: Path) -> None:
    """The part that was split off in training is split off again: the test figures are those of the same model."""
    classifier = textrnn.train(pairs(300), baseline=True, **SETTINGS)
    test = pairs(80, seed=1)
    evaluation = classifier.evaluate(test, baseline=pairs(300))
    record, trained = evaluation.baseline, classifier.baseline
    assert record is not None and trained is not None
    assert (record.learned_from, record.c, record.texts) == (trained.learned_from, trained.c, 80)
    training, _ = split_stratified(collect(as_examples(pairs(300))), 0.1, 42)
    vectorizer, regression = by_hand(training, record.c)
    targets = np.array([["down", "up"].index(label) for _, label in test])
    theirs = regression.predict_proba(vectorizer.transform([text for text, _ in test]))
    assert record.linear.loss == pytest.approx(log_loss(targets, theirs), abs=3e-3)
    assert record.network.accuracy == evaluation.accuracy.value
    assert record.network.macro_f1 == evaluation.macro_f1.value
    assert "the linear model is better" in to_text(evaluation)
    write_html(tmp_path / "page.html", evaluation, classifier.history, "page")
    assert "Beside a linear model" in (tmp_path / "page.html").read_text()


def test_with_validation_texts_of_its_own_the_whole_file_is_learned_from(caplog: pytest.LogCaptureFixture) -> None:
    classifier = textrnn.train(pairs(200), validation=pairs(40, seed=2), **SETTINGS)
    record = classifier.evaluate(pairs(50, seed=1), baseline=pairs(200)).baseline
    assert record is not None and record.learned_from == 200
    assert "other texts" not in caplog.text


def test_other_texts_than_the_models_are_noted(caplog: pytest.LogCaptureFixture) -> None:
    classifier = textrnn.train(pairs(100), **SETTINGS)
    assert classifier.evaluate(pairs(50, seed=1), baseline=pairs(120, seed=3)).baseline is not None
    assert "the linear model learns from other texts than the model did" in caplog.text


def test_runs_of_characters_where_tokens_are_characters() -> None:
    rng = np.random.default_rng(0)
    texts = [("กข" if i % 2 else "ขก") + "".join(rng.choice(list("คงจฉ"), size=6)) for i in range(200)]
    labelled = [(text, i % 2) for i, text in enumerate(texts)]
    classifier = textrnn.train(labelled, baseline=True, tokenizer="characters", **SETTINGS)
    assert classifier.baseline is not None and classifier.baseline.linear.accuracy == 1
    training, _ = split_stratified(collect(as_examples(labelled)), 0.1, 42)
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 4)).fit(training.texts)
    assert classifier.baseline.features == len(vectorizer.vocabulary_)


def run(*arguments: str | Path) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "textrnn", *map(str, arguments)], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_command_line_shows_it(tmp_path: Path) -> None:
    for name, seed, count in (("train", 0, 200), ("test", 1, 60)):
        rows = "\n".join(f"{text},{label}" for text, label in pairs(count, seed))
        (tmp_path / f"{name}.csv").write_text(f"text,label\n{rows}\n")
    model, train, test = tmp_path / "m.textrnn", tmp_path / "train.csv", tmp_path / "test.csv"
    size = ["--effort", "plain", "--epochs", "1", "--hidden-size", "4", "--embedding-size", "4"]
    printed = run("train", train, "--out", model, "--baseline", "--progress", "none", *size)
    assert "20 validation texts" in printed and "the linear model is better by accuracy" in printed
    saved = json.loads(run("train", train, "--out", model, "--baseline", "--progress", "json", *size).splitlines()[-1])
    assert saved["event"] == "saved" and saved["baseline"]["linear"]["accuracy"] == 1
    assert "baseline      the linear model is better by" in run("info", model)
    assert "60 test texts" in run("evaluate", model, test, "--baseline", train)
    evaluation = json.loads(run("evaluate", model, test, "--baseline", train, "--json", "-"))
    assert evaluation["baseline"]["learned_from"] == 180


def test_evaluation_beside_a_linear_model_needs_no_torch(tmp_path: Path) -> None:
    textrnn.train(pairs(60), **SETTINGS).save(tmp_path / "m.textrnn")
    code = """
import sys, textrnn
pairs = [("first second", "up"), ("second first", "down"), ("first", "up"), ("second", "down")] * 10
record = textrnn.load(sys.argv[1]).evaluate(pairs, baseline=pairs).baseline
assert record.linear.accuracy == 1, record
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "m.textrnn")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.data
def test_on_real_texts_it_is_as_good_as_scikit_learn_alone(data_folder: Path) -> None:
    def read(part: str) -> Any:
        return collect(as_examples(data_folder / "sst2" / f"{part}.csv.gz"))

    train, validation = read("train"), read("dev")
    model = baseline.linear_model(train, validation, TextConfig())
    losses = {}
    for c in (1.0, 4.0, 16.0, 64.0):
        vectorizer, regression = by_hand(train, c)
        losses[c] = log_loss(validation.targets, regression.predict_proba(vectorizer.transform(validation.texts)))
    ours = log_loss(validation.targets, model.predict_proba(validation.texts))
    assert ours < min(losses.values()) + 0.005
    assert model.c in losses and model.converged
