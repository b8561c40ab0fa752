"""From labelled texts to a classifier: the whole path in one readable function."""

import logging
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from textrnn.config import Recipe
from textrnn.data import EncodedTexts, LabelledTexts
from textrnn.errors import ConfigError
from textrnn.files import require
from textrnn.modelfile import FORMAT_VERSION, DataProvenance, Header, Provenance, VectorsProvenance
from textrnn.runtime import Classifier
from textrnn.runtime.baseline import with_baseline
from textrnn.tasks import AnyTask, task_of
from textrnn.text import TextEncoder, Vocabulary
from textrnn.training.effort import DataSize, check_effort, settings_for
from textrnn.training.estimate import announce
from textrnn.training.examples import EncodedExamples
from textrnn.training.fit import CheckpointFile, Event, Fit
from textrnn.training.generation import Generation, Surroundings
from textrnn.training.precautions import check_metric, note, note_vocabulary
from textrnn.training.pretraining.recipe import Base
from textrnn.training.pretraining.run import PretrainingEvent
from textrnn.training.progress import progress_bar_or_nothing
from textrnn.training.self_training import labelled_by, student_recipe, teacher_recipe
from textrnn.training.start import Start
from textrnn.training.texts import read_and_split
from textrnn.training.vectors import with_vector_size
from textrnn.training.watching import Watcher
from textrnn.version import __version__

logger = logging.getLogger("textrnn")


