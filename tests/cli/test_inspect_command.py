"""`textrnn inspect` as a user types it, its numbers against the runtime's."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import textrnn
from builders import header, random_weights
from commands import run_here
from textrnn.runtime import Classifier
from textrnn.tasks import Regression


@pytest.fixture
def model(tmp_path: Path) -> Path:
    head = header(cell="mingru", members=2, bidirectional=True, pooling="max")
    Classifier(head, random_weights(head)).save(tmp_path / "m.textrnn")
    return tmp_path / "m.textrnn"


def test_a_text_in_the_terminal(model: Path) -> None:
    text = "the film was not very good a great plot but boring story acting"
    result = run_here("inspect", model, text)
    assert (result.code, result.err) == (0, "")
    found = textrnn.load(model).predict(text)
    assert result.out.startswith(f"{found.label} {found.probability:.4f}")
    assert "shares, completeness error" in result.out and f"against {found.label}" in result.out
    assert re.search(r" 3  was \(unknown\) +[+-]\d\.\d{3}", result.out)
    assert "unknown to the networks: 2 of 12 words" in result.out
    assert "cut off: 1 words in the middle, since the networks read 12" in result.out
    assert "parts: network 1 " in result.out
    assert re.search(r"halves in \(left to right\): [\d.]+ tokens, [\d.]+ tokens\n", result.out)
    assert max(map(len, result.out.splitlines())) <= 80


@pytest.mark.parametrize("method", ["shares", "integrated_gradients", "gradient_input", "occlusion", "recurrence"])
def test_all_numbers_as_json(model: Path, tmp_path: Path, method: str) -> None:
    result = run_here(
        "inspect", model, "not a good film", "--method", method, "--label", "neg", "--json", tmp_path / "o.json"
    )
    assert result.code == 0 and "against neg" in result.out
    record = json.loads((tmp_path / "o.json").read_text())
    made = textrnn.load(model)
    np.testing.assert_allclose(record["probabilities"], made.predict_proba(["not a good film"])[0], atol=1e-6)
    np.testing.assert_allclose(record["running"][1], made.predict_proba(["not a"])[0], atol=1e-6)
    assert [token["text"] for token in record["tokens"]] == ["not", "a", "good", "film"]
    assert np.shape(record["members"][1]["layers"][0]["right_to_left"]["gates"]["update"]) == (4, 7)
    assert record["attribution"]["method"] == method
    assert [len(one["half_lives"]) for one in record["half_lives"]] == [4] * 4
    if method in ("shares", "recurrence"):
        total = np.array(record["attribution"]["bias"]) + np.sum(record["attribution"]["scores"], axis=0)
        np.testing.assert_allclose(total, record["logits"], atol=1e-5)


def test_json_on_standard_output_stands_alone(model: Path) -> None:
    assert json.loads(run_here("inspect", model, "good", "--json", "-").out)["text"] == "good"
    found = json.loads(run_here("inspect", model, "--neighbours", "good", "--json", "-").out)
    assert len(found) == 10 and list(found[0]) == ["word", "cosine"]


def test_neighbours(model: Path) -> None:
    lines = run_here("inspect", model, "--neighbours", "good").out.splitlines()
    cosines = [float(line.split()[0]) for line in lines]
    assert len(lines) == 10 and cosines == sorted(cosines, reverse=True)


def test_an_empty_text(model: Path) -> None:
    result = run_here("inspect", model, "")
    assert result.code == 0 and "completeness error 0.0e+00" in result.out


def test_a_number(tmp_path: Path) -> None:
    import msgspec

    head = msgspec.structs.replace(header(cell="gru"), labels=[], task=Regression(mean=2.0, std=1.5))
    Classifier(head, random_weights(head)).save(tmp_path / "n.textrnn")
    result = run_here("inspect", tmp_path / "n.textrnn", "good film")
    value = textrnn.load(tmp_path / "n.textrnn").predict("good film").value
    assert result.code == 0 and result.out.startswith(f"value {value:.4g}"[:9])
    refused = run_here("inspect", tmp_path / "n.textrnn", "good film", "--label", "pos")
    assert refused.code == 2 and "expected none, since this model predicts a number, got 'pos'" in refused.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["good", "--label", "other"], "error: --label: expected one of neg, pos, got 'other'\n"),
        (["--neighbours", "unheard"], "error: word: expected one of the 12 words of the vocabulary, got 'unheard'\n"),
        (["good", "--neighbours", "good"], "Error: expected a TEXT to read, or --neighbours WORD, got both\n"),
        (["good", "--port", "80"], "Error: --port has no meaning beside what is told in the terminal\n"),
        (["--method", "shares"], "Error: --method has no meaning beside a page\n"),
        (["--html", "x.html", "--json", "-"], "Error: --json has no meaning beside a page\n"),
        (["--html", "x.html", "--no-open"], "Error: --no-open has no meaning beside --html\n"),
        (["--neighbours", "good", "--label", "pos"], "Error: --label has no meaning beside --neighbours\n"),
    ],
)
def test_mistakes_are_told_in_one_sentence(model: Path, arguments: list[str], message: str) -> None:
    result = run_here("inspect", model, *arguments)
    assert result.code == 2 and result.err.endswith(message)


def test_the_split_of_other_cells_is_refused(tmp_path: Path) -> None:
    head = header(cell="gru")
    Classifier(head, random_weights(head)).save(tmp_path / "g.textrnn")
    result = run_here("inspect", tmp_path / "g.textrnn", "good", "--method", "recurrence")
    assert result.err == "error: recurrence: expected a model of the cells mingru or minlstm, got one of 'gru'\n"


def test_the_model_is_not_overwritten(model: Path) -> None:
    result = run_here("inspect", model, "good", "--json", model)
    assert result.code == 2 and "it is also read" in result.err
