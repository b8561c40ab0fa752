"""What is refused, or told, before hours go by."""

import logging

import numpy as np

from textrnn.config import Recipe
from textrnn.data import LabelledTexts, overlap
from textrnn.errors import ConfigError
from textrnn.text import TextEncoder, looks_unspaced
from textrnn.text.vocabulary import UNK_ID
from textrnn.training.examples import EncodedExamples
from textrnn.training.run import judged

logger = logging.getLogger("textrnn")


def check_metric(recipe: Recipe, validation: EncodedExamples | None, outputs: int) -> None:
    """Refuse before training what could not be computed after the first epoch."""
    if validation is None:
        if recipe.task.decisions != "most_probable":
            raise ConfigError(f"decisions: {recipe.task.decisions!r} needs validation texts, found none")
        return
    try:
        scores = np.zeros((len(validation), outputs), dtype=np.float32)
        judged(validation.task, validation.targets, scores, recipe)
    except ValueError as error:
        raise ConfigError(f"metric: {error}") from error


def note_vocabulary(encoder: TextEncoder, recipe: Recipe) -> None:
    """Tell when no token is left to be learned from."""
    if len(encoder.vocabulary) <= UNK_ID + 1:
        logger.warning(
            "no token occurs at least %d times (min_count): the networks read nothing but unknown tokens",
            recipe.vocabulary.min_count,
        )


def note(dataset: LabelledTexts, held_out: LabelledTexts | None, recipe: Recipe) -> None:
    """What a user should know before hours go by."""
    if held_out and (shared := overlap(dataset, held_out)):
        logger.warning(
            "%d of %d validation texts also occur in training, so validation figures flatter the model; "
            "the first: %s and %s",
            len(shared),
            len(held_out),
            shared[0].first,
            shared[0].second,
        )
    if recipe.text.tokenizer != "characters" and looks_unspaced(" ".join(dataset.texts[:50])):
        logger.warning(
            "most letters belong to a script without spaces between words: tokenizer 'characters' should do better"
        )
