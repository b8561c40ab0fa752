"""textrnn with nothing set, with `effort` and with unlabelled texts, and the network of the notebook."""

import inspect
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import textrnn
from benchmarks.accuracy.sets import FRACTION, Classes, Row, Task
from benchmarks.accuracy.side import Fitted, Side
from textrnn.config import setting_sections
from textrnn.lesson.program import RECIPE

PACKAGE = Path(textrnn.__file__).parent
SEEDS = 5
LEFT_OUT = ("cli", "doctor", "evaluation", "explorer", "inspection", "lesson", "live", "logs", "studies", "tuning")
"""Parts of the package that decide no prediction."""
SOURCES = tuple(
    sorted(
        path
        for suffix in ("py", "cpp", "h")
        for path in PACKAGE.rglob(f"*.{suffix}")
        if path.relative_to(PACKAGE).parts[0] not in LEFT_OUT
    )
)
NOTEBOOK = RECIPE.settings() | {
    "batch_size": 32,
    "epochs": 20,
    "patience": 3,
    "backend": "auto",
}
"""The lesson's network and optimiser. Its 80 epochs on 40 reviews become at most 20 with early stopping, its batches of
8 become 32; texts are padded to the length that 95 of 100 training texts do not exceed, 256 at most."""


def takes(name: str) -> bool:
    """Whether `textrnn.train` knows this argument or setting already."""
    return name in inspect.signature(textrnn.train).parameters or name in setting_sections()


def fit(settings: dict[str, Any], task: Task, seed: int) -> Fitted:
    further: dict[str, Any] = {"tokenizer": "characters"} if task.row.characters else {}
    if task.unlabelled:
        further["unlabelled"] = task.unlabelled
    if task.row.metric == "macro_f1":  # the peers choose their C and epochs by it
        further["decisions"] = "macro_f1"
    return _fit(task, seed, settings | further)


def fit_notebook(task: Task, seed: int) -> Fitted:
    tokenizer = "characters" if task.row.characters else NOTEBOOK["tokenizer"]
    lengths = [len(text) if task.row.characters else len(text.split()) for text in task.train.texts]
    longest = int(np.clip(np.quantile(lengths, 0.95), 1, 256))
    return _fit(task, seed, NOTEBOOK | {"effort": "plain", "tokenizer": tokenizer, "max_length": longest})


def _fit(task: Task, seed: int, settings: dict[str, Any]) -> Fitted:
    official = task.everything is task.train  # there are validation texts beside the training texts
    data, labels = task.everything.texts, task.everything.labels
    classifier = textrnn.train(
        data,
        [labels[target] for target in task.everything.targets],
        validation=task.validation.texts if official else None,
        validation_labels=[labels[target] for target in task.validation.targets] if official else None,
        on_event=lambda event: None,
        **settings | {"seed": seed, "threads": 1, "validation_fraction": FRACTION},
    )
    columns = np.array([classifier.labels.index(label) for label in labels])

    def probabilities(texts: list[str]) -> Any:
        return classifier.predict_proba(texts)[:, columns]

    def predict(texts: list[str]) -> Classes:
        decided = classifier.task.decided(classifier.predict_proba(texts))
        return np.asarray(np.argsort(columns)[decided], dtype=np.int64)

    def size() -> int:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.textrnn"
            classifier.save(path)
            return path.stat().st_size

    provenance = classifier.header.provenance
    assert provenance is not None
    if official:
        value: float | None = task.value(task.validation.targets, predict(task.validation.texts))
    else:  # the n-grams have learned from those texts in the end
        value = provenance.metrics.get(task.row.metric)
    chosen: dict[str, Any] = {"epoch": provenance.best_epoch, "of": len(provenance.history)}
    if provenance.parts:  # otherwise the settings do not follow from the data
        names = ("members", "hidden_size", "ngrams", "character_ngrams")
        chosen |= {name: getattr(classifier.header.model, name) for name in names}
        chosen |= {"epochs": provenance.training.epochs, "r_drop": provenance.training.r_drop}
    return Fitted(predict, size, value, chosen, probabilities)


def runs_on(effort: str | None, row: Row) -> bool:
    """Whether what is asked for exists yet."""
    return (effort is None or takes("effort")) and (row.unlabelled is None or takes("unlabelled"))


SIDES = (
    *(
        Side(
            f"textrnn, {effort}" if effort else "textrnn",
            partial(fit, {"effort": effort} if effort else {}),
            {"effort": effort} if effort else {},
            (Path(__file__), *SOURCES),
            ("torch", "numpy"),
            seeds=SEEDS,
            runs_on=partial(runs_on, effort),
        )
        for effort in (None, "quick", "best")
    ),
    Side(
        "the notebook's RNN",
        fit_notebook,
        NOTEBOOK,
        (Path(__file__), *SOURCES),
        ("torch", "numpy"),
        seeds=3,
    ),
)