def train(
    data: Any,
    labels: Any = None,
    *,
    text: str | None = None,
    label: str | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    header: bool = True,
    validation: Any = None,
    validation_labels: Any = None,
    vectors: str | Path | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    on_event: Callable[[Event], None] | None = None,
    base: str | Path | Base | None = None,
    unlabelled: Any = None,
    pretraining: Mapping[str, Any] | None = None,
    budget_seconds: float | None = None,
    on_pretraining: Callable[[PretrainingEvent], None] | None = None,
    baseline: bool = False,
    effort: str = "default",
    watch: bool | Sequence[str] = False,
    **settings: Any,
) -> Classifier:
    """Train a classifier.

    Args:
        data: a path (CSV, TSV, JSON Lines, Parquet, a folder with one folder per class), a pandas or polars frame,
            a list of (text, label) pairs, or a list of texts.
        labels: the labels where `data` is a list of texts only: strings or integers; lists of these with
            `task="multi_label"`, numbers with `task="regression"`.
        text, label: names of the columns where they cannot be told from the header.
        format, encoding, header: how to read a file where its name and content do not tell.
        validation, validation_labels: as `data` and `labels`; without them a part of the data is split off.
        vectors: a file of word vectors (GloVe, word2vec, fastText) that the embedding begins with and takes its size
            from; `vectors_training` says what becomes of them.
        checkpoint: a file that keeps the state after every epoch.
        resume: go on from `checkpoint`, if it is there, to the same weights as without the interruption.
        on_event: told of every step and epoch; by default a progress bar in a terminal and nothing elsewhere.
        base: a file of `textrnn pretrain`, or what `textrnn.pretrain` returns: embedding, vocabulary and first layer
            to start from. The settings of these come from the base, too.
        unlabelled: texts without labels: a path, a list of `Path`s, or a list of texts. Without `base` a base is
            pre-trained on them and on the training texts first; virtual adversarial training and self-training learn
            from them.
        pretraining: settings of that pre-training (`textrnn.pretraining_config.PretrainingConfig`) by their names.
        budget_seconds: time that it may take at most.
        on_pretraining: told of its every step and round; by default as with `textrnn.pretrain`.
        baseline: train a tuned linear model on the same texts, too, and keep how both do on the validation texts; see
            `Classifier.baseline`. A note says so where the linear model is the better one.
        effort: how much time accuracy is worth: "quick", "default" or "best" choose the settings that are not given
            by the size of the data (see docs/recipe.md); "plain" leaves them as `textrnn.config` has them, which is
            one vanilla network.
        watch: tell `on_event` more (`textrnn.training.watched`): how the training begins and ends and, after every
            epoch, what the network says of these texts, and its gradient by groups of parameters. True chooses a few
            validation texts that are wrong after the first epoch, and a few that are right. What is learned is the
            same with and without.
        settings: any setting of `textrnn.config.Recipe` by its name, e.g. `hidden_size=64, epochs=5`.

    Raises:
        DataError: the data cannot be read, or there are not at least two classes.
        ConfigError: a setting's value cannot be used, or `baseline` is asked for without validation texts.
        CheckpointError: the checkpoint belongs to other data or settings.
        TypeError: there is no setting of that name.
        KeyboardInterrupt: interrupted before the first epoch was complete; later interrupts return the best so far.
    """
    check_effort(effort)
    given = with_vector_size(settings, vectors)
    recipe = Recipe.from_settings(**given)  # refuses what is wrong before the data are read
    start = Start.asked_for(
        base, unlabelled, settings, pretraining=pretraining, budget_seconds=budget_seconds, encoding=encoding
    )
    if start:
        if vectors is not None:
            raise ConfigError("vectors: expected nothing, since the embeddings are those of the base")
        recipe, given = start.recipe, start.settings
    task = task_of(recipe.task)
    if baseline and not task.one_label:
        raise ConfigError("baseline: expected a task with one label a text: there is no linear model for others")
    how: dict[str, Any] = {"text": text, "label": label, "format": format, "encoding": encoding, "header": header}
    dataset, held_out = read_and_split(data, labels, validation, validation_labels, recipe, **how)
    note(dataset, held_out, recipe)
    if effort != "plain":
        size = DataSize.of(dataset, recipe.text)
        recipe = Recipe.from_settings(**settings_for(effort, size, given, base=start is not None))
        if start and start.base is None and "epochs" not in (pretraining or {}):
            start = start.with_passes(effort, int(size.lengths.sum()))
    if baseline:
        require("sklearn", extra="evaluate", purpose="a linear model beside the network")
        if held_out is None:
            raise ConfigError("baseline: expected validation texts to compare on, found none")
    if start:
        start = replace(start, recipe=recipe).with_base(
            dataset.texts, checkpoint=checkpoint, resume=resume, on_event=on_pretraining
        )
        recipe = start.recipe
    run = partial(
        train_on,
        dataset,
        held_out,
        recipe,
        vectors=vectors,
        checkpoint=checkpoint,
        resume=resume,
        start=start,
        watch=watch,
        refit=validation is None and not baseline,  # the baseline compares on texts that neither side has seen
    )
    if on_event is None:
        with progress_bar_or_nothing(recipe.training.epochs) as show:
            classifier = run(on_event=show)
    else:
        classifier = run(on_event=on_event)
    return with_baseline(classifier, dataset, held_out) if baseline and held_out else classifier


