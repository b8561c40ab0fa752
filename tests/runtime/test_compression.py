"""Tables in fewer bits: how far off they are, and that everything else stays as it was."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textrnn
from builders import header, random_texts, random_weights
from commands import assert_refused, run_here
from runtime_oracles import expected_logits
from textrnn.errors import ConfigError
from textrnn.runtime import COMPRESSIONS, Classifier, Compression, inputs
from textrnn.runtime.steps import STEPS
from textrnn.runtime.tables import TABLES, Array, table_type

SHARE: dict[Compression, float] = {"fp16": 2**-11, "int8": 1 / 254}
"""Largest error of a number, as a share of the largest number in its row."""


def rows(seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((50, 33)) * 10.0 ** rng.uniform(-3, 3, (50, 1))).astype(np.float32)


@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_error_of_a_table(compress: Compression) -> None:
    table = TABLES[compress](60, 33)
    ids = np.random.default_rng(1).permutation(60)[:50].astype(np.int32)
    values = rows()
    table.write(ids, values)
    read = table.read(ids)
    assert read.dtype == np.float32
    largest = np.abs(values).max(axis=1, keepdims=True)
    assert (np.abs(read - values) <= 1.001 * SHARE[compress] * largest).all()
    assert (read != values).any()


def test_half_precision_is_numpys() -> None:
    table = TABLES["fp16"](50, 33)
    table.write(np.arange(50, dtype=np.int32), rows())
    np.testing.assert_array_equal(table.read(np.arange(50, dtype=np.int32)), rows().astype(np.float16))


@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_zeros_stay_zeros_and_the_largest_stay_finite(compress: Compression) -> None:
    table = TABLES[compress](2, 3)
    ids = np.arange(2, dtype=np.int32)
    table.write(ids, np.array([[0, 0, 0], [3e38, -3e38, 1e38]], dtype=np.float32))
    read = table.read(ids)
    assert not read[0].any() and np.isfinite(read).all() and (read[1] * [1, -1, 1] > 0).all()


def settings(cell: str, *, layers: int = 2) -> dict[str, Any]:
    return {"cell": cell, "layers": layers, "bidirectional": True, "hidden_size": 24, "embedding_size": 20}


@pytest.mark.parametrize("fold", [0, 1000])
@pytest.mark.parametrize("compress", COMPRESSIONS)
@pytest.mark.parametrize("cell", STEPS)
def test_scores_are_near_the_oracles(
    cell: str, compress: Compression, fold: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "LARGEST_FOLD", fold)
    head = header(["a", "b", "c"], **settings(cell))
    weights = random_weights(head, scale=0.2)
    classifier = Classifier(head, weights, compress=compress)
    texts = random_texts(60)
    expected = expected_logits(head.model, weights, [classifier.encoder.encode(text) for text in texts], max_length=12)
    error = np.abs(classifier.logits(texts) - expected).max() / expected.std()
    assert 1e-6 < error < {"fp16": 3e-3, "int8": 5e-2}[compress], error


@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_batch_mates_change_nothing_to_the_bit(compress: Compression) -> None:
    head = header(**settings("gru"))
    weights, texts = random_weights(head), random_texts(50)
    together = Classifier(head, weights, compress=compress).logits(texts)
    fresh = Classifier(head, weights, compress=compress)
    np.testing.assert_array_equal(np.concatenate([fresh.logits([text]) for text in texts]), together)


@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_a_compressed_classifier_saves_the_whole_one_and_streams(compress: Compression, tmp_path: Path) -> None:
    head = header(cell="lstm", layers=2)
    Classifier(head, random_weights(head)).save(tmp_path / "m.textrnn")
    compressed = textrnn.load(tmp_path / "m.textrnn", compress=compress)
    compressed.save(tmp_path / "copy.textrnn")
    assert (tmp_path / "copy.textrnn").read_bytes() == (tmp_path / "m.textrnn").read_bytes()
    after = list(compressed.stream().push("not a good film").values())
    np.testing.assert_allclose(after, compressed.predict_proba(["not a good film"])[0], rtol=0, atol=1e-5)
    assert after != list(textrnn.load(tmp_path / "m.textrnn").stream().push("not a good film").values())


@pytest.mark.parametrize("wrong", ["int4", "", "FP16"])
def test_unknown_compressions_are_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError, match=f"compress: expected one of fp16, int8 or None, got '{wrong}'"):
        table_type(wrong)
    with pytest.raises(ConfigError, match="compress: expected one of fp16, int8 or None"):
        Classifier(header(), random_weights(header()), compress=wrong)


def test_commands_tell_what_compression_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    head = header(cell="gru", bidirectional=True)
    classifier = Classifier(head, random_weights(head))
    classifier.save("m.textrnn")
    texts = random_texts(60)
    rows = zip(texts, classifier.predict(texts), strict=True)
    Path("d.csv").write_text("text,label\n" + "".join(f"{text},{found.label}\n" for text, found in rows))
    compressed = textrnn.load("m.textrnn", compress="int8")
    loss, whole = compressed.evaluate("d.csv").log_loss, classifier.evaluate("d.csv").log_loss
    assert loss != whole

    printed = run_here("evaluate", "m.textrnn", "d.csv", "--compress", "int8")
    assert printed.code == 0, printed.err
    first, *others = printed.out.splitlines()
    assert first.startswith("int8: accuracy ") and " instead of 1.0000 (" in first
    assert f"log loss {loss:.4f} instead of {whole:.4f} ({loss - whole:+.4f})" in first
    assert others[0].startswith("60 examples, 2 classes")
    Path("wrong.csv").write_text("text,label\ngood film,pos\ngood,pos\nbad,neither\n")
    refused = run_here("evaluate", "m.textrnn", "wrong.csv", "--compress", "fp16")
    assert_refused(refused, "wrong.csv, line 4: unknown label 'neither'")

    printed = run_here("evaluate", "m.textrnn", "d.csv", "--compress", "int8", "--json", "-")
    assert json.loads(printed.out)["log_loss"] == loss and printed.err.startswith("int8: accuracy ")

    printed = run_here("predict", "m.textrnn", "d.csv", "--compress", "int8", "--to", "jsonl")
    answers = [list(json.loads(line)["probabilities"].values()) for line in printed.out.splitlines()]
    np.testing.assert_allclose(answers, compressed.predict_proba(texts), rtol=0, atol=1e-5)  # five digits are written
    assert run_here("predict", "m.textrnn", "d.csv", "--compress", "int2").code == 2
