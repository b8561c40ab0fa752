"""A model of several parts: networks trained one after the other, and an n-gram model beside them.

The scores of the parts are added, each times a scale: one for the networks, whose mean counts, and one for the
n-grams. The scales are those with the least log loss (of numbers: squared error) on the validation texts. That weighs
the parts against each other
(stacking: Wolpert 1992, Neural Networks 5, 241-259) and calibrates the sum (temperature scaling: Guo et al. 2017,
arXiv:1706.04599) at once; they are multiplied into the weights, so nothing is left to do when predicting.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from textrnn.config import Recipe
from textrnn.data import LabelledTexts
from textrnn.files import checkpoint_paths
from textrnn.history import PartRecord
from textrnn.model import TextClassifier
from textrnn.modelfile import Weights, member_prefixes
from textrnn.runtime.ngram_scores import NgramScores
from textrnn.tasks import SINGLE_LABEL, Task
from textrnn.text.ngrams import NgramRule
from textrnn.training.examples import EncodedExamples
from textrnn.training.fit import CheckpointFile, Fit
from textrnn.training.ngram_weights import fit_ngrams
from textrnn.training.run import judged, torch_logits

LARGEST_SCALE = 100.0
PRIOR = 5.0
"""Nats that a scale costs one away from the mean of the parts. One validation text that is wrong must not silence a
network, nor a few that are right make it sure of everything; on a thousand texts it hardly counts. Where the loss is a
mean over labels, too, each counts like a text."""

TrainNetwork = Callable[[Recipe, int, CheckpointFile | None], tuple[Fit, TextClassifier]]
"""(recipe with the network's own seed, its number from 1, where its state is kept) -> (what came out, the network)."""


def train_parts(
    recipe: Recipe,
    train_network: TrainNetwork,
    training: LabelledTexts,
    validation: LabelledTexts | None,
    encoded: EncodedExamples | None,
    *,
    checkpoint: CheckpointFile | None = None,
    refit: bool = False,
) -> Fit:
    """Train every part of a model and put them together.

    Args:
        recipe: all settings; `members` and `ngrams` say which parts there are.
        train_network: trains one network.
        training: what to learn from.
        validation: chooses the strength of the n-grams, and the scales.
        encoded: the validation texts as the networks read them.
        checkpoint: where the state of the first network is kept; the others have files of their own beside it.
        refit: whether the n-grams learn from the validation texts, too, once these have chosen strength and scales.

    Returns:
        The weights of all parts by their names in a model file, the history of the first network, and what else is
        told in the file. After an interrupt there may be fewer networks than were asked for.

    Raises:
        KeyboardInterrupt: interrupted before there was a first network.
        As `train_network`.
    """
    fits: list[Fit] = []
    scores: list[NDArray[np.float32]] = []
    for member in range(recipe.model.members):
        state = checkpoint and replace(checkpoint, path=checkpoint_paths(checkpoint.path, member + 1)[-1])
        try:
            result, network = train_network(_recipe_of(recipe, member), member + 1, state)
        except KeyboardInterrupt:
            if not fits:
                raise
            fits[-1] = replace(fits[-1], interrupted=True)
            break
        fits.append(result)
        if encoded is not None:
            scores.append(torch_logits(network, encoded, recipe))
        if result.interrupted:
            break
    return _put_together(recipe, fits, scores, training, validation, refit=refit)


def fit_scales(scores: Sequence[NDArray[Any]], targets: NDArray[Any], task: Task = SINGLE_LABEL) -> NDArray[np.float64]:
    """The scales, not negative, with which a sum of scores has the least loss and `PRIOR` together; convex.

    Args:
        scores: of each part, [texts, outputs].
        targets: of the texts.
        task: knows the loss.
    """
    from scipy.optimize import minimize

    stacked = np.stack(scores).astype(np.float64)  # [parts, texts, outputs]

    def loss(scales: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, slope = task.loss_and_slope(targets, np.tensordot(scales, stacked, axes=1))
        apart, weight = scales - start, PRIOR / targets.size
        value += weight * float(apart @ apart)
        return value, (stacked * slope).sum(axis=(1, 2)) / len(targets) + 2 * weight * apart

    start = np.full(len(stacked), 1 / len(stacked))
    found: NDArray[np.float64] = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[(0.0, LARGEST_SCALE)] * len(stacked)
    ).x
    return found


def _recipe_of(recipe: Recipe, member: int) -> Recipe:
    """The first network has the recipe's seed, the others seeds derived from it."""
    if not member:
        return recipe
    seed = int(np.random.SeedSequence([recipe.training.seed, member]).generate_state(1, np.uint64)[0] >> np.uint64(1))
    return msgspec.structs.replace(recipe, training=msgspec.structs.replace(recipe.training, seed=seed))


def _put_together(
    recipe: Recipe,
    fits: Sequence[Fit],
    of_networks: Sequence[NDArray[np.float32]],
    training: LabelledTexts,
    validation: LabelledTexts | None,
    *,
    refit: bool,
) -> Fit:
    settings, first = recipe.training, fits[0]
    model = msgspec.structs.replace(recipe.model, members=len(fits))
    names, scores = ["networks"], [np.mean(of_networks, axis=0)] if of_networks else []
    part, learned_from = None, None
    rule = NgramRule(model.ngrams, model.character_ngrams)
    if any(rule):
        fit_part = partial(
            fit_ngrams,
            tokenizer=recipe.text.tokenizer,
            rule=rule,
            classes=training.task.outputs(len(training.labels)),
            task=training.task,
            balanced=settings.class_weight == "balanced",
        )
        chosen_by = (validation.texts, validation.targets) if validation else (None, None)
        part = fit_part(training.texts, training.targets, *chosen_by, weights=training.weights)
        names.append("n-grams")
        if validation is not None:
            scores.append(NgramScores(part.tensors(), recipe.text.tokenizer, rule).scores(validation.texts))
    scales = np.full(len(names), 1 / len(names))
    if validation is not None and settings.calibrate:
        scales = fit_scales(scores, validation.targets, training.task)
    if part is not None and validation is not None and refit:
        everything = training.followed_by(validation)
        learned_from = len(everything)
        part = fit_part(
            everything.texts, everything.targets, None, None, strength=part.strength, weights=everything.weights
        )

    weights: Weights = {}
    for prefix, result in zip(member_prefixes(model), fits, strict=True):
        for name, tensor in result.weights.items():
            scaled = tensor * np.float32(scales[0] / len(fits)) if name.startswith("head.") else tensor
            weights[prefix + name] = scaled
    if part is not None:
        weights |= part.tensors(float(scales[-1]))

    records = [
        PartRecord(
            part="network",
            scale=float(scales[0]) / len(fits),
            best_epoch=result.best_epoch,
            validation=result.history[result.best_epoch - 1].validation,
        )
        for result in fits
    ]
    metrics, task = None, training.task
    if validation is not None:
        total = np.tensordot(scales, np.stack(scores), axes=1)
        metrics = judged(task, validation.targets, total, recipe)
        task = task.tuned(validation.targets, task.answers(total))
        if part is not None:
            alone = judged(task, validation.targets, scores[-1], recipe)
            records.append(
                PartRecord(part="n-grams", scale=float(scales[-1]), validation=alone, learned_from=learned_from)
            )
    elif part is not None:
        records.append(PartRecord(part="n-grams", scale=float(scales[-1])))
    return replace(
        first,
        weights=weights,
        interrupted=fits[-1].interrupted,
        model=model,
        ngrams=0 if part is None else len(part.keys),
        metrics=metrics,
        task=task,
        parts=records if len(records) > 1 or settings.calibrate else [],
    )
