"""Trainings that begin with word vectors: what is placed, what moves, what is told, what is refused."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import textrnn
from commands import run_here
from textrnn.config import Recipe, TrainingConfig
from textrnn.data import as_examples, collect
from textrnn.history import EpochRecord
from textrnn.model import TextClassifier, initialize
from textrnn.modelfile import read_model
from textrnn.sklearn import RNNClassifier
from textrnn.text import TextEncoder
from textrnn.training.examples import EncodedExamples
from textrnn.training.optimizer import make_optimizer, set_rate
from textrnn.training.randomness import random_stream
from textrnn.training.vectors import begin_with_vectors

PAIRS = [("a good film", "pos"), ("a bad film", "neg"), ("good good acting", "pos"), ("bad plot , bad film", "neg")] * 8
SMALL: dict[str, Any] = {"hidden_size": 6, "epochs": 3, "batch_size": 4, "timings": False, "threads": 1}


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    rows = np.random.default_rng(0).standard_normal((200, 8)) * 0.7
    words = ["good", "Bad", "film", "acting", *(f"other{i}" for i in range(196))]
    lines = [f"{word} {' '.join(f'{v:.6f}' for v in row)}" for word, row in zip(words, rows, strict=True)]
    (tmp_path / "v.txt").write_text("\n".join(lines) + "\n")
    return tmp_path / "v.txt"


def row_of(path: Path, word: str) -> np.ndarray[Any, Any]:
    """By NumPy's own reader of text tables."""
    words = [line.split()[0] for line in path.read_text().splitlines()]
    table = np.loadtxt(path, usecols=range(1, 9), dtype=np.float32)
    return np.asarray(table[words.index(word)])


def embedding(classifier: textrnn.Classifier, word: str) -> np.ndarray[Any, Any]:
    return np.asarray(classifier.weights["embedding.weight"][classifier.header.vocabulary.index(word)])


def test_frozen_vectors_stay_and_all_else_learns(vectors: Path) -> None:
    for backend in ("native", "readable"):
        for optimizer in ("adamw", "adam"):
            settings = SMALL | {"backend": backend, "optimizer": optimizer, "vectors_training": "frozen"}
            classifier = textrnn.train(PAIRS, effort="plain", vectors=vectors, dropout=0.0, **settings)
            for word, written in {"good": "good", "bad": "Bad", "film": "film"}.items():
                np.testing.assert_array_equal(embedding(classifier, word), row_of(vectors, written))
            assert not embedding(classifier, "<PAD>").any() and embedding(classifier, "<UNK>").any()
            losses = [record.loss for record in classifier.history]
            assert losses[-1] < losses[0]


def test_tuned_vectors_move_by_a_tenth_of_the_rate(vectors: Path) -> None:
    classifier = textrnn.train(
        PAIRS, effort="plain", vectors=vectors, learning_rate=0.01, dropout=0.0, **SMALL | {"epochs": 1}
    )
    moved = np.abs(embedding(classifier, "good") - row_of(vectors, "good"))
    steps = -(-29 // 4)  # of 32 texts 3 are held out
    assert 0 < moved.max() <= 1.2 * steps * 0.001  # Adam's first steps have about the length of the rate


def test_a_step_is_torchs_adamw_with_a_group_of_its_own(vectors: Path) -> None:
    recipe = Recipe.from_settings(**SMALL, embedding_size=8)
    dataset = collect(as_examples(PAIRS))
    encoder = TextEncoder.build(dataset.texts, recipe.text, recipe.vocabulary)
    examples = EncodedExamples.encode(dataset, encoder)
    models = []
    for _ in range(2):
        model = TextClassifier(recipe.model, vocabulary_size=len(encoder.vocabulary), classes=2)
        stream = random_stream(1)
        initialize(model, "orthogonal", stream)
        begin_with_vectors(vectors, recipe, model, encoder, examples, stream)
        models.append(model)
    ours, theirs = models
    optimizer = make_optimizer(ours, TrainingConfig(weight_decay=0.2))
    table = theirs.embedding.weight
    others = [p for p in theirs.parameters() if p is not table]
    reference = torch.optim.AdamW(
        [
            {"params": [table], "lr": 0.003, "weight_decay": 0.2},
            {"params": [p for p in others if p.ndim > 1], "weight_decay": 0.2},
            {"params": [p for p in others if p.ndim == 1], "weight_decay": 0.0},
        ],
        lr=0.03,
    )
    generator = torch.Generator().manual_seed(4)
    for _ in range(3):
        set_rate(optimizer, 0.03)
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            mine.grad = torch.randn(mine.shape, generator=generator)
            other.grad = mine.grad.clone()
        optimizer.step()
        reference.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-6)


def test_words_without_a_vector_get_rows_of_the_same_deviation(tmp_path: Path) -> None:
    words = [f"w{i}" for i in range(400)]
    texts = [(" ".join(words[i::20]), str(i % 2)) for i in range(20)] * 3
    rows = np.random.default_rng(5).normal(0.3, 0.05, (200, 50))
    (tmp_path / "v.txt").write_text(
        "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in zip(words[:200], rows, strict=True))
    )
    settings = SMALL | {"epochs": 1, "validation_fraction": 0.0, "vectors_training": "frozen"}
    classifier = textrnn.train(texts, effort="plain", vectors=tmp_path / "v.txt", **settings)
    random_rows = np.array([embedding(classifier, word) for word in words[200:]])
    np.testing.assert_allclose(random_rows.std(), rows.std(), rtol=0.05)
    np.testing.assert_allclose(random_rows.mean(), 0, atol=0.005)
    assert len(np.unique(random_rows[:, 0])) == 200


