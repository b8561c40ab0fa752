"""fastText, with word pairs and the settings of its tutorial, and tuned by its own `autotune`, on one thread.

It reads our tokens, since its package leaves the cutting of texts to its users. `characters` are given as words of one
sign; pairs of signs say little, so the untuned side has up to four in a row there.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.sets import Classes, Row, Task
from benchmarks.accuracy.side import Fitted, Side
from textrnn.data import LabelledTexts

AUTOTUNE_SECONDS = 300
"""fastText's own default."""
MOST_STRETCHED = 6.0
ATTEMPTS = 5
TUTORIAL = {"lr": 1.0, "epoch": 25}
"""https://fasttext.cc/docs/en/supervised-tutorial.html. With the library's defaults it is far from having learned sets
of a few thousand texts: 64 % of the validation texts of `mr` are right, with these 77 %."""
FOUND = ("lr", "dim", "epoch", "wordNgrams", "minCount", "minn", "maxn", "bucket")
"""What autotune searches."""


@contextmanager
def as_file(row: Row, dataset: LabelledTexts, seed: int) -> Iterator[str]:
    """One line for each text: its class and tokens. Shuffled, since fastText learns in the order of the file."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        for index in np.random.default_rng(seed).permutation(len(dataset)).tolist():
            file.write(f"__label__{dataset.targets[index]} {' '.join(row.tokenize(dataset.texts[index]))}\n")
        file.flush()
        yield file.name


def fit_pairs(task: Task, seed: int) -> Fitted:
    with as_file(task.row, task.everything, seed) as path:
        model, diverged = _until_finite(path, seed, wordNgrams=4 if task.row.characters else 2, **TUTORIAL)
    return _fitted(task, model, None, {"diverged": diverged})


def fit_autotuned(task: Task, seed: int) -> Fitted:
    """Autotune has no metric for macro-F1: there it is the F1 of all decisions, which is the accuracy.

    The search runs in a process of its own, because some searches end with "Encountered NaN" and some never; then the
    next seed has its turn. It has two threads, because with one nearly every search ends so. The model is trained with
    what was found, on the training texts to see what it does on the validation texts, then on everything.
    """
    search: dict[str, Any] = {
        "autotuneDuration": round(AUTOTUNE_SECONDS * stretch()),
        "autotuneMetric": f"f1:__label__{task.labels.index(task.row.positive)}" if task.row.positive else "f1",
    }
    with as_file(task.row, task.train, seed) as path, as_file(task.row, task.validation, seed) as validation:
        found, failed = _search(path, search | {"autotuneValidationFile": validation}, seed)
        model, diverged = _until_finite(path, seed, **found)
    value = task.value(task.validation.targets, _fitted(task, model).predict(task.validation.texts))
    if task.everything is not task.train:
        with as_file(task.row, task.everything, seed) as path:
            model, again = _until_finite(path, seed, **found)
        diverged += again
    chosen = found | {"budget on the clock": search["autotuneDuration"], "failed searches": failed}
    return _fitted(task, model, value, chosen | {"diverged": diverged})


SEARCH = f"""
import fasttext, json, sys
found = fasttext.train_supervised(sys.argv[1], **json.loads(sys.argv[2]), thread=2, verbose=0).f.getArgs()
print(json.dumps({{name: getattr(found, name) for name in {FOUND}}} | {{"loss": found.loss.name}}))
"""


def _search(path: str, search: dict[str, Any], seed: int) -> tuple[dict[str, Any], int]:
    """The arguments that autotune finds, and how many searches failed before."""
    for attempt in range(ATTEMPTS):
        arguments = json.dumps(search | {"seed": seed + 1000 * attempt})
        command = [sys.executable, "-c", SEARCH, path, arguments]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=3 * search["autotuneDuration"] + 60
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            continue
        return json.loads(done.stdout.splitlines()[-1]), attempt
    raise SystemExit(f"fastText: {ATTEMPTS} searches of autotune failed")


def stretch() -> float:
    """How much longer a second of the processor takes on the clock now: autotune knows the clock only."""
    wall, processor = time.perf_counter(), time.process_time()
    while time.process_time() - processor < 0.5:
        pass
    return min(max((time.perf_counter() - wall) / 0.5, 1.0), MOST_STRETCHED)


def _until_finite(path: str, seed: int, **arguments: Any) -> tuple[Any, int]:
    """A model, and how many seeds before it ended with "Encountered NaN", as high learning rates do to fastText."""
    import fasttext

    for attempt in range(ATTEMPTS):
        try:
            return fasttext.train_supervised(
                path, **arguments, seed=seed + 1000 * attempt, thread=1, verbose=0
            ), attempt
        except RuntimeError as error:
            if "NaN" not in str(error) or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError


def _fitted(task: Task, model: Any, validation: float | None = None, chosen: dict[str, Any] | None = None) -> Fitted:
    def predict(texts: list[str]) -> Classes:
        lines = [" ".join(task.row.tokenize(text)) + "\n" for text in texts]
        labels, _ = model.f.multilinePredict(lines, 1, 0.0, "strict")
        # A text of unknown words only has no answer: fastText's users then take what they like, here the first class.
        return np.array([int(some[0].removeprefix("__label__")) if some else 0 for some in labels], dtype=np.int64)

    def size() -> int:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.bin"
            model.save_model(str(path))
            return path.stat().st_size

    return Fitted(predict, size, validation, chosen or {})


SIDES = (
    Side(
        "fastText, pairs",
        fit_pairs,
        {"ngrams": 2, "character ngrams": 4, **TUTORIAL},
        (Path(__file__),),
        ("fasttext",),
        seeds=3,
    ),
    Side(
        "fastText, autotuned",
        fit_autotuned,
        {"seconds": AUTOTUNE_SECONDS},
        (Path(__file__),),
        ("fasttext",),
    ),
)
