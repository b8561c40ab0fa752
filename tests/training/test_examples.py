"""A data set's ids are those that the encoder gives for each text."""

from typing import Any

import numpy as np
import pytest

import textrnn
from textrnn.config import TextConfig, VocabularyConfig
from textrnn.data import Example, collect
from textrnn.text import TextEncoder
from textrnn.training.examples import EncodedExamples


@pytest.mark.parametrize("tokenizer", ["words", "whitespace", "characters"])
@pytest.mark.parametrize("keep", ["head", "tail", "both"])
def test_ids_of_every_text(tokenizer: str, keep: str) -> None:
    texts = ["Good, good!", "", "one two three four five six", "ΑΣ 你好 👍 e\u0301", "bad"]
    dataset = collect(Example(text=text, label=str(row % 2)) for row, text in enumerate(texts))
    config = TextConfig(tokenizer=tokenizer, max_length=5, keep=keep)  # type: ignore[arg-type]
    encoder = TextEncoder.build(texts[:3], config, VocabularyConfig(min_count=1))
    examples = EncodedExamples.encode(dataset, encoder)
    assert len(examples) == len(examples.texts) == 5
    for row, text in enumerate(texts):
        np.testing.assert_array_equal(examples.texts[row], encoder.encode(text))
    np.testing.assert_array_equal(examples.targets, dataset.targets)


def test_training_reads_less_of_a_text_than_predicting() -> None:
    """What differs beyond `training_length` cannot be learned, and is read all the same."""
    texts = [f"word{index % 5} same same same {'good' if index % 2 else 'bad'}" for index in range(60)]
    labels = ["yes" if index % 2 else "no" for index in range(60)]
    common: dict[str, Any] = {
        "effort": "plain", "epochs": 20, "min_count": 1, "keep": "head", "timings": False, "cell": "gru",
        "pooling": "max", "batch_size": 8, "dropout": 0.0, "learning_rate": 0.01, "patience": 0,
    }  # fmt: skip
    whole, short = (textrnn.train(texts, labels, training_length=length, **common) for length in (0, 4))
    assert np.mean([found.label == label for found, label in zip(whole.predict(texts), labels, strict=True)]) == 1
    assert np.mean([found.label == label for found, label in zip(short.predict(texts), labels, strict=True)]) < 0.8
    assert short.header.text.max_length == whole.header.text.max_length == 256
    assert short.predict_proba(["a b c d good"])[0] != pytest.approx(short.predict_proba(["a b c d bad"])[0], abs=1e-9)
    common["validation_fraction"] = 0.0
    cut, same = (textrnn.train(texts, labels, **common | {name: 4}) for name in ("max_length", "training_length"))
    for name, value in cut.weights.items():
        np.testing.assert_array_equal(same.weights[name], value, err_msg=name)
