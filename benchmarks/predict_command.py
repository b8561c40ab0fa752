"""How long does `textrnn predict` take for 25,000 reviews, from the start of the process to the written file?

The peer is fastText with word pairs, trained as its tutorial has it (`-wordNgrams 2 -bucket 200000 -dim 50`). Its
package on PyPI brings no command, so a script of a few lines stands in for it: load the model, predict each line by the
library's own function below the Python wrapper, write a label a line. What it costs to start Python and import the
library is measured too (`fastText, start only`) and taken off for the ratios. Both read the imdb test set, one review a
line, textrnn at most 256 tokens of each, its default. Ours write labels and probabilities; their weights are random,
which is the same work as trained ones.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.lengths import data_folder, read
from benchmarks.random_models import write_random_model
from benchmarks.timing import best_times

ROUNDS = 3
REVIEWS = 25_000
START = "import fasttext"
PREDICT = """
import sys, fasttext
model = fasttext.load_model(sys.argv[1]).f
with open(sys.argv[2], encoding="utf-8") as lines, open(sys.argv[3], "w", encoding="utf-8") as out:
    for line in lines:
        out.write(model.predict(line, 1, 0.0, "strict")[0][1] + "\\n")
"""
TRAIN = """
import sys, fasttext
model = fasttext.train_supervised(
    sys.argv[1], wordNgrams=2, bucket=200000, dim=50, epoch=5, thread=2, verbose=0
)
model.save_model(sys.argv[2])
"""


def run(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def one_line(text: str) -> str:
    return " ".join(text.split())


def write_lines(folder: Path, target: Path) -> tuple[Path, Path]:
    """The test reviews one a line, and the training reviews as fastText reads them."""
    test, train = read(folder, "imdb", "test"), read(folder, "imdb", "train")
    lines = target / "lines.txt"
    lines.write_text("".join(one_line(text) + "\n" for text in test.texts), encoding="utf-8")
    labelled = target / "train.txt"
    with labelled.open("w", encoding="utf-8") as file:
        for text, label in zip(train.texts, train.targets, strict=True):
            file.write(f"__label__{train.labels[label]} {one_line(text)}\n")
    return lines, labelled


def measure() -> list[dict[str, Any]]:
    """One row: seconds of each side."""
    folder = data_folder()
    if folder is None:
        return []
    with tempfile.TemporaryDirectory() as name:
        target = Path(name)
        lines, labelled = write_lines(folder, target)
        foreign = target / "foreign.bin"
        run("-c", TRAIN, labelled, foreign)
        models = {cell: target / f"{cell}.textrnn" for cell in ("gru", "mingru")}
        for cell, path in models.items():
            write_random_model(path, "imdb", cell=cell)

        def ours(cell: str) -> None:
            run("-m", "textrnn", "predict", models[cell], lines, "--out", target / f"{cell}.csv")

        work = {
            "textrnn, gru": lambda: ours("gru"),
            "textrnn, mingru": lambda: ours("mingru"),
            "fastText, start only": lambda: run("-c", START),
            "fastText": lambda: run("-c", PREDICT, foreign, lines, target / "foreign.txt"),
        }
        times = best_times(work, rounds=ROUNDS)
        for cell in models:
            with (target / f"{cell}.csv").open(newline="", encoding="utf-8") as file:
                assert sum(1 for _ in csv.reader(file)) == REVIEWS + 1
        assert len((target / "foreign.txt").read_text(encoding="utf-8").splitlines()) == REVIEWS
        megabytes = lines.stat().st_size / 1e6
    theirs = times.wall["fastText"] - times.wall["fastText, start only"]
    return [
        {
            "work": "25,000 imdb reviews, start of the process to the written file",
            "megabytes": megabytes,
            "seconds": times.wall,
            "processor seconds": times.processor,
            "times the command of fastText": {
                side: seconds / theirs for side, seconds in times.wall.items() if side.startswith("textrnn")
            },
            "load average": [round(load, 2) for load in os.getloadavg()],
            "at most": {"textrnn, gru": 3, "textrnn, mingru": 1},
        }
    ]


if __name__ == "__main__":
    started = time.perf_counter()
    print(json.dumps(measure(), indent=1))
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
