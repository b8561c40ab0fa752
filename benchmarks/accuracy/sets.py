"""The rows of the table: what is learned from, what is measured."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.lengths import read
from textrnn.data import LabelledTexts, split_stratified
from textrnn.text.tokenizer import Tokenizer, characters, words

Classes = NDArray[np.int64]
FRACTION, SPLIT_SEED = 0.1, 0
"""The validation texts of sets without official ones; the same for every side and seed."""


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    name: str
    folder: str
    train: str = "train"
    metric: str = "accuracy"
    """`accuracy`, `macro_f1`, or `f1` of the class `positive`."""
    positive: str | None = None
    characters: bool = False
    """Whether tokens are characters, because the script has no spaces between words."""
    unlabelled: str | None = None
    """The file of further texts without labels; only sides that can use them run."""

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides a result."""
        return {
            "train": self.train,
            "metric": self.metric,
            "positive": self.positive,
            "characters": self.characters,
            "unlabelled": self.unlabelled,
            "fraction": FRACTION,
            "split_seed": SPLIT_SEED,
        }

    @property
    def tokenize(self) -> Tokenizer:
        """The rule that all sides but the notebook's share; a space among characters is the token ▁."""
        return _characters if self.characters else words

    @property
    def metric_shown(self) -> str:
        names = {"accuracy": "accuracy", "macro_f1": "macro-F1", "f1": f"F1 of {self.positive}"}
        return names[self.metric]


def _characters(text: str) -> list[str]:
    return ["▁" if token == " " else token for token in characters(text)]


ROWS = {
    row.name: row
    for row in (
        Row("trec6", "trec6"),
        Row("sms_spam", "sms_spam", metric="f1", positive="spam"),
        Row("sst2", "sst2"),
        Row("mr", "mr"),
        Row("tweet_offensive", "tweet_offensive", metric="macro_f1"),
        Row("clinc150", "clinc150"),
        Row("ag_news_15k", "ag_news_15k"),
        Row("sst2_phrases", "sst2", train="train_phrases"),  # the sentences are among the phrases
        Row("th_wisesight", "th_wisesight", metric="macro_f1", characters=True),
        Row("20news_stripped", "20news_stripped"),
        Row("imdb", "imdb"),
        Row("imdb_unlabelled", "imdb", unlabelled="unlabelled.txt.gz"),
    )
}
"""By name, the quick ones first."""


@dataclass(frozen=True, eq=False)
class Task:
    """What a side is given: everything but the test texts."""

    row: Row
    train: LabelledTexts
    validation: LabelledTexts
    everything: LabelledTexts
    """The training texts and, where the validation texts were split off from them, those too."""
    unlabelled: Path | None

    @property
    def labels(self) -> list[str]:
        return [str(label) for label in self.train.labels]

    def value(self, targets: Classes, predicted: Classes) -> float:
        """The row's metric, 0 to 1."""
        return measured(self.row, self.labels, targets, predicted)[self.row.metric]


def measured(row: Row, labels: list[str], targets: Classes, predicted: Classes) -> dict[str, float]:
    """Accuracy, macro-F1 and, with a positive class, its F1. targets, predicted: [texts]"""
    from sklearn.metrics import f1_score

    every = range(len(labels))
    by_class = f1_score(targets, predicted, labels=every, average=None, zero_division=0)
    figures = {"accuracy": float(np.mean(targets == predicted)), "macro_f1": float(by_class.mean())}
    if row.positive is not None:
        figures["f1"] = float(by_class[labels.index(row.positive)])
    return figures


@functools.lru_cache(maxsize=1)
def load(row: Row, folder: Path) -> tuple[Task, LabelledTexts]:
    """What a side is given, and the test texts that it is not given."""
    everything, test = read(folder, row.folder, row.train), read(folder, row.folder, "test")
    if test.labels != everything.labels:
        raise SystemExit(f"{row.name}: the test texts have other labels than the training texts")
    if (folder / row.folder / "dev.csv.gz").exists():
        train, validation = everything, read(folder, row.folder, "dev")
    else:
        train, validation = split_stratified(everything, FRACTION, SPLIT_SEED)
    unlabelled = folder / row.folder / row.unlabelled if row.unlabelled else None
    return Task(row, train, validation, everything, unlabelled), test
