"""What several trainings tell, on texts whose answers are known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textrnn
from textrnn.data import as_examples, collect, stratified_folds
from textrnn.errors import ConfigError, DataError
from textrnn.studies.label_noise import Fold, out_of_sample

THINGS = "film plot cast end music story actor scene".split()
QUICK: dict[str, Any] = {
    "hidden_size": 8,
    "embedding_size": 8,
    "epochs": 6,
    "learning_rate": 0.02,
    "dropout": 0.1,
    "timings": False,
}


def reviews(count: int, *, wrong_every: int = 0, seed: int = 0) -> tuple[list[str], list[str], list[int]]:
    """Texts whose label is a word of theirs, their labels, and which labels are wrong."""
    generator = np.random.default_rng(seed)
    texts, labels, wrong = [], [], []
    for index in range(count):
        label = ("good", "bad")[generator.integers(2)]
        words = [label, *generator.choice(THINGS, size=generator.integers(3, 9))]
        texts.append(" ".join([*generator.permutation(words), str(index)]))
        if wrong_every and index % wrong_every == 3:
            label = "good" if label == "bad" else "bad"
            wrong.append(index)
        labels.append(label)
    return texts, labels, wrong


def test_suspects_by_cross_validation_are_the_planted_ones() -> None:
    texts, labels, wrong = reviews(240, wrong_every=20)
    folds: list[Fold] = []
    found = textrnn.suspects(texts, labels, folds=3, on_fold=folds.append, **QUICK)
    indices = [row.index for row in found]
    assert len(set(wrong) & set(indices)) >= 10 and len(indices) <= 24
    for row in found:
        assert (row.text, row.label, row.place) == (texts[row.index], labels[row.index], f"row {row.index}")
    assert [(fold.number, fold.folds) for fold in folds] == [(1, 3), (2, 3), (3, 3)]
    assert sum(240 - fold.examples for fold in folds) == 240
    assert all(fold.accuracy > 0.7 and fold.seconds > 0 for fold in folds)


def test_every_probability_is_out_of_sample() -> None:
    """Each fold's are those of a classifier trained by hand on the texts of the others."""
    texts, labels, _ = reviews(60)
    dataset = collect(as_examples(texts, labels))
    fold_of = stratified_folds(dataset, 2, 5)
    found = out_of_sample(dataset, fold_of, {**QUICK, "epochs": 2})
    for fold in (0, 1):
        inside = np.flatnonzero(fold_of == fold).tolist()
        others = [index for index in range(60) if index not in inside]
        classifier = textrnn.train(
            [texts[index] for index in others], [labels[index] for index in others], **QUICK | {"epochs": 2}
        )
        np.testing.assert_array_equal(found[inside], classifier.predict_proba([texts[index] for index in inside]))


def test_a_class_that_a_fold_never_saw_has_probability_zero() -> None:
    texts, labels, _ = reviews(40)
    dataset = collect(as_examples([*texts, "odd"], [*labels, "rare"]))
    fold_of = np.arange(41) % 2
    found = out_of_sample(dataset, fold_of, {**QUICK, "epochs": 1})
    rare = dataset.labels.index("rare")
    assert (found[fold_of == 0, rare] == 0).all() and (found[fold_of == 1, rare] > 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_a_label_that_only_one_text_has_is_no_suspect(caplog: pytest.LogCaptureFixture) -> None:
    texts, labels, wrong = reviews(120, wrong_every=20)
    found = textrnn.suspects(
        ["an odd good film", *texts, "odd"], ["rare", *labels, "single"], folds=3, **QUICK | {"epochs": 12}
    )
    assert not {"rare", "single"} & {row.label for row in found}
    assert len({index + 1 for index in wrong} & {row.index for row in found}) >= 4  # of 6
    assert all(row.text == texts[row.index - 1] for row in found)
    assert "2 of 122 texts cannot be judged, since no other fold has their label" in caplog.text


def test_suspects_by_a_model(tmp_path: Path) -> None:
    classifier = textrnn.train(*reviews(200)[:2], **QUICK | {"epochs": 15})
    classifier.save(tmp_path / "m.textrnn")
    texts, labels, wrong = reviews(200, wrong_every=20, seed=1)
    found = textrnn.suspects(texts, labels, model=tmp_path / "m.textrnn")
    assert set(wrong) <= {row.index for row in found} and len(found) <= len(wrong) + 3
    assert found == textrnn.suspects(texts, labels, model=classifier)
    with pytest.raises(ConfigError, match="epochs: expected no settings"):
        textrnn.suspects(texts, labels, model=classifier, epochs=3)
    with pytest.raises(DataError, match="unknown label 'fine'"):
        textrnn.suspects(["x"], ["fine"], model=classifier)
    with pytest.raises(ConfigError, match="folds: expected at least 2, got 1"):
        textrnn.suspects(texts, labels, folds=1)


@pytest.mark.parametrize("own_test", [True, False])
def test_learning_curve(own_test: bool) -> None:
    texts, labels, _ = reviews(200)
    test = reviews(50, seed=2)[:2]
    given: dict[str, Any] = {"test": test[0], "test_labels": test[1]} if own_test else {}
    points: list[Any] = []
    curve = textrnn.learning_curve(
        texts, labels, fractions=(1, 0.1, 0.5), on_point=points.append, **given, **QUICK | {"epochs": 4}
    )
    assert curve.points == points
    whole = 200 if own_test else 160
    assert [point.fraction for point in curve.points] == [0.1, 0.5, 1]
    assert [point.examples for point in curve.points] == [whole // 10, whole // 2, whole]
    assert curve.test_examples == (50 if own_test else 40)
    assert curve.points[-1].accuracy.value > 0.85
    if own_test:
        last = textrnn.train(texts, labels, **QUICK | {"epochs": 4}).evaluate(*test)
        assert (curve.points[-1].accuracy, curve.points[-1].macro_f1) == (last.accuracy, last.macro_f1)


@pytest.mark.parametrize("fractions", [(), (0.0,), (0.5, 1.5), (float("nan"),)])
def test_fractions_that_are_none(fractions: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="fractions: expected numbers above 0 and at most 1"):
        textrnn.learning_curve(["a", "b"], ["x", "y"], fractions=fractions)
