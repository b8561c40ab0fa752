"""The texts that a training learns from, and those that it is judged by."""

import logging
from typing import Any

from textrnn.config import Recipe
from textrnn.data import LabelledTexts, read_labelled, split_stratified
from textrnn.errors import DataError
from textrnn.tasks import task_of

logger = logging.getLogger("textrnn")


def read_and_split(
    data: Any, labels: Any, validation: Any, validation_labels: Any, recipe: Recipe, **how: Any
) -> tuple[LabelledTexts, LabelledTexts | None]:
    """Training and validation texts, as `textrnn.train` takes them; `how`: as `textrnn.data.as_examples`."""
    task = task_of(recipe.task)
    dataset = read_labelled(data, labels, task=task, **how)
    if validation is None:
        return split_off(dataset, recipe)
    return dataset, read_labelled(validation, validation_labels, task=task, known=dataset.labels, **how)


def split_off(dataset: LabelledTexts, recipe: Recipe) -> tuple[LabelledTexts, LabelledTexts | None]:
    """Training and validation texts by the recipe's fraction; no validation where the fraction is 0 or too small."""
    config = recipe.training
    if config.validation_fraction == 0:
        return dataset, None
    try:
        return split_stratified(dataset, config.validation_fraction, config.seed)
    except DataError as error:
        logger.warning("%s; the last epoch's weights are kept", error)
        return dataset, None
