"""Models of several networks and n-grams, against PyTorch's networks and a dictionary of keys."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

import textrnn
from builders import header, random_texts, random_weights
from textrnn.errors import ModelFileError
from textrnn.model import TextClassifier
from textrnn.modelfile import Header, Weights, write_model
from textrnn.runtime import Classifier
from textrnn.runtime.ngram_scores import NgramScores
from textrnn.text.ngrams import NgramRule, keys_of_tokens
from textrnn.text.tokenizer import words

RULE = NgramRule(3, 2)
WORDS = "good bad film the a story . , of not ? boring".split()


def with_ngrams(seed: int = 0, classes: int = 3, **model: Any) -> tuple[Header, Weights, dict[int, Any]]:
    """A header, its weights, and the rows of the n-grams by their keys: those of some random texts."""
    rng = np.random.default_rng(seed)
    labels: list[Any] = [f"class {k}" for k in range(classes)]
    texts = [rng.choice(WORDS, size=4).tolist() for _ in range(6)]
    keys = np.unique(np.concatenate([keys_of_tokens(text, RULE) for text in texts]))[::2]
    parts: dict[str, Any] = {"ngrams": RULE.tokens, "character_ngrams": RULE.characters}
    head = msgspec.structs.replace(header(labels, **parts, **model), ngrams=len(keys))
    weights = random_weights(head, seed)
    weights["ngrams.key"] = keys
    weights["ngrams.weight"] = rng.standard_normal((len(keys), classes)).astype(np.float32)
    return head, weights, dict(zip(keys.tolist(), weights["ngrams.weight"], strict=True))


def expected_ngrams(tokens: list[str], rows: dict[int, Any], bias: Any) -> Any:
    total = bias.astype(np.float64)
    for rule in (NgramRule(RULE.tokens), NgramRule(0, RULE.characters)):
        held = set(keys_of_tokens(tokens, rule).tolist())
        for key in held & rows.keys():
            total = total + rows[key] / np.sqrt(len(held))
    return total


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("texts", [1, 60])
def test_ngram_scores_are_weighed_sums_over_different_ngrams(native: bool, texts: int) -> None:
    _, weights, rows = with_ngrams()
    rng = np.random.default_rng(1)
    tokens = [rng.choice(WORDS, size=n).tolist() for n in rng.integers(0, 15, size=texts)]
    part = NgramScores(weights, "words", RULE, native=native)
    expected = [expected_ngrams(some, rows, weights["ngrams.bias"]) for some in tokens]
    np.testing.assert_allclose(part.scores([" ".join(some) for some in tokens]), expected, rtol=1e-6, atol=1e-6)
    assert part.scores([]).shape == (0, 3)


@pytest.mark.parametrize("engine", ["native", "numpy"])
@pytest.mark.parametrize(
    "model",
    [{"members": 3, "cell": "gru", "bidirectional": True}, {"members": 2, "cell": "mingru", "pooling": "max"}, {}],
)
def test_scores_are_added(engine: str, model: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTRNN_ENGINE", engine)
    head, weights, rows = with_ngrams(**model)
    classifier, texts = Classifier(head, weights), random_texts(40)
    flat, offsets = classifier.encoder.encode_many(texts)
    members = model.get("members", 1)
    expected = np.zeros((len(texts), 3))
    for member in range(members):
        prefix = f"members.{member}." if members > 1 else ""
        own = {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
        network = TextClassifier(head.model, vocabulary_size=len(head.vocabulary), classes=3)
        network.load_weights({name: tensor for name, tensor in own.items() if not name.startswith("ngrams.")})
        for row, (begin, end) in enumerate(pairwise(offsets)):
            ids = torch.from_numpy(flat[begin:end].astype(np.int64))[None]
            ids = torch.nn.functional.pad(ids, (0, 1))
            with torch.no_grad():
                expected[row] += network(ids, torch.tensor([end - begin]))[0].numpy()
    for row, text in enumerate(texts):
        expected[row] += expected_ngrams(words(text), rows, weights["ngrams.bias"])
    np.testing.assert_allclose(classifier.logits(texts), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("engine", ["native", "numpy"])
def test_a_stream_counts_each_ngram_once(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTRNN_ENGINE", engine)
    head, weights, _ = with_ngrams(members=2, cell="gru", pooling="max")
    classifier = Classifier(head, weights)
    pieces = ["good", "bad", "film good", "bad", "", "film the good bad", "film", "story"]
    stream = classifier.stream()
    for read, piece in enumerate(pieces, start=1):
        running = list(stream.push(piece).values())
        np.testing.assert_allclose(running, classifier.predict_proba([" ".join(pieces[:read])])[0], atol=1e-5)
    stream.reset()
    np.testing.assert_allclose(list(stream.push("film").values()), classifier.predict_proba(["film"])[0], atol=1e-5)


def test_the_file_keeps_every_part(tmp_path: Path) -> None:
    head, weights, _ = with_ngrams(members=2)
    write_model(tmp_path / "m.textrnn", head, weights)
    loaded = textrnn.load(tmp_path / "m.textrnn")
    assert loaded.weights["ngrams.key"].dtype == np.int32
    texts = random_texts(9)
    np.testing.assert_array_equal(loaded.logits(texts), Classifier(head, weights).logits(texts))


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (lambda keys: keys[::-1], "does not rise"),
        (lambda keys: np.where(np.arange(len(keys)) == 0, -1, keys), "does not rise"),
        (lambda keys: np.full_like(keys, keys[0]), "does not rise"),
    ],
)
def test_refuses_keys_that_cannot_be(tmp_path: Path, keys: Any, found: str) -> None:
    head, weights, _ = with_ngrams()
    weights["ngrams.key"] = keys(weights["ngrams.key"]).astype(np.int32)
    write_model(tmp_path / "m.textrnn", head, weights)
    with pytest.raises(ModelFileError, match=found):
        textrnn.load(tmp_path / "m.textrnn")
