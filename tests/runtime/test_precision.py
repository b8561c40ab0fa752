"""Recurrent products in 16-bit brain floats, from `load` to scores; where the processor lacks them nothing changes."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textrnn
from builders import header, random_texts, random_weights
from runtime_oracles import expected_logits
from textrnn.errors import ConfigError
from textrnn.native import library
from textrnn.runtime import Classifier
from textrnn.runtime.steps import STEPS

kernels = library()
HAS_BF16 = bool(kernels and kernels.textrnn_has_bf16())
RECURRENT = ("elman", "elman_relu", "gru", "lstm")
SETTINGS: dict[str, Any] = {"layers": 2, "bidirectional": True, "hidden_size": 24, "embedding_size": 20}


@pytest.mark.parametrize("cell", STEPS)
def test_scores_are_near_the_oracles(cell: str) -> None:
    """Within 1 in 100 of their spread, and to the bit those of 32 bits where there is nothing to round."""
    head = header(["a", "b", "c"], cell=cell, **SETTINGS)
    weights, texts = random_weights(head, scale=0.2), random_texts(60)
    classifier = Classifier(head, weights, precision="bf16")
    found, whole = classifier.logits(texts), Classifier(head, weights).logits(texts)
    expected = expected_logits(head.model, weights, [classifier.encoder.encode(text) for text in texts], max_length=12)
    assert np.abs(found - expected).max() < 1e-2 * expected.std()
    assert np.array_equal(found, whole) == (cell not in RECURRENT or not HAS_BF16)


@pytest.mark.parametrize("cell", RECURRENT)
def test_saved_copied_and_in_other_company(cell: str, tmp_path: Path) -> None:
    head = header(cell=cell, **SETTINGS)
    classifier = Classifier(head, random_weights(head), precision="bf16")
    texts = random_texts(40)
    expected = classifier.logits(texts)
    classifier.save(tmp_path / "m.textrnn")
    loaded = textrnn.load(tmp_path / "m.textrnn", precision="bf16")
    for other in (loaded, copy.copy(classifier)):
        assert np.array_equal(other.logits(texts), expected)
        assert np.array_equal(other.logits(texts[7:8]), expected[7:8])


def test_the_portable_engine_computes_in_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTRNN_ENGINE", "numpy")
    head = header(cell="gru", **SETTINGS)
    weights, texts = random_weights(head), random_texts(20)
    assert np.array_equal(
        Classifier(head, weights, precision="bf16").logits(texts), Classifier(head, weights).logits(texts)
    )


def test_another_precision() -> None:
    wrong: Any = "fp8"
    with pytest.raises(ConfigError, match=r"^precision: expected bf16 or None, got 'fp8'$"):
        Classifier(header(), random_weights(header()), precision=wrong)
