"""How long does `textrnn train FILE` take, with nothing chosen, and how long what one would otherwise have used?

The whole command in a process of its own, from the file to the saved model, on all processors; it says beforehand how
long it will take. Beside it, on the same texts and as many threads: scikit-learn's tf-idf over words and word pairs
with logistic regression as it comes, and fastText with word pairs as in its tutorial; neither is tuned. What each gets
right is in the table of accuracies, whose peers are tuned. Each side takes minutes, so it runs once: on a machine that
does nothing else.
"""

import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.accuracy.fast_text import TUTORIAL
from benchmarks.lengths import data_folder, read
from benchmarks.timing import processor_seconds
from textrnn.data import LabelledTexts
from textrnn.text.tokenizer import words

SETS = ("imdb",)
TOLD = re.compile(r"about (\d+) (s|min) here")


def measure() -> list[dict[str, Any]]:
    """One row for each set."""
    folder = data_folder()
    assert folder is not None
    return [compare(name, read(folder, name, "train")) for name in SETS]


def compare(name: str, dataset: LabelledTexts) -> dict[str, Any]:
    seconds: dict[str, float] = {}
    processor: dict[str, float] = {}
    labels = [str(dataset.labels[target]) for target in dataset.targets]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("label", "text"), *zip(labels, dataset.texts, strict=True)])
        sides: dict[str, Callable[[], float | None]] = {
            "textrnn": lambda: by_command(path),
            "tf-idf + LR": lambda: linear(dataset.texts, labels),
            "fastText, pairs": lambda: fast_text(Path(folder) / "train.txt", dataset.texts, labels),
        }
        told = {}
        for side, train in sides.items():
            started, used = time.perf_counter(), processor_seconds()
            told[side] = train()
            seconds[side], processor[side] = time.perf_counter() - started, processor_seconds() - used
    return {
        "set": name,
        "texts": len(dataset),
        "threads": os.cpu_count(),
        "seconds told beforehand": told["textrnn"],
        "seconds": seconds,
        "processor seconds": processor,
        "load average": [round(load, 2) for load in os.getloadavg()],
    }


def by_command(path: Path) -> float:
    """The command with nothing chosen but the seed; the seconds that it tells beforehand."""
    command = [sys.executable, "-m", "textrnn", "train", str(path), "--out", str(path.with_suffix(".textrnn"))]
    done = subprocess.run([*command, "--seed", "1"], capture_output=True, text=True, check=True)
    found = TOLD.search(done.stderr)
    if found is None:
        raise SystemExit("textrnn train did not say how long it would take")
    return float(found[1]) * (60 if found[2] == "min" else 1)


def linear(texts: list[str], labels: list[str]) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    LogisticRegression(max_iter=1000).fit(TfidfVectorizer(ngram_range=(1, 2)).fit_transform(texts), labels)


def fast_text(path: Path, texts: list[str], labels: list[str]) -> None:
    import fasttext

    with path.open("w", encoding="utf-8") as file:
        for text, label in zip(texts, labels, strict=True):
            file.write(f"__label__{label} {' '.join(words(text))}\n")
    fasttext.train_supervised(str(path), wordNgrams=2, thread=os.cpu_count(), verbose=0, **TUTORIAL)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
