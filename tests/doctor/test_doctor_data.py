"""Planted leaks, contradictions, unknown words and over-confidence, found with scikit-learn's own numbers."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import accuracy_score, precision_score, recall_score

import textrnn
from builders import header, random_texts, random_weights
from commands import assert_refused, run_here
from made import pairs, write_csv
from textrnn.data import LabelledTexts, read_labelled
from textrnn.doctor import CHECKS, Finding, examine
from textrnn.labels import Label
from textrnn.text.tokenizer import words

QUICK: dict[str, Any] = {"effort": "plain", "epochs": 1, "hidden_size": 4}


def dataset(texts: list[str], labels: list[Any], known: list[Label] | None = None) -> LabelledTexts:
    return read_labelled(texts, labels, known=known or sorted(set(labels)))


def by_check(findings: list[Finding], check: str) -> list[Finding]:
    return [finding for finding in findings if finding.check == check]


def one(classifier: textrnn.Classifier, data: LabelledTexts, check: str) -> Finding:
    found = by_check(examine(classifier, data), check)
    assert len(found) == 1
    return found[0]


def made(labels: list[Label] | None = None, **model: Any) -> textrnn.Classifier:
    head = header(labels, **model)
    return textrnn.Classifier(head, random_weights(head, seed=4))


@pytest.fixture(scope="module")
def trained() -> textrnn.Classifier:
    return textrnn.train(pairs(200), timings=False, **QUICK)


@pytest.mark.parametrize(
    "model",
    [
        {"cell": "elman"},
        {"cell": "elman_relu", "pooling": "max"},
        {"cell": "gru", "bidirectional": True, "layers": 3, "members": 3},
        {"cell": "lstm", "padding": "through", "pooling": "last"},
        {"cell": "mingru", "layers": 2},
        {"cell": "minlstm", "pooling": "mean"},
    ],
)
def test_every_check_can_look_at_every_model(model: dict[str, Any]) -> None:
    texts = [*random_texts(40), "", "A" * 2000, "\u0301", "good " * 50]
    findings = examine(made(**model), dataset(texts, ["neg", "pos"] * (len(texts) // 2)))
    assert {finding.check for finding in findings} >= set(CHECKS)
    assert not [finding for finding in findings if "could not be looked at" in finding.message]
    order = ["problem", "warning", "note", "fine"]
    assert [finding.severity for finding in findings] == sorted((one.severity for one in findings), key=order.index)
    assert all(finding.advice for finding in findings if finding.severity in ("problem", "warning"))


@pytest.mark.parametrize("task", ["multi_label", "regression", "ordinal"])
def test_every_check_can_look_at_every_task(task: str) -> None:
    rng = np.random.default_rng(0)
    texts = [text for text, _ in pairs(100)]
    made_up: dict[str, list[Any]] = {
        "multi_label": [[name for name in "abc" if rng.random() < 0.5] for _ in texts],
        "regression": [float(value) for value in rng.standard_normal(len(texts))],
        "ordinal": [int(value) for value in rng.integers(1, 4, len(texts))],
    }
    labels = made_up[task]
    classifier = textrnn.train(texts, labels=labels, task=task, ngrams=2, character_ngrams=3, **QUICK)
    data = read_labelled(texts, labels, task=classifier.task, known=classifier.labels)
    findings = examine(classifier, data, data)
    assert not [finding for finding in findings if "could not be looked at" in finding.message]
    assert by_check(findings, "overlap")[0].numbers == {"shared": 100, "share": 1.0}


def test_a_check_that_fails_hides_no_other(monkeypatch: pytest.MonkeyPatch, trained: textrnn.Classifier) -> None:
    def broken(case: Any) -> Any:
        raise ValueError("strange")

    monkeypatch.setitem(CHECKS, "lengths", broken)
    findings = examine(trained, dataset(*map(list, zip(*pairs(50), strict=True))))
    assert by_check(findings, "lengths")[0].message == "This could not be looked at: strange"
    assert {finding.check for finding in findings} >= set(CHECKS)


def test_coverage_is_scikit_learn_s_count() -> None:
    classifier = made()
    texts = random_texts(80, seed=5)
    numbers = one(classifier, dataset(texts, ["neg", "pos"] * 40), "vocabulary").numbers
    vectorizer = CountVectorizer(tokenizer=words, token_pattern=None, lowercase=False)
    counts = np.asarray(vectorizer.fit_transform(texts).sum(axis=0)).ravel()
    known = set(classifier.header.vocabulary)
    strange = {
        word: int(count)
        for word, count in zip(vectorizer.get_feature_names_out(), counts, strict=True)
        if word not in known
    }
    assert numbers["tokens"] == counts.sum() and numbers["most_frequent"] == strange
    assert numbers["share"] == pytest.approx(sum(strange.values()) / counts.sum())


def test_cut_texts_are_counted() -> None:
    texts = [" ".join(["good"] * length) for length in (0, 1, 12, 13, 40)]
    findings = by_check(examine(made(), dataset(texts, ["neg", "pos", "neg", "pos", "neg"])), "lengths")
    numbers = findings[0].numbers if "cut" in findings[0].numbers else findings[1].numbers
    assert (numbers["cut"], numbers["longest"], numbers["empty"]) == (2, 40, 1)
    assert numbers["share_of_tokens"] == pytest.approx(29 / 66)
    assert any("max_length=" in finding.advice for finding in findings)


def leaky(share: float, seed: int = 0) -> tuple[list[str], list[str]]:
    """Texts of random words; so much of the class `pos` also has 'zzz qqq'."""
    rng = random.Random(seed)
    texts, labels = [], []
    for index in range(400):
        label = "pos" if index % 2 else "neg"
        found = [f"w{rng.randrange(40)}" for _ in range(8)]
        if label == "pos" and rng.random() < share:
            found[3:3] = ["zzz", "qqq"]
        texts.append(" ".join(found))
        labels.append(label)
    return texts, labels


@pytest.mark.parametrize(("share", "severity"), [(0.0, "fine"), (0.1, "fine"), (0.35, "warning"), (0.8, "problem")])
def test_a_planted_word_is_found_with_its_precision_and_recall(share: float, severity: str) -> None:
    texts, labels = leaky(share)
    finding = one(made(), dataset(texts, labels), "label leaks")
    assert finding.severity == severity
    if severity != "fine":
        rows = {row["ngram"]: row for row in finding.numbers["ngrams"]}
        assert set(rows) == {"zzz", "qqq"}  # the pair tells no more than each of them
        holds = ["pos" if "zzz" in text else "neg" for text in texts]
        assert rows["zzz"]["precision"] == precision_score(labels, holds, pos_label="pos")
        assert rows["zzz"]["recall"] == recall_score(labels, holds, pos_label="pos")


def test_a_pair_that_tells_more_than_its_words_is_found() -> None:
    texts, labels = leaky(0.0)
    texts = [f"{text} {'a b' if label == 'pos' else 'b a'}" for text, label in zip(texts, labels, strict=True)]
    rows = one(made(), dataset(texts, labels), "label leaks").numbers["ngrams"]
    assert {(row["ngram"], row["label"]) for row in rows} == {("a b", "pos"), ("b a", "neg")}


def test_an_honest_word_is_no_leak() -> None:
    texts, labels = leaky(0.9)
    texts = [f"{text} zzz" if index % 20 == 0 else text for index, text in enumerate(texts)]  # a tenth of the others
    finding = one(made(), dataset([text.replace("qqq", "") for text in texts], labels), "label leaks")
    assert finding.severity == "fine"


def test_a_label_that_names_itself_is_found() -> None:
    texts, labels = leaky(0.0)
    labels = ["space travel" if label == "pos" else "2" for label in labels]
    texts = [
        f"{text} Space Travel" if label != "2" and index % 4 == 1 else f"{text} 2"
        for index, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    finding = one(made(["2", "space travel"]), dataset(texts, labels), "label names")
    assert finding.severity == "problem"
    assert finding.numbers["labels"] == [{"label": "space travel", "texts": 100, "precision": 1.0, "recall": 0.5}]


def test_one_text_under_two_labels_is_found() -> None:
    texts, labels = leaky(0.0)
    texts += [texts[0].upper(), texts[1], texts[1]]
    labels += ["pos", labels[1], "neg"]
    finding = one(made(), dataset(texts, labels), "contradictions")
    assert finding.numbers["contradicting_texts"] == 5 and finding.severity == "warning"
    assert "suspects" in finding.advice and finding.numbers["examples"][0]["labels"] == ["neg", "pos"]


def test_texts_of_both_sets_are_found(trained: textrnn.Classifier) -> None:
    train = dataset(*map(list, zip(*pairs(100, seed=1), strict=True)))
    new = pairs(100, seed=9)
    mixed = dataset([text for text, _ in new] + [train.texts[3].upper()], [label for _, label in new] + ["pos"])
    (finding,) = by_check(examine(trained, mixed, train), "overlap")
    known = set(train.texts)
    assert finding.numbers["shared"] == sum(text in known for text in mixed.texts) + 1


def test_its_own_training_file_is_recognised(trained: textrnn.Classifier) -> None:
    whole = dataset(*map(list, zip(*pairs(200), strict=True)))
    findings = examine(trained, whole)
    assert by_check(findings, "overlap")[0].numbers["judged_on"] == "the validation texts among these"
    numbers = by_check(findings, "certainty")[0].numbers
    provenance = trained.header.provenance
    assert provenance is not None and numbers["texts"] == provenance.data.validation_examples
    assert numbers["accuracy"] == pytest.approx(provenance.metrics["accuracy"])


def test_who_has_learned_from_all_texts_is_not_judged_by_some_of_them() -> None:
    texts, labels = (list(row) for row in zip(*pairs(200), strict=True))
    classifier = textrnn.train(texts, labels, **QUICK | {"ngrams": 1})
    findings = examine(classifier, dataset(texts, labels))
    (overlap,) = by_check(findings, "overlap")
    assert overlap.numbers["judged_on"] == "its own training texts" and "flatters it" in overlap.message
    assert by_check(findings, "certainty")[0].numbers["texts"] == len(texts)


def scaled(classifier: textrnn.Classifier, factor: float) -> textrnn.Classifier:
    weights = {
        name: value * np.float32(factor if name.startswith("head.") else 1)
        for name, value in classifier.weights.items()
    }
    return textrnn.Classifier(classifier.header, weights)


@pytest.mark.parametrize(("factor", "severity"), [(60.0, "problem"), (0.001, "warning")])
def test_certainty_is_scikit_learn_s(factor: float, severity: str) -> None:
    classifier = scaled(textrnn.train(pairs(300), **QUICK | {"epochs": 4}), factor)
    texts, labels = (list(row) for row in zip(*pairs(300, seed=7), strict=True))
    finding = one(classifier, dataset(texts, labels), "certainty")
    numbers = finding.numbers
    probabilities = classifier.predict_proba(texts)
    predicted, sure = np.array(["neg", "pos"])[probabilities.argmax(axis=1)], probabilities.max(axis=1)
    right = predicted == np.array(labels)
    assert numbers["accuracy"] == accuracy_score(labels, predicted)
    assert numbers["confidence"] == pytest.approx(sure.mean())
    assert numbers["confidence_of_wrong"] == pytest.approx(sure[~right].mean())
    assert numbers["share_of_wrong_above_0.9"] == pytest.approx((sure[~right] > 0.9).mean())
    shares, means = calibration_curve(right, sure, n_bins=15)
    weights = np.histogram(sure, bins=np.linspace(0, 1, 16))[0]
    expected = (np.abs(shares - means) * weights[weights > 0]).sum() / len(sure)
    assert numbers["calibration_error"] == pytest.approx(expected, abs=1e-9)
    if numbers["accuracy"] < 0.85 or factor < 1:
        assert finding.severity == severity and "calibrate" in finding.advice


def test_balance_counts_and_names_what_is_missing() -> None:
    texts = random_texts(110, seed=6)
    labels = ["a"] * 100 + ["b"] * 10
    found = by_check(examine(made(["a", "b", "c"]), dataset(texts, labels, ["a", "b", "c"])), "balance")
    missing, counted = sorted(found, key=lambda finding: "counts" in finding.numbers)
    assert missing.numbers == {"missing": ["c"]} and counted.severity == "warning"
    assert counted.numbers == {"counts": {"a": 100, "b": 10, "c": 0}, "ratio": 10.0, "largest_share": 100 / 110}
    assert "class_weight" in counted.advice and "macro_f1" in counted.advice


def test_the_command(tmp_path: Path, trained: textrnn.Classifier) -> None:
    trained.save(tmp_path / "m.textrnn")
    data = write_csv(tmp_path / "d.csv", 80, seed=3)
    shown = run_here("doctor", tmp_path / "m.textrnn", data, "--json", tmp_path / "out.json", "--train", data)
    assert shown.code == 0, shown.err
    assert shown.out.startswith("problem  overlap: 80 of 80 texts (100.0 %)")
    printed = run_here("doctor", tmp_path / "m.textrnn", data, "--json", "-", "--train", data)
    found = json.loads(printed.out)
    assert found == json.loads((tmp_path / "out.json").read_text())
    dataset_of_file = read_labelled(data, known=trained.labels)
    expected = examine(trained, dataset_of_file, dataset_of_file)
    assert [row["message"] for row in found["findings"]] == [finding.message for finding in expected]
    for row in found["findings"]:
        assert row["message"][:20] in shown.out


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, trained: textrnn.Classifier) -> None:
    trained.save(tmp_path / "m.textrnn")
    data = write_csv(tmp_path / "d.csv", 10)
    (tmp_path / "strange.csv").write_text("text,label\ngood,other\n")
    (tmp_path / "empty.csv").write_text("text,label\n")
    assert_refused(run_here("doctor", data, data), "d.csv")
    assert_refused(run_here("doctor", tmp_path / "m.textrnn", tmp_path / "strange.csv"), "other")
    assert_refused(run_here("doctor", tmp_path / "m.textrnn", tmp_path / "empty.csv"), "empty.csv")
    assert_refused(run_here("doctor", tmp_path / "m.textrnn", "-", "--train", "-"), "standard input")
