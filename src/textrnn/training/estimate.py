"""How long a training will take on this machine, from a few steps of it."""

import logging
import time
from functools import partial

import numpy as np

from textrnn.cells import kernel_threads
from textrnn.config import Recipe
from textrnn.data import EncodedTexts, LabelledTexts, bucketed
from textrnn.model import Noise, TextClassifier, choose_backend, initialize
from textrnn.native import available_threads
from textrnn.text.ngrams import NgramRule
from textrnn.training.adversarial import Adversary
from textrnn.training.examples import EncodedExamples
from textrnn.training.losses import loss_of
from textrnn.training.ngram_weights import fit_ngrams
from textrnn.training.optimizer import make_optimizer
from textrnn.training.processor import cpu_for_training
from textrnn.training.randomness import random_stream
from textrnn.training.run import padded_length
from textrnn.training.self_training import tokens_read
from textrnn.training.steps import Setting, choose_step

logger = logging.getLogger("textrnn")

STEPS = 6
"""That are timed, after one that is not."""
BESIDE = 1.1
"""Validation, reading and writing, beside the steps."""
SAMPLE = 1000
"""Texts from which n-grams are learned to see how long it takes."""
FITS, GROWTH = 3, 1.3
"""Of the n-grams: four strengths are tried as a rule, all but the first from where the one before has ended, then they
learn from everything; the power of the number of texts with which the time of a fit grows. So the times of five sets
were met to a factor of 1.7."""


def estimate_seconds(
    recipe: Recipe,
    training: EncodedExamples,
    unlabelled: EncodedTexts | None = None,
    *,
    vocabulary_size: int,
    classes: int,
) -> float:
    """Seconds that all networks take if none stops early; costs a few steps of a network that is thrown away."""
    config = recipe.training
    rng, stream = np.random.default_rng(0), random_stream(0)
    model = TextClassifier(recipe.model, vocabulary_size=vocabulary_size, classes=classes)
    initialize(model, config.initialization, stream)
    model.backend = choose_backend(config.backend, model.head.weight.device, recipe.model.cell)
    model.embedding.sparse = model.backend == "native" and config.optimizer == "adamw"
    noise = Noise.from_config(stream, config)
    adversary = Adversary.from_config(config, unlabelled, padded_length(recipe))
    take_step = choose_step(
        Setting(
            model,
            make_optimizer(model, config),
            noise,
            config.max_gradient_norm,
            loss_of(training.task, config, training.targets, classes),
            pad_to=padded_length(recipe),
            r_drop=config.r_drop,
            adversary=adversary,
        )
    )
    order = bucketed(training.texts.lengths, config.batch_size, rng)[: STEPS + 1]
    batches = [make_batch() for make_batch in training.batches(order)]
    tokens, started = 0, time.perf_counter()
    with cpu_for_training(config.threads or 1), kernel_threads(config.threads or available_threads()):
        for step, batch in enumerate(batches):
            if step == 1:
                tokens, started = 0, time.perf_counter()
            take_step(batch, adversary.unlabelled_batch(1, step) if adversary else None)
            tokens += batch.tokens
    seconds = time.perf_counter() - started
    return BESIDE * seconds / max(tokens, 1) * tokens_read(recipe, training.texts, unlabelled)


def ngram_seconds(recipe: Recipe, dataset: LabelledTexts, classes: int) -> float:
    """Seconds that the n-grams take, from learning some of a few texts."""
    rule = NgramRule(recipe.model.ngrams, recipe.model.character_ngrams)
    order = np.random.default_rng(0).permutation(len(dataset))
    seconds = 0.0
    for some in (order[:8], order[:SAMPLE]):  # the first time libraries are loaded
        texts, targets = [dataset.texts[index] for index in some], dataset.targets[some]
        of_some = partial(fit_ngrams, texts, targets, None, None, tokenizer=recipe.text.tokenizer, rule=rule)
        started = time.perf_counter()
        of_some(classes=classes, task=dataset.task)
        seconds = time.perf_counter() - started
    return float(FITS * seconds * max(1.0, len(dataset) / SAMPLE) ** GROWTH)


def announce(
    recipe: Recipe,
    dataset: LabelledTexts,
    training: EncodedExamples,
    unlabelled: EncodedTexts | None,
    *,
    vocabulary_size: int,
    classes: int,
) -> None:
    """How long it will take, where it is more than one network that trains."""
    linear = recipe.model.ngrams or recipe.model.character_ngrams
    if recipe.model.members == 1 and not linear:
        return
    seconds = estimate_seconds(recipe, training, unlabelled, vocabulary_size=vocabulary_size, classes=classes)
    if linear:
        seconds += ngram_seconds(recipe, dataset, classes)
    networks = f"{recipe.model.members} network{'s' if recipe.model.members > 1 else ''}"
    beside = f" and n-grams of up to {recipe.model.ngrams} tokens" if recipe.model.ngrams else ""
    about = f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
    logger.info("%s of at most %d epochs%s: about %s here", networks, recipe.training.epochs, beside, about)
