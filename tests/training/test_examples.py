"""A data set's ids are those that the encoder gives for each text."""

import numpy as np
import pytest

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
