"""A text that arrives word by word against the same text as a whole."""

import tracemalloc
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import header, random_texts, random_weights
from runtime_oracles import expected_logits
from textrnn.errors import ConfigError, ModelFileError
from textrnn.runtime import ENGINES, Classifier
from textrnn.runtime.engines import VARIABLE
from textrnn.runtime.pooling import POOLS
from textrnn.runtime.steps import STEPS
from textrnn.text.tokenizer import TOKENIZERS

SETTINGS = list(product(STEPS, POOLS, ["masked", "through"], [1, 3]))
TEXT = "Not a very good film: boring plot, unseen ACTING"


def make(cell: str = "gru", pooling: str = "mean", padding: str = "masked", layers: int = 2, **more: Any) -> Classifier:
    head = header(["a", "b", "c"], cell=cell, pooling=pooling, padding=padding, layers=layers, **more)
    return Classifier(head, random_weights(head, scale=0.2 if cell == "elman_relu" else 0.6))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("cell", "pooling", "padding", "layers"), SETTINGS)
def test_equals_the_batch_after_every_word(
    cell: str, pooling: str, padding: str, layers: int, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, engine)
    classifier = make(cell, pooling, padding, layers)
    words = TEXT.split()
    beginnings = [" ".join(words[:count]) for count in range(len(words) + 1)]
    stream = classifier.stream()
    running = [stream.probabilities, *(stream.push(word) for word in words)]
    assert stream.tokens == 11 and stream.probabilities == running[-1] and list(running[0]) == ["a", "b", "c"]
    got = np.array([list(row.values()) for row in running])
    np.testing.assert_allclose(got, classifier.predict_proba(beginnings), rtol=0, atol=1e-5)
    scores = expected_logits(
        classifier.header.model, classifier.weights, [classifier.encoder.encode(TEXT)], max_length=12
    )[0]
    np.testing.assert_allclose(got[-1], np.exp(scores) / np.exp(scores).sum(), rtol=0, atol=1e-5)
    assert padding == "through" or got.std(axis=0).max() > 1e-3


@pytest.mark.parametrize("padding", ["masked", "through"])
def test_reset_begins_anew(padding: str) -> None:
    classifier = make(padding=padding)
    stream, other = classifier.stream(), classifier.stream()
    first = stream.push(TEXT)
    assert other.tokens == 0 and other.push(TEXT) == first
    stream.reset()
    assert stream.tokens == 0 and stream.probabilities == classifier.stream().probabilities
    assert stream.push(TEXT) == first


def test_white_space_changes_nothing() -> None:
    stream = make().stream()
    before = stream.push("good")
    assert stream.push("  \n") == before and stream.push("") == before and stream.tokens == 1


def test_the_result_belongs_to_the_caller() -> None:
    stream = make().stream()
    stream.push("good")["a"] = 7.0
    assert sum(stream.probabilities.values()) == pytest.approx(1)


def test_reads_beyond_the_maximal_length() -> None:
    text = " ".join(random_texts(20))
    short, long = make(max_length=12), make(max_length=1000)
    stream = short.stream()
    after = stream.push(text)
    assert stream.tokens > 100
    np.testing.assert_allclose(list(after.values()), long.predict_proba([text])[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("cell", STEPS)
def test_memory_does_not_grow(cell: str) -> None:
    stream = make(cell, hidden_size=32).stream()
    stream.push(TEXT)
    tracemalloc.start()
    try:
        for _ in range(500):
            stream.push("good")
        after_some = tracemalloc.get_traced_memory()[0]
        for _ in range(2_000):
            stream.push("bad")
        assert tracemalloc.get_traced_memory()[0] < after_some + 20_000  # a state a word would be 256,000
    finally:
        tracemalloc.stop()


def test_a_bidirectional_model_is_refused() -> None:
    with pytest.raises(ConfigError, match="bidirectional: a stream needs a model that reads left to right only"):
        make(bidirectional=True).stream()


@pytest.mark.parametrize("wrong", [1, None, b"good", ["good"]])
def test_only_strings_are_pushed(wrong: object) -> None:
    with pytest.raises(TypeError, match="expected a string, got"):
        make().stream().push(wrong)  # type: ignore[arg-type]


def test_scores_that_overflow_are_told() -> None:
    classifier = make("elman_relu")
    classifier.weights["layers.1.left_to_right.from_hidden.weight"][:] = 1e10
    stream = Classifier(classifier.header, classifier.weights).stream()
    with pytest.raises(ModelFileError, match="states of this network overflow"):
        stream.push("good film story " * 100)


SIGNS = st.text(st.sampled_from("aB Σσ'’.,!é\u0301\u0344\u00ad\u200d\ufe0f\u0130가각\u11a8\n\t中") | st.characters())


@pytest.mark.parametrize("tokenizer", ["words", "whitespace"])
@given(pieces=st.lists(SIGNS, max_size=5))
def test_pieces_are_cut_as_if_joined_by_spaces(tokenizer: str, pieces: list[str]) -> None:
    cut = TOKENIZERS[tokenizer]
    assert [token for piece in pieces for token in cut(piece)] == cut(" ".join(pieces))
