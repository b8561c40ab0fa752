"""The runtime without PyTorch against the network in PyTorch."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax as scipy_softmax

from builders import header, random_texts, random_weights
from textrnn.cells import CELLS
from textrnn.config import Recipe
from textrnn.data import EncodedTexts
from textrnn.errors import DataError
from textrnn.model import POOLINGS, TextClassifier
from textrnn.runtime import Classifier, load, softmax
from textrnn.training.examples import EncodedExamples
from textrnn.training.run import torch_logits


def make(cell: str, pooling: str, padding: str) -> Classifier:
    head = header(["a", "b", "c"], cell=cell, pooling=pooling, padding=padding)
    return Classifier(head, random_weights(head))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("cell", "pooling", "padding"), list(product(CELLS, POOLINGS, ["masked", "through"])))
def test_matches_the_network_in_torch(
    cell: str, pooling: str, padding: str, bidirectional: bool, tmp_path: Path
) -> None:
    head = header(["a", "b", "c"], cell=cell, pooling=pooling, padding=padding, layers=2, bidirectional=bidirectional)
    classifier = Classifier(head, random_weights(head, scale=0.3))
    texts = random_texts(100)
    model = TextClassifier(classifier.header.model, vocabulary_size=len(classifier.header.vocabulary), classes=3)
    model.load_weights(classifier.weights)
    encoded = EncodedTexts.from_ids(classifier.encoder.encode(text) for text in texts)
    recipe = Recipe(text=classifier.header.text, model=classifier.header.model)
    expected = torch_logits(model, EncodedExamples(encoded, np.zeros(100, dtype=np.int64)), recipe)
    np.testing.assert_allclose(classifier.logits(texts), expected, rtol=0, atol=1e-5)
    classifier.save(tmp_path / "m.textrnn")
    np.testing.assert_array_equal(load(tmp_path / "m.textrnn").logits(texts), classifier.logits(texts))


def test_predictions() -> None:
    classifier = make("elman", "mean", "masked")
    texts = random_texts(10)
    probabilities = scipy_softmax(classifier.logits(texts).astype(np.float64), axis=1)
    for prediction, row in zip(classifier.predict(texts), probabilities, strict=True):
        assert prediction.label == "abc"[row.argmax()]
        assert prediction.probability == pytest.approx(row.max(), abs=1e-12)
        assert list(prediction.probabilities) == ["a", "b", "c"]
        assert list(prediction.probabilities.values()) == pytest.approx(row.tolist(), abs=1e-12)
    assert classifier.predict(texts[3]) == classifier.predict(texts)[3]


def test_softmax_survives_large_scores() -> None:
    logits = np.array([[1e4, 0.0], [-1e4, -1e4], [0.0, 88.0]], dtype=np.float32)
    np.testing.assert_allclose(softmax(logits), scipy_softmax(logits.astype(np.float64), axis=1), atol=1e-15)


def test_stream_is_lazy_and_in_order() -> None:
    classifier = make("elman", "mean", "masked")
    texts, taken = random_texts(100), []

    def source() -> object:
        for text in texts:
            taken.append(text)
            yield text

    stream = classifier.predict_stream(source(), chunk=10)  # type: ignore[arg-type]
    first = next(stream)
    assert len(taken) == 10 and first == classifier.predict(texts[0])
    assert [first, *stream] == classifier.predict(texts)


@pytest.mark.parametrize("wrong", [[1], [None], ["good", b"bytes"], [float("nan")]])
def test_only_strings_are_texts(wrong: list[object]) -> None:
    with pytest.raises(TypeError, match=r"texts\[\d\]: expected a string, got"):
        make("elman", "mean", "masked").predict(wrong)  # type: ignore[arg-type]


def test_evaluate_reads_what_train_reads(tmp_path: Path) -> None:
    classifier = make("elman", "mean", "masked")
    texts = random_texts(30)
    labels = [str(prediction.label) for prediction in classifier.predict(texts)]
    (tmp_path / "test.csv").write_text(
        "text,label\n" + "".join(f"{text},{label}\n" for text, label in zip(texts, labels, strict=True))
    )
    assert classifier.evaluate(tmp_path / "test.csv").accuracy.value == 1.0
    assert classifier.evaluate(texts, labels) == classifier.evaluate(list(zip(texts, labels, strict=True)))
    with pytest.raises(DataError, match="unknown label 'z', expected one of 'a', 'b', 'c'"):
        classifier.evaluate(["good"], ["z"])
