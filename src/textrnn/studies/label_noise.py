"""Suspicious labels, by a model that never saw them or by cross-validation."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from textrnn.config import Recipe
from textrnn.data import LabelledTexts, as_examples, collect, stratified_folds
from textrnn.errors import ConfigError
from textrnn.evaluation import Suspect, find_suspects
from textrnn.files import require
from textrnn.runtime import Classifier, load
from textrnn.studies.training import check_one_label, train_on_part

logger = logging.getLogger("textrnn")


class Fold(NamedTuple):
    """A fold of a cross-validation that is done."""

    number: int
    """Counted from 1."""
    folds: int
    examples: int
    """On which it was trained."""
    accuracy: float
    """On the held-out texts."""
    seconds: float


def suspects(
    data: Any,
    labels: Any = None,
    *,
    model: Classifier | str | Path | None = None,
    folds: int = 5,
    effort: str = "default",
    text: str | None = None,
    label: str | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    header: bool = True,
    on_fold: Callable[[Fold], None] = lambda fold: None,
    **settings: Any,
) -> list[Suspect]:
    """The texts whose labels are probably wrong, the most suspicious first, by confident learning.

    Args:
        data: a file, folder, frame or list with texts, as `textrnn.train` takes it.
        labels: the labels where `data` is a list of texts only.
        model: a classifier or its model file that was not trained on these texts; without one, classifiers are trained
            on all but one of the folds in turn, and each judges the texts that it has not seen.
        folds: how many.
        effort: of each training, as in `textrnn.train`.
        text, label: names of the columns where they cannot be told from the header.
        format, encoding, header: how to read a file where its name and content do not tell.
        on_fold: told of every fold when it is done.
        settings: of the trainings, any setting of `textrnn.config.Recipe` by its name.

    Raises:
        DataError: the data cannot be read, hold a label that the model does not know, or have too few texts.
        ConfigError: a setting's value cannot be used, or there is a model and settings for a training.
        MissingDependencyError: cleanlab is not installed, or PyTorch where there is no model.
    """
    require("cleanlab.filter", extra="suspects", purpose="looking for suspects")
    read = as_examples(data, labels, text=text, label=label, format=format, encoding=encoding, header=header)
    if model is not None:
        if settings:
            raise ConfigError(
                f"{next(iter(settings))}: expected no settings where a model is given: nothing is trained"
            )
        classifier = model if isinstance(model, Classifier) else load(model)
        classifier.require_one_label("suspects")
        dataset = collect(read, labels=classifier.labels, task=classifier.task)
        probabilities = classifier.predict_proba(dataset.texts)
        judged = np.arange(len(dataset))
    else:
        check_one_label(settings, "the search for suspects")
        seed = Recipe.from_settings(**settings).training.seed
        if folds < 2:
            raise ConfigError(f"folds: expected at least 2, got {folds}")
        dataset = collect(read)
        fold_of = stratified_folds(dataset, folds, seed)
        probabilities = out_of_sample(dataset, fold_of, settings, on_fold, effort=effort)
        judged = np.flatnonzero(_judged(dataset, fold_of))
        if len(judged) < len(dataset):
            logger.warning(
                "%d of %d texts cannot be judged, since no other fold has their label",
                len(dataset) - len(judged),
                len(dataset),
            )
    return [
        msgspec.structs.replace(suspect, index=int(judged[suspect.index]))
        for suspect in find_suspects(
            dataset.targets[judged],
            probabilities[judged],
            dataset.labels,
            texts=[dataset.texts[index] for index in judged.tolist()],
            places=[dataset.place(index) for index in judged.tolist()],
        )
    ]


def out_of_sample(
    dataset: LabelledTexts,
    fold_of: NDArray[np.int64],
    settings: dict[str, Any],
    on_fold: Callable[[Fold], None] = lambda fold: None,
    *,
    effort: str = "default",
) -> NDArray[np.float64]:
    """Probabilities [texts, classes], each text's by a classifier that was trained on the other folds only.

    fold_of: the fold of each text [texts]. A class that a classifier has never seen has probability 0 there.
    """
    probabilities = np.zeros((len(dataset), len(dataset.labels)))
    column = {label: index for index, label in enumerate(dataset.labels)}
    numbers = np.unique(fold_of).tolist()
    for done, number in enumerate(numbers, start=1):
        held_out = np.flatnonzero(fold_of == number)
        others = dataset.subset(np.flatnonzero(fold_of != number))
        classifier, seconds = train_on_part(others, settings, effort)
        judged = classifier.predict_proba([dataset.texts[index] for index in held_out.tolist()])
        probabilities[np.ix_(held_out, np.array([column[label] for label in classifier.labels]))] = judged
        accuracy = float((probabilities[held_out].argmax(axis=1) == dataset.targets[held_out]).mean())
        on_fold(Fold(done, len(numbers), len(others), accuracy, seconds))
    return probabilities


def _judged(dataset: LabelledTexts, fold_of: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether another fold has the class of a text: a classifier cannot tell one that it has never seen. [texts]"""
    counts = np.zeros((int(fold_of.max()) + 1, len(dataset.labels)), dtype=np.int64)
    np.add.at(counts, (fold_of, dataset.targets), 1)
    others: NDArray[np.int64] = counts.sum(axis=0) - counts  # [folds, classes]
    judged: NDArray[np.bool_] = others[fold_of, dataset.targets] > 0
    return judged
