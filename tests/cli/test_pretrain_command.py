"""`textrnn pretrain`, and `textrnn train` on what it writes, as a user runs them."""

import gzip
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

import textrnn
from commands import TEXTRNN, assert_refused, nothing_changes, run_here
from textrnn.modelfile import read_base

SIZES = ["--hidden-size", "8", "--embedding-size", "6"]
SMALL = [*SIZES, "--epochs", "2", "--batch-tokens", "128", "--min-count", "1"]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    rng = random.Random(3)
    path = tmp_path / "texts.txt"
    path.write_text("".join(" ".join(rng.choices("a good bad film plot".split(), k=9)) + "\n" for _ in range(90)))
    return path


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "d.csv"
    path.write_text("text,label\n" + "".join(f"{'good' if i % 2 else 'bad'} film {i},{i % 2}\n" for i in range(60)))
    return path


def test_from_texts_to_a_classifier(texts: Path, labelled: Path, tmp_path: Path) -> None:
    base, model = tmp_path / "base.textrnn", tmp_path / "m.textrnn"
    packed = tmp_path / "more.txt.gz"
    packed.write_bytes(gzip.compress(b"another text of words\n" * 5))
    result = run_here("pretrain", texts, packed, labelled, "--out", base, *SMALL)
    assert result.code == 0, result.err
    *rounds, saved = [json.loads(line) for line in result.out.splitlines()]
    assert [event["event"] for event in rounds] == ["round"] * len(rounds) and len(rounds) == 2
    assert saved["event"] == "saved" and saved["perplexity"] == rounds[saved["best_round"] - 1]["perplexity"]
    header, _ = read_base(base)
    assert {"another", "plot", "59"} <= set(header.vocabulary)
    assert not list(tmp_path.glob("*.checkpoint"))

    result = run_here("train", labelled, "--base", base, "--out", model, "--epochs", "2", "--effort", "plain")
    assert result.code == 0, result.err
    assert textrnn.load(model).header.vocabulary == header.vocabulary

    result = run_here("info", base)
    assert result.code == 0 and "base of a classifier" in result.out and "perplexity" in result.out, result
    assert json.loads(run_here("info", base, "--json").out)["kind"] == "base"


def test_in_one_go(texts: Path, labelled: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.textrnn"
    options = ["--epochs", "2", "--virtual-adversarial", "1", "--budget", "1s", "--effort", "plain", *SIZES]
    result = run_here("train", labelled, "--unlabelled", texts, "--out", model, *options)
    assert result.code == 0, result.err
    events = [json.loads(line)["event"] for line in result.out.splitlines()]
    assert events[0] == "round" and events[-3:] == ["epoch", "epoch", "saved"]
    assert "plot" in textrnn.load(model).header.vocabulary
    assert {path.name for path in tmp_path.iterdir()} == {"texts.txt", "d.csv", "m.textrnn"}


def test_mistakes(texts: Path, labelled: Path, tmp_path: Path) -> None:
    base, model = tmp_path / "base.textrnn", tmp_path / "m.textrnn"
    run_here("pretrain", texts, "--out", base, *SMALL)
    run_here("train", labelled, "--out", model, "--epochs", "1", "--effort", "plain", *SIZES)
    empty = tmp_path / "empty.txt"
    empty.write_text("word\n")
    out = ["--out", tmp_path / "x.textrnn"]
    with nothing_changes(tmp_path):
        assert_refused(run_here("predict", base), base, "this is a base", "--base")
        assert_refused(run_here("evaluate", base, labelled), base, "this is a base")
        assert_refused(run_here("train", labelled, "--base", model, *out), model, "this is a classifier")
        assert_refused(run_here("train", labelled, "--base", labelled, *out), labelled, "not a model file")
        assert_refused(run_here("train", labelled, "--base", tmp_path / "none", *out), "none", "No such file")
        assert_refused(run_here("train", labelled, "--base", base, "--hidden-size", 9, *out), "expected 8", "got 9")
        assert_refused(run_here("train", labelled, "--base", base, "--max-size", 9, *out), "max_size", "vocabulary")
        assert_refused(run_here("train", labelled, "--budget", "3m", *out), "budget", "unlabelled")
        assert_refused(run_here("train", labelled, "--unlabelled", tmp_path / "none.txt", *out), "no such file")
        assert_refused(run_here("pretrain", empty, *out), "nothing to predict")
        assert_refused(run_here("pretrain", texts, "--out", texts), "texts.txt")
        assert_refused(run_here("pretrain", texts), "--out")
        assert_refused(run_here("pretrain", *out), "TEXTS")
        for budget in ("0", "-1m", "soon", "3d", "1e9", "9" * 400):
            assert_refused(run_here("pretrain", texts, "--budget", budget, *out), "--budget")
        assert_refused(run_here("pretrain", texts, "--hidden-size", 0, *out), "hidden_size")


def test_killed_and_resumed_it_writes_the_same_bytes(texts: Path, tmp_path: Path) -> None:
    options = [*SMALL, "--epochs", "12", "--round-tokens", "300", "--no-timings", "--patience", "0"]
    whole, other = tmp_path / "whole.textrnn", tmp_path / "other.textrnn"
    assert run_here("pretrain", texts, "--out", whole, *options).code == 0
    checkpoint = tmp_path / "other.textrnn.checkpoint"
    killed = subprocess.Popen(
        [*TEXTRNN, "pretrain", str(texts), "--out", str(other), *options], stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not checkpoint.exists() and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL and not other.exists() and checkpoint.exists()
    result = run_here("pretrain", texts, "--out", other, "--resume", *options)
    assert result.code == 0, result.err
    assert other.read_bytes() == whole.read_bytes()
    assert not checkpoint.exists()