def test_coverage_is_logged_and_kept_in_the_model_file(
    vectors: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="textrnn"):
        classifier = textrnn.train(PAIRS, effort="plain", vectors=vectors, validation_fraction=0.0, **SMALL)
    # Words: a, good, film, acting, bad, plot and the comma; tokens 3 + 3 + 3 + 5, without a vector a, a, plot, comma.
    told = "4 of 7 words of the vocabulary (57.1 %) have a vector, 71.4 % of the training tokens"
    assert told in caplog.text and f"{vectors} (text)" in caplog.text
    classifier.save(tmp_path / "m.textrnn")
    provenance = read_model(tmp_path / "m.textrnn")[0].provenance
    assert provenance is not None and provenance.vectors is not None
    assert (provenance.vectors.file, provenance.vectors.words) == ("v.txt", 4)
    assert provenance.vectors.tokens == 10 / 14
    result = run_here("info", tmp_path / "m.textrnn")
    assert "vectors       v.txt: 4 words, 71.4 % of the training tokens; sha256:" in result.out
    assert textrnn.load(tmp_path / "m.textrnn").predict("good film").label in ("pos", "neg")


def test_a_size_that_contradicts_the_vectors_is_one_sentence(vectors: Path, tmp_path: Path) -> None:
    data = tmp_path / "d.csv"
    data.write_text("text,label\n" + "".join(f'"{text}",{label}\n' for text, label in PAIRS))
    out = tmp_path / "m.textrnn"
    result = run_here("train", data, "--out", out, "--vectors", vectors, "--embedding-size", 64)
    assert result.code == 2 and not out.exists()
    assert result.err == f"error: embedding_size: expected 8, the size of the vectors in {vectors}, got 64\n"
    result = run_here("train", data, "--out", out, "--vectors", vectors, "--embedding-size", 8, "--epochs", 1)
    assert result.code == 0 and "have a vector" in result.err
    assert textrnn.load(out).header.model.embedding_size == 8
    missing = run_here("train", data, "--out", out, "--vectors", tmp_path / "none")
    assert missing.code == 2 and missing.err == f"error: {tmp_path / 'none'}: there is no such file\n"
    same = run_here("train", data, "--out", vectors, "--vectors", vectors)
    assert same.code == 2 and "it is also read" in same.err


def test_vectors_of_other_words_are_refused(tmp_path: Path) -> None:
    (tmp_path / "v").write_text("nothing 1 2\n")
    with pytest.raises(textrnn.ConfigError, match="none of the 7 words of the vocabulary has a vector"):
        textrnn.train(PAIRS, effort="plain", vectors=tmp_path / "v", validation_fraction=0.0, **SMALL)


@pytest.mark.parametrize("how", ["tuned", "frozen"])
def test_resuming_leads_to_the_same_weights_and_refuses_other_vectors(how: str, vectors: Path, tmp_path: Path) -> None:
    settings = SMALL | {"vectors_training": how, "patience": 0}
    whole = textrnn.train(PAIRS, effort="plain", vectors=vectors, **settings)
    checkpoint = tmp_path / "c"

    def stop_after_two(event: Any) -> None:
        if isinstance(event, EpochRecord) and event.epoch == 2:
            raise KeyboardInterrupt

    textrnn.train(PAIRS, effort="plain", vectors=vectors, checkpoint=checkpoint, on_event=stop_after_two, **settings)
    resumed = textrnn.train(PAIRS, effort="plain", vectors=vectors, checkpoint=checkpoint, resume=True, **settings)
    assert resumed.history == whole.history
    for name, weight in whole.weights.items():
        np.testing.assert_array_equal(resumed.weights[name], weight, err_msg=name)
    vectors.write_text(vectors.read_text().replace("good ", "good 9", 1))
    with pytest.raises(textrnn.CheckpointError, match="made with other word vectors"):
        textrnn.train(PAIRS, effort="plain", vectors=vectors, checkpoint=checkpoint, resume=True, **settings)
    with pytest.raises(textrnn.CheckpointError, match="made with other word vectors"):
        textrnn.train(PAIRS, effort="plain", embedding_size=8, checkpoint=checkpoint, resume=True, **settings)


def test_the_estimator_takes_vectors(vectors: Path) -> None:
    texts, labels = map(list, zip(*PAIRS, strict=True))
    estimator = RNNClassifier(vectors=vectors, vectors_training="frozen", **SMALL).fit(texts, labels)
    np.testing.assert_array_equal(embedding(estimator.classifier_, "good"), row_of(vectors, "good"))
    with pytest.raises(ValueError, match="embedding_size: expected 8"):
        RNNClassifier(vectors=vectors, embedding_size=64, **SMALL).fit(texts, labels)
