"""From texts without labels to a base: the whole path in one readable function."""

import hashlib
import logging
import platform
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from textrnn.cells import Cell, kernel_threads
from textrnn.config import TextConfig
from textrnn.data import EncodedTexts, as_examples
from textrnn.errors import ConfigError, DataError
from textrnn.history import PretrainingRecord
from textrnn.model import choose_backend
from textrnn.model.initialization import orthogonal, orthogonal_cell
from textrnn.modelfile import BaseHeader, BaseProvenance, TextsProvenance, Weights, base_header, write_base
from textrnn.native import available_threads
from textrnn.pretraining_config import PretrainingConfig, PretrainingRecipe
from textrnn.text import TextEncoder
from textrnn.training.pretraining import checkpoint as checkpoints
from textrnn.training.pretraining.language_model import LanguageModel
from textrnn.training.pretraining.progress import bar_or_nothing
from textrnn.training.pretraining.run import Pretraining, PretrainingEvent
from textrnn.training.pretraining.segments import cut
from textrnn.training.processor import cpu_for_training
from textrnn.training.randomness import random_stream
from textrnn.version import __version__

logger = logging.getLogger("textrnn")


class Base(NamedTuple):
    """A trained language model, from which classifiers start."""

    header: BaseHeader
    weights: Weights

    @property
    def history(self) -> list[PretrainingRecord]:
        """What each round of the pre-training left behind."""
        return self.header.provenance.history if self.header.provenance else []

    def save(self, path: str | Path) -> None:
        """Write a file for `train(base=…)`.

        Raises:
            OutputError: the file cannot be written.
        """
        write_base(path, self.header, self.weights)


def pretrain(
    *texts: Any,
    text: str | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    header: bool = True,
    budget_seconds: float | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    on_event: Callable[[PretrainingEvent], None] | None = None,
    **settings: Any,
) -> Base:
    """Train a language model on texts without labels; `train(…, base=…)` starts from it.

    Args:
        texts: paths (.txt with one text a line, or whatever `train` reads), frames, lists of texts: one or several.
        text: the name of the column of texts where it cannot be told from the header.
        format, encoding, header: how to read files where name and content do not tell.
        budget_seconds: stop after so much time, with the learning rate brought to 0 by then.
        checkpoint: a file that keeps the state after every round.
        resume: go on from `checkpoint`, if it is there; without a budget to the same weights as uninterrupted.
        on_event: told of every step and round; by default a progress bar in a terminal and nothing elsewhere.
        settings: any setting of `textrnn.pretraining_config.PretrainingRecipe` by its name.

    Raises:
        DataError: the texts cannot be read, or there is nothing to predict in them.
        ConfigError: a setting's value cannot be used.
        CheckpointError: the checkpoint belongs to other texts or settings.
        TypeError: there is no setting of that name.
        KeyboardInterrupt: interrupted before the first round was complete; later, the best weights are returned.
    """
    recipe = PretrainingRecipe.from_settings(**settings)
    found = read_texts(texts, text=text, format=format, encoding=encoding, header=header)
    if on_event is None:
        with bar_or_nothing() as show:
            return pretrain_on(
                found, recipe, budget_seconds=budget_seconds, checkpoint=checkpoint, resume=resume, on_event=show
            )
    return pretrain_on(
        found, recipe, budget_seconds=budget_seconds, checkpoint=checkpoint, resume=resume, on_event=on_event
    )


def read_texts(
    sources: Iterable[Any],
    *,
    text: str | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    header: bool = True,
) -> list[str]:
    """The texts of all sources, one after the other; labels are not looked at."""
    listed = list(sources)
    if not listed:
        raise DataError("there are no texts: expected a file or a list of texts")
    read = (
        as_examples(source, text=text, format=format, encoding=encoding, header=header, need_label=False)
        for source in listed
    )
    return [example.text for example in chain.from_iterable(read)]


