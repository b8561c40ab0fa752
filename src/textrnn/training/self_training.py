"""Self-training: a model labels texts without labels, and another one learns from these and the true labels.

D.-H. Lee (2013), "Pseudo-Label", ICML Workshop on Challenges in Representation Learning; Q. Xie, M.-T. Luong, E. Hovy
and Q. V. Le (2020), arXiv:1911.04252, with noise for the student only, as dropout is here. A text's label is the one
that the teacher predicts, and it weighs in the loss and in the n-grams' counts

    w = (p - 1/k) / (1 - 1/k),      p = the teacher's probability of that label, k = number of labels,

from 0 where the teacher cannot tell to 1 where it is sure: at a student that knows nothing yet, the gradient of two
classes is then that of cross-entropy with the teacher's probabilities.
"""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from textrnn.config import Recipe
from textrnn.data import EncodedTexts, LabelledTexts
from textrnn.tasks.task import Answers


def labelled_by(answers: Answers, texts: Sequence[str], like: LabelledTexts) -> LabelledTexts:
    """The texts with the labels and weights that a model of one label a text gives them.

    Args:
        answers: of the teacher to every text. [texts, labels]
        texts: without labels.
        like: the texts that the student learns from as well.
    """
    labels = answers.shape[1]
    targets = like.task.decided(answers)
    certain = answers[np.arange(len(targets)), targets]
    return LabelledTexts(
        texts=list(texts),
        targets=targets,
        labels=like.labels,
        paths=[None] * len(targets),
        lines=np.full(len(targets), -1, dtype=np.int64),
        task=like.task,
        weights=np.clip((certain - 1 / labels) / (1 - 1 / labels), 0.0, 1.0),
    )


def tokens_read(recipe: Recipe, labelled: EncodedTexts, unlabelled: EncodedTexts | None) -> float:
    """By all networks of all generations while they are trained, and by teachers that label, which takes a third."""
    members, epochs, rounds = recipe.model.members, recipe.training.epochs, recipe.training.self_training
    if not rounds or unlabelled is None:
        return float(members * epochs * len(labelled.ids))
    student = student_recipe(recipe, len(labelled), len(unlabelled)).training.epochs
    a_student = student * (len(labelled.ids) + len(unlabelled.ids))
    return epochs * len(labelled.ids) + (rounds - 1 + members) * a_student + rounds * len(unlabelled.ids) / 3


def teacher_recipe(recipe: Recipe) -> Recipe:
    """One network: what more of them know is worth less than the time they take."""
    return msgspec.structs.replace(recipe, model=msgspec.structs.replace(recipe.model, members=1))


def student_recipe(recipe: Recipe, labelled: int, unlabelled: int) -> Recipe:
    """As many steps as without unlabelled texts, in whole passes over all texts."""
    epochs = math.ceil(recipe.training.epochs * labelled / (labelled + unlabelled))
    return msgspec.structs.replace(recipe, training=msgspec.structs.replace(recipe.training, epochs=epochs))
