"""From a file to metrics through the real command line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SETS: list[Any] = [
    # set, options, accuracy that guessing the most frequent class is far from
    ("mr", [], 0.74),
    ("sst2", [], 0.76),
    ("trec6", [], 0.80),
    ("clinc150", [], 0.80),
    ("th_wisesight", ["--tokenizer", "characters", "--epochs", "2"], 0.57),
]


def run(*arguments: str | Path, stdin: str | None = None) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "textrnn", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(("name", "options", "accuracy"), SETS)
def test_real_data_with_defaults(
    data_folder: Path, tmp_path: Path, name: str, options: list[str], accuracy: float
) -> None:
    model = tmp_path / "m.textrnn"
    run("train", data_folder / name / "train.csv.gz", "--out", model, *options)
    run("evaluate", model, data_folder / name / "test.csv.gz", "--json", tmp_path / "e.json", "--mistakes", "3")
    evaluation = json.loads((tmp_path / "e.json").read_text())
    assert evaluation["accuracy"]["value"] > accuracy > evaluation["majority_share"]


@pytest.mark.data
def test_real_data_in_one_go(data_folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.textrnn"
    events = run(
        "train", data_folder / "trec6" / "train.csv.gz", "--out", model, "--effort", "plain", "--epochs", "2"
    ).splitlines()
    assert [json.loads(event)["event"] for event in events] == ["epoch", "epoch", "saved"]
    test = data_folder / "trec6" / "test.csv.gz"
    printed = run("evaluate", model, test, "--html", tmp_path / "e.html", "--png", tmp_path / "e.png")
    assert "500 examples, 6 classes" in printed and "DESC" in printed
    assert (tmp_path / "e.html").read_text().startswith("<!DOCTYPE html>")
    assert (tmp_path / "e.png").read_bytes().startswith(b"\x89PNG")
    assert "labels        6: ABBR, DESC, ENTY, HUM, LOC, NUM" in run("info", model)
    assert json.loads(run("info", model, "--json"))["provenance"]["best_epoch"] in (1, 2)
    answer = run("predict", model, "--to", "jsonl", stdin="Who wrote Hamlet ?\n")
    assert set(json.loads(answer)["probabilities"]) == {"ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM"}


@pytest.mark.parametrize(
    ("positive", "negative"),
    [
        (["这部电影很好看", "非常喜欢这个故事", "演员很棒"], ["这部电影很无聊", "非常讨厌这个故事", "演员很差"]),
        (
            ["とても面白い映画でした", "感動しました", "素晴らしい演技"],
            ["とても退屈な映画でした", "がっかりしました", "ひどい演技"],
        ),
    ],
    ids=["Chinese", "Japanese"],
)
def test_scripts_without_spaces(tmp_path: Path, positive: list[str], negative: list[str]) -> None:
    lines = [f"{text}\t好" for text in positive * 8] + [f"{text}\t坏" for text in negative * 8]
    (tmp_path / "d.tsv").write_text("text\tlabel\n" + "\n".join(lines) + "\n", encoding="utf-8")
    model = tmp_path / "m.textrnn"
    settings = ["--tokenizer", "characters", "--epochs", "30", "--learning-rate", "0.01", "--validation-fraction", "0"]
    run("train", tmp_path / "d.tsv", "--out", model, *settings, "--dropout", "0.1")
    assert "accuracy        1.0000" in run("evaluate", model, tmp_path / "d.tsv")
    assert [line.split(",")[0] for line in run("predict", model, stdin=positive[1] + "\n").splitlines()] == [
        "label",
        "好",
    ]


def test_folder_of_classes_and_standard_input(tmp_path: Path) -> None:
    for label, word in (("pos", "good"), ("neg", "bad")):
        (tmp_path / "train" / label).mkdir(parents=True)
        for number in range(12):
            (tmp_path / "train" / label / f"{number}.txt").write_text(f"{word} film {number}")
    run("train", tmp_path / "train", "--out", tmp_path / "folder.textrnn", "--epochs", "2")
    table = "text,label\n" + "".join(f"{'good' if i % 2 else 'bad'} film,{i % 2}\n" for i in range(30))
    run("train", "-", "--format", "csv", "--out", tmp_path / "stdin.textrnn", "--epochs", "2", stdin=table)
    assert run("evaluate", tmp_path / "stdin.textrnn", "-", "--format", "csv", stdin=table).startswith("30 examples")


def test_progress_bar_tells_every_epoch(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("text,label\n" + "".join(f"w{i % 5},{i % 2}\n" for i in range(40)))
    command = [
        sys.executable,
        "-m",
        "textrnn",
        "train",
        "d.csv",
        "--progress",
        "bar",
        "--epochs",
        "3",
        "--patience",
        "0",
    ]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [line.split()[1] for line in result.stderr.splitlines() if line.startswith("epoch")] == ["1", "2", "3"]
    assert "saved d.textrnn: epoch" in result.stdout and (tmp_path / "d.textrnn").exists()
    assert not (tmp_path / "d.textrnn.checkpoint").exists()
