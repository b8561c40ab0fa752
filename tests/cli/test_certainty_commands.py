"""Abstaining, comparing, suspects, learning curves and texts out of scope through the real command line."""

import csv
import gzip
import io
import json
from pathlib import Path

import msgspec
import pytest

import textrnn
from builders import header, random_texts, random_weights
from commands import run_here
from textrnn.evaluation import Comparison, DataSizeCurve, Evaluation
from textrnn.runtime import Classifier

QUICK = ["--hidden-size", "8", "--embedding-size", "8", "--learning-rate", "0.02", "--dropout", "0.1"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models, test data with a third label, and training data of which every 20th label is wrong."""
    for seed, name in enumerate(("one.textrnn", "two.textrnn")):
        Classifier(header(), random_weights(header(), seed)).save(tmp_path / name)
    texts = random_texts(90)
    with (tmp_path / "test.csv").open("w", newline="") as file:
        rows = [[text or "film", "neg" if i % 3 else "pos"] for i, text in enumerate(texts)]
        csv.writer(file).writerows([["text", "label"], *rows])
    with (tmp_path / "mixed.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["text", "label"], *rows, ["the film", "other"], ["?", "other"]])
    with (tmp_path / "train.csv").open("w", newline="") as file:
        labels = ["good" if i % 2 else "bad" for i in range(120)]
        rows = [[f"a {label} film, {i}", label] for i, label in enumerate(labels)]
        for i in range(7, 120, 20):
            rows[i][1] = "good" if rows[i][1] == "bad" else "bad"
        csv.writer(file).writerows([["text", "label"], *rows])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_abstentions_are_empty_or_the_word_or_null(folder: Path) -> None:
    texts = "good film\nthe story\nboring\n?\n"
    predictions = textrnn.load("one.textrnn").predict(texts.splitlines())
    threshold = sorted(prediction.probability for prediction in predictions)[2]
    expected = [p.label if p.probability >= threshold else None for p in predictions]
    assert expected.count(None) == 2
    for options, nothing in (([], ""), (["--abstention", "human, please"], "human, please")):
        result = run_here(*["predict", "one.textrnn", "--abstain-below", threshold, *options], stdin=texts.encode())
        rows = list(csv.DictReader(io.StringIO(result.out)))
        assert [row["label"] for row in rows] == [nothing if label is None else label for label in expected]
        assert [row["probability"] for row in rows] == [f"{p.probability:.6f}" for p in predictions]
        command = ["predict", "one.textrnn", "--abstain-below", threshold, "--to", "jsonl", *options]
        lines = run_here(*command, stdin=texts.encode()).out.splitlines()
        assert [json.loads(line)["label"] for line in lines] == [
            nothing or None if label is None else label for label in expected
        ]


def test_evaluate_with_texts_out_of_scope(folder: Path) -> None:
    result = run_here("evaluate", "one.textrnn", "mixed.csv", "--out-of-scope", "other", "--html", "e.html")
    assert result.code == 0, result.err
    assert "90 examples, 2 classes" in result.out and "out of scope (2 texts labelled other" in result.out
    page = (folder / "e.html").read_text("utf-8")
    assert "Out of scope" in page and "Accuracy by length" in page and "Can the probabilities be believed?" in page
    result = run_here("evaluate", "one.textrnn", "mixed.csv", "--out-of-scope", "other", "--json", "-")
    found = msgspec.json.decode(result.out.encode(), type=Evaluation)
    assert found == textrnn.load("one.textrnn").evaluate("mixed.csv", out_of_scope="other")
    assert found.out_of_scope is not None and found.by_length is not None


def test_compare(folder: Path) -> None:
    result = run_here("compare", "one.textrnn", "two.textrnn", "test.csv", "--disagreements", "2", "--json", "c.json")
    assert result.code == 0, result.err
    assert result.out.startswith("90 examples\n") and "McNemar's test" in " ".join(result.out.split())
    assert result.out.count("test.csv, line ") == 2
    found = msgspec.json.decode((folder / "c.json").read_bytes(), type=Comparison)
    assert found == textrnn.compare("one.textrnn", "two.textrnn", "test.csv", disagreements=2)
    printed = run_here("compare", "one.textrnn", "two.textrnn", "test.csv", "--disagreements", "2", "--json", "-")
    assert printed.out.encode() == (folder / "c.json").read_bytes()


def test_suspects_of_a_training_and_of_a_model(folder: Path) -> None:
    result = run_here(
        *["suspects", "train.csv", "--folds", "2", "--epochs", "8", "--effort", "plain", "--out", "s.csv", *QUICK]
    )
    assert result.code == 0, result.err
    assert "fold 2 of 2: accuracy 0." in result.err
    with (folder / "s.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert result.out == f"saved s.csv: {len(rows)} suspects\n"
    assert list(rows[0]) == ["place", "text", "label", "suggested", "score"]
    planted = {f"train.csv, line {i + 2}" for i in range(7, 120, 20)}
    found = {row["place"] for row in rows}
    assert found <= planted and len(found) > len(planted) / 2  # how many are listed is the method's estimate
    for row in rows:
        assert row["suggested"] != row["label"] and row["place"].startswith("train.csv, line ")
    result = run_here("suspects", "test.csv", "--model", "one.textrnn", "--effort", "plain")
    assert result.code == 2 and "--model and --effort cannot go together" in result.err
    result = run_here("suspects", "test.csv", "--model", "one.textrnn")
    assert result.code == 0, result.err
    assert result.out.startswith("place,text,label,suggested,score\n") and not result.err


def test_learning_curve(folder: Path) -> None:
    command = ["learning-curve", "train.csv", "--fractions", "0.5,1", "--epochs", "2", *QUICK]
    result = run_here(*command, "--json", "c.json", "--png", "c.png")
    assert result.code == 0, result.err
    assert "accuracy on 24 test texts" in result.out and "brought" in result.out
    assert result.err.count("trained in") == 2
    assert (folder / "c.png").read_bytes().startswith(b"\x89PNG")
    curve = msgspec.json.decode((folder / "c.json").read_bytes(), type=DataSizeCurve)
    assert [point.examples for point in curve.points] == [48, 96]
    printed = run_here(*command, "--test", "train.csv", "--json", "-")
    assert [point["examples"] for point in json.loads(printed.out)["points"]] == [60, 120]


@pytest.mark.slow
@pytest.mark.data
def test_real_intents_that_were_withheld_from_training(data_folder: Path, tmp_path: Path) -> None:
    """clinc150 without every third of its classes: their texts must be the less certain ones."""

    def read(part: str) -> list[list[str]]:
        with gzip.open(data_folder / "clinc150" / f"{part}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            return [[row["text"], row["label"]] for row in csv.DictReader(file)]

    withheld = set(sorted({label for _, label in read("train")})[::3])
    assert len(withheld) == 50
    classifier = textrnn.train(effort="plain", data=[row for row in read("train") if row[1] not in withheld])
    test = [[text, "unknown" if label in withheld else label] for text, label in read("test")]
    evaluation = classifier.evaluate(test, out_of_scope="unknown")
    found = evaluation.out_of_scope
    assert found is not None and found.examples == 1500 and evaluation.examples == 3000
    assert found.auroc > 0.8 and found.fpr_at_95_tpr < 0.75  # chance: 0.5 and 0.95
    errors = 3000 - sum(evaluation.confusion[i][i] for i in range(100))
    assert evaluation.selection.handovers[0].errors_left <= 0.8 * errors
