"""`textrnn.train` from all kinds of data to a classifier."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

import textrnn
from textrnn.modelfile import to_bytes

TEXTS = [
    f"{mood} {thing}" for mood in ("good", "great", "bad", "dull") for thing in "film plot cast music story end".split()
]
LABELS = ["pos"] * 12 + ["neg"] * 12
SMALL: dict[str, Any] = {
    "effort": "plain",
    "embedding_size": 8,
    "hidden_size": 8,
    "epochs": 3,
    "min_count": 1,
    "timings": False,
}


def test_two_runs_are_identical_to_the_bit_and_a_seed_matters() -> None:
    first, second, other = (textrnn.train(TEXTS, LABELS, seed=seed, **SMALL) for seed in (7, 7, 8))
    assert to_bytes(first.header, first.weights) == to_bytes(second.header, second.weights)
    assert any((first.weights[name] != other.weights[name]).any() for name in first.weights)


def test_the_ambient_random_stream_plays_no_part() -> None:
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    first = textrnn.train(TEXTS, LABELS, **SMALL)
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    before = torch.get_rng_state()
    second = textrnn.train(TEXTS, LABELS, **SMALL)
    assert torch.equal(torch.get_rng_state(), before)
    assert to_bytes(first.header, first.weights) == to_bytes(second.header, second.weights)


def test_all_kinds_of_data_give_the_same_classifier(tmp_path: Path) -> None:
    frame = pd.DataFrame({"review": TEXTS, "stars": LABELS})
    frame.to_csv(tmp_path / "d.csv", index=False)
    frame.to_parquet(tmp_path / "d.parquet")
    pairs = list(zip(TEXTS, LABELS, strict=True))
    made = [
        textrnn.train(TEXTS, LABELS, **SMALL),
        textrnn.train(np.array(TEXTS), np.array(LABELS), **SMALL),
        textrnn.train(pairs, **SMALL),
        textrnn.train(frame, **SMALL),
        textrnn.train(pl.DataFrame({"review": TEXTS, "stars": LABELS}), **SMALL),
        textrnn.train(tmp_path / "d.csv", **SMALL),
        textrnn.train(str(tmp_path / "d.parquet"), text="review", label="stars", **SMALL),
    ]
    assert len({to_bytes(one.header, one.weights) for one in made}) == 1


def test_labels_keep_their_kind_and_name() -> None:
    numbers = textrnn.train(TEXTS, [5 if label == "pos" else 1 for label in LABELS], **SMALL)
    assert numbers.labels == [1, 5] and type(numbers.predict("good").label) is int
    strings = textrnn.train(TEXTS, ["5" if label == "pos" else "1" for label in LABELS], **SMALL)
    assert strings.labels == ["1", "5"] and type(strings.predict("good").label) is str


def test_provenance_tells_the_whole_story() -> None:
    classifier = textrnn.train(TEXTS, LABELS, metric="macro_f1", **SMALL)
    provenance = classifier.header.provenance
    assert provenance is not None and provenance.training.seed == 42
    assert provenance.data.fingerprint.startswith("sha256:") and provenance.data.examples == 21
    assert provenance.data.validation_examples == 3 and provenance.versions["torch"] == torch.__version__
    assert len(classifier.history) == 3
    assert classifier.history[0].validation is not None
    assert set(classifier.history[0].validation) == {"loss", "accuracy", "macro_f1"}
    assert provenance.metrics == classifier.history[provenance.best_epoch - 1].validation


def test_validation_figures_are_those_of_the_saved_weights() -> None:
    classifier = textrnn.train(TEXTS, LABELS, validation=TEXTS[::5], validation_labels=LABELS[::5], **SMALL)
    evaluation = classifier.evaluate(TEXTS[::5], LABELS[::5])
    assert classifier.header.provenance is not None
    assert classifier.header.provenance.metrics["loss"] == pytest.approx(evaluation.log_loss, abs=1e-6)
    assert classifier.header.provenance.metrics["accuracy"] == evaluation.accuracy.value


def test_leaks_between_training_and_validation_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="textrnn"):
        textrnn.train(TEXTS, LABELS, validation=[(" GOOD film", "pos"), ("bad end", "neg"), ("new", "pos")], **SMALL)
    assert "2 of 3 validation texts also occur in training" in caplog.text
    caplog.clear()
    textrnn.train(TEXTS, LABELS, **SMALL)
    assert not caplog.text


def test_unspaced_scripts_get_advice_and_work_with_characters(caplog: pytest.LogCaptureFixture) -> None:
    texts = [
        "这部电影很好看",
        "非常喜欢这个故事",
        "演员很棒",
        "太好看了",
        "这部电影很无聊",
        "非常讨厌这个故事",
        "演员很差",
        "太难看了",
    ] * 4
    labels = (["好"] * 4 + ["坏"] * 4) * 4
    textrnn.train(texts, labels, **SMALL)
    assert "tokenizer 'characters' should do better" in caplog.text
    caplog.clear()
    settings = {**SMALL, "epochs": 30, "learning_rate": 0.01, "dropout": 0.1, "validation_fraction": 0.0}
    classifier = textrnn.train(texts, labels, tokenizer="characters", **settings)
    assert not caplog.text and classifier.evaluate(texts, labels).accuracy.value == 1.0


def test_too_little_data_for_validation_is_said(caplog: pytest.LogCaptureFixture) -> None:
    classifier = textrnn.train(["a", "b"], ["x", "y"], **SMALL)
    assert "no text can be split off" in caplog.text and classifier.history[-1].validation is None


def test_class_weights_help_the_rare_class() -> None:
    texts = ["good film"] * 57 + ["film"] * 3
    labels = ["pos"] * 57 + ["neg"] * 3
    settings = {**SMALL, "epochs": 12, "validation_fraction": 0.0, "dropout": 0.0}
    plain = textrnn.train(texts, labels, **settings).predict("film").probabilities["neg"]
    balanced = textrnn.train(texts, labels, class_weight="balanced", **settings).predict("film").probabilities["neg"]
    assert balanced > plain


def test_metric_that_cannot_be_computed_is_refused_before_training() -> None:
    with pytest.raises(textrnn.ConfigError, match="metric: "):
        textrnn.train(TEXTS, LABELS, validation=["good"], validation_labels=["pos"], metric="roc_auc", **SMALL)


def test_unknown_setting() -> None:
    with pytest.raises(TypeError, match="did you mean 'hidden_size'"):
        textrnn.train(TEXTS, LABELS, hiden_size=3)


def test_an_empty_vocabulary_is_told(caplog: pytest.LogCaptureFixture) -> None:
    textrnn.train(["a b", "b c"] * 6, ["x", "y"] * 6, effort="plain", epochs=1, min_count=1000)
    assert "no token occurs at least 1000 times (min_count)" in caplog.text
    caplog.clear()
    textrnn.train(["a b", "b c"] * 6, ["x", "y"] * 6, effort="plain", epochs=1)
    assert "min_count" not in caplog.text