def train_on(
    dataset: LabelledTexts,
    held_out: LabelledTexts | None,
    recipe: Recipe,
    *,
    vectors: str | Path | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    on_event: Callable[[Event], None] = lambda event: None,
    start: Start | None = None,
    watch: bool | Sequence[str] = False,
    refit: bool = False,
) -> Classifier:
    """Train on texts that are read and split already; see `train`, and `train_parts` for `refit`."""
    base = start.base if start else None
    if base:
        encoder = TextEncoder(recipe.text, Vocabulary(base.header.vocabulary))
    else:
        encoder = TextEncoder.build(dataset.texts, recipe.text, recipe.vocabulary)
    note_vocabulary(encoder, recipe)
    task = dataset.task.fitted(dataset.targets)
    dataset, held_out = dataset.with_task(task), held_out.with_task(task) if held_out else None
    validation = EncodedExamples.encode(held_out, encoder) if held_out else None
    check_metric(recipe, validation, task.outputs(len(dataset.labels)))
    unlabelled = None
    if start and start.texts:
        unlabelled = EncodedTexts(*encoder.shorter(recipe.training.training_length).encode_many(start.texts))
    rounds = recipe.training.self_training
    if rounds and (start is None or unlabelled is None):
        raise ConfigError("self_training: expected texts without labels to learn from (`unlabelled`), found none")
    around = Surroundings(encoder, held_out, validation, base, vectors, unlabelled, on_event)
    generation = Generation(teacher_recipe(recipe) if rounds else recipe, dataset, around)
    state = None
    if checkpoint:
        fingerprints = f"{dataset.fingerprint()} {held_out.fingerprint() if held_out else None}"
        fingerprints += f" {generation.vectors.fingerprint}" if generation.vectors else ""
        fingerprints += f" {start.fingerprint()}" if start else ""
        state = CheckpointFile(Path(checkpoint), fingerprints, resume)
    watcher = None
    if watch is not False:
        watcher = Watcher(None if watch is True else watch, recipe, encoder, held_out or dataset, generation.training)
        on_event(watcher.begun(len(held_out) if held_out else 0))
    sizes = {"vocabulary_size": len(encoder.vocabulary), "classes": generation.outputs}
    announce(recipe, dataset, generation.training, unlabelled, **sizes)

    classifier = None
    for number in range(rounds + 1):
        try:
            result = generation.fit(
                before=number,
                checkpoint=state and state.of_generation(number),
                refit=refit and number == rounds,
                watcher=watcher,
            )
        except KeyboardInterrupt:
            if classifier is None:
                raise
            result = replace(result, interrupted=True)  # the teacher is the best so far
        classifier = assemble(result, recipe, encoder, dataset, held_out, generation.vectors, start)
        if result.interrupted or number == rounds:
            break
        assert start is not None
        own = labelled_by(classifier.answers(start.texts), start.texts, dataset)
        student = student_recipe(recipe, len(dataset), len(own))
        if number + 1 < rounds:
            student = teacher_recipe(student)
        generation = Generation(student, dataset.followed_by(own), around)
    assert classifier is not None
    if watcher:
        on_event(watcher.finished(classifier))
    return classifier


def assemble(
    result: Fit,
    recipe: Recipe,
    encoder: TextEncoder,
    dataset: LabelledTexts,
    held_out: LabelledTexts | None,
    vectors: VectorsProvenance | None = None,
    start: Start | None = None,
) -> Classifier:
    """The trained weights with everything that belongs to them, as a classifier that runs without PyTorch."""
    base = start.base.header.provenance if start and start.base else None
    learned_from_unlabelled = recipe.training.self_training or recipe.training.virtual_adversarial
    provenance = Provenance(
        data=DataProvenance(
            fingerprint=dataset.fingerprint(),
            examples=len(dataset),
            validation_fingerprint=held_out.fingerprint() if held_out else None,
            validation_examples=len(held_out) if held_out else 0,
        ),
        vocabulary=recipe.vocabulary,
        training=recipe.training,
        versions={
            "textrnn": __version__,
            "torch": str(torch.__version__),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        history=result.history,
        best_epoch=result.best_epoch,
        metrics=result.metrics or result.history[result.best_epoch - 1].validation or {},
        parts=result.parts,
        vectors=vectors,
        base=base.data if base else None,
        unlabelled_examples=len(start.texts) if start and learned_from_unlabelled else 0,
        interrupted=result.interrupted,
    )
    header = Header(
        format_version=FORMAT_VERSION,
        labels=dataset.labels,
        task=cast(AnyTask, result.task or dataset.task),
        text=recipe.text,
        vocabulary=encoder.vocabulary.tokens,
        model=result.model or recipe.model,
        ngrams=result.ngrams,
        provenance=provenance,
    )
    return Classifier(header, result.weights)