def pretrain_on(
    texts: list[str],
    recipe: PretrainingRecipe,
    *,
    budget_seconds: float | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    on_event: Callable[[PretrainingEvent], None] = lambda event: None,
) -> Base:
    """Pre-train on texts that are read already; see `pretrain`."""
    if budget_seconds is not None and not budget_seconds > 0:
        raise ConfigError(f"budget: expected more than 0 seconds, got {budget_seconds!r}")
    config = recipe.pretraining
    rules = TextConfig(tokenizer=recipe.text.tokenizer, max_length=1_000_000)
    encoder = TextEncoder.build(texts, rules, recipe.vocabulary)
    encoded = EncodedTexts(*encoder.encode_many(texts))
    training, validation = split_off(encoded, config)
    segments = cut(training, config.segment_length)
    if not len(segments):
        raise DataError("there is nothing to predict: expected a text of at least two tokens")
    counts = np.bincount(training.ids, minlength=len(encoder.vocabulary)).astype(np.int64)
    stream = random_stream(config.seed)
    network = recipe.model.network()
    backend = choose_backend(config.backend, torch.device("cpu"), network.cell)
    model = LanguageModel(network, vocabulary_size=len(encoder.vocabulary), backend=backend)
    initialize_language_model(model, counts, stream)
    run = Pretraining(
        config,
        model,
        segments,
        cut(validation, config.segment_length),
        counts,
        stream=stream,
        budget_seconds=budget_seconds,
    )
    fingerprint = texts_fingerprint(texts)
    path = Path(checkpoint) if checkpoint else None
    if path and resume:
        shapes = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
        state = checkpoints.load(path, recipe=recipe, data=fingerprint, shapes=shapes)
        if state:
            run.restore(state)
            for record in run.history:
                on_event(record)

    def save() -> None:
        if path:
            checkpoints.save(path, run.state(), recipe=recipe, data=fingerprint)

    interrupted = _run(run, save, on_event)
    provenance = BaseProvenance(
        data=TextsProvenance(
            fingerprint=fingerprint,
            texts=len(texts),
            tokens=len(encoded.ids),
            validation_texts=len(validation),
        ),
        vocabulary=recipe.vocabulary,
        pretraining=config,
        versions={
            "textrnn": __version__,
            "torch": str(torch.__version__),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        history=run.history,
        best_round=run.best_round,
        interrupted=interrupted,
    )
    return Base(base_header(encoder.vocabulary.tokens, recipe.text, recipe.model, provenance), run.best_weights)


def _run(run: Pretraining, save: Callable[[], None], on_event: Callable[[PretrainingEvent], None]) -> bool:
    """Whether it was interrupted."""
    # PyTorch's own threads would wait for each other in hundreds of small operations; kernels and softmax have theirs.
    with cpu_for_training(1), kernel_threads(run.config.threads or available_threads()):
        try:
            for event in run.run():
                if isinstance(event, PretrainingRecord):
                    save()
                on_event(event)
        except KeyboardInterrupt:
            if not run.best_round:
                raise
            return True
    return False


def split_off(texts: EncodedTexts, config: PretrainingConfig) -> tuple[EncodedTexts, EncodedTexts]:
    """Training and validation texts, the latter drawn by the seed up to a share of the texts and a number of tokens."""
    order = np.random.default_rng([config.seed, 2**32]).permutation(len(texts))
    chosen = order[: int(config.validation_fraction * len(texts))]
    chosen = chosen[np.cumsum(texts.lengths[chosen]) <= config.validation_tokens]
    held_out = np.zeros(len(texts), dtype=bool)
    held_out[chosen] = True
    return _subset(texts, np.flatnonzero(~held_out)), _subset(texts, np.flatnonzero(held_out))


def _subset(texts: EncodedTexts, indices: "np.ndarray[Any, np.dtype[np.int64]]") -> EncodedTexts:
    batch = texts.batch(indices)
    return EncodedTexts(batch.ids, np.concatenate([np.zeros(1, np.int64), np.cumsum(batch.lengths)]))


def initialize_language_model(
    model: LanguageModel, counts: "np.ndarray[Any, np.dtype[np.int64]]", stream: torch.Generator
) -> None:
    """As a classifier begins; the output's bias begins at the logarithm of each word's frequency."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Embedding | nn.Linear):
                orthogonal(module, stream)
        for module in model.modules():
            if isinstance(module, Cell):
                orthogonal_cell(module, stream)
        model.output_bias.copy_(torch.from_numpy(np.log(np.maximum(counts, 0.5) / max(counts.sum(), 1))))


def texts_fingerprint(texts: Iterable[str]) -> str:
    """SHA-256 over the texts in order; before each stands its number of bytes, 8 bytes little-endian."""
    digest = hashlib.sha256()
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return f"sha256:{digest.hexdigest()}"
