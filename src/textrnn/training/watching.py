"""Looking at a network between two epochs: what it says of a few texts, and the gradient of each group of parameters.

Looking draws no random number, and leaves neither weights nor gradients changed: the training is the same to the bit.
It costs one reading of a few texts and one step's gradient an epoch.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from textrnn.config import Recipe
from textrnn.data import EncodedTexts, LabelledTexts
from textrnn.labels import AnyLabel
from textrnn.model import TextClassifier
from textrnn.runtime import Classifier
from textrnn.tasks import Task
from textrnn.tasks.prediction import Prediction
from textrnn.text import TextEncoder
from textrnn.training.examples import EncodedExamples
from textrnn.training.losses import loss_of
from textrnn.training.run import padded_length, torch_logits
from textrnn.training.watched import Begun, Finished, Watched, WatchedText

CANDIDATES = 500
"""Texts among which those to watch are chosen: enough to find wrong ones, few enough to cost nothing."""
OF_EACH_KIND = 3
"""Texts that are wrong after the first epoch, and right ones."""
SAMPLE = 32
"""Training texts whose gradient is taken: as many as a batch has."""


class Watcher:
    """Watches all networks of one training with the same texts."""

    def __init__(
        self,
        texts: Sequence[str] | None,
        recipe: Recipe,
        encoder: TextEncoder,
        labelled: LabelledTexts,
        training: EncodedExamples,
    ) -> None:
        """Nothing is looked at yet.

        Args:
            texts: what to watch; None chooses from `labelled` after the first epoch.
            recipe: all settings.
            encoder: text to ids.
            labelled: the validation texts, or the training texts where there are none.
            training: the gradient is taken on a few of these.
        """
        self.recipe, self.encoder, self.labelled = recipe, encoder, labelled
        self.texts = None if texts is None else list(texts)
        self.expected: list[int] | None = None
        """Places in `labelled` of texts that were chosen from there."""
        count = min(SAMPLE, len(training))
        self.sample = training.texts.batch(_evenly(len(training), count), training.targets)
        self.training = training

    def look(self, model: TextClassifier, epoch: int) -> Watched:
        """What the network says and would learn now; its weights are as they were."""
        if self.texts is None:
            self._choose(model)
        answers = self.labelled.task.answers(self._scores(model, self.texts or []))
        return Watched(epoch=epoch, texts=self._judged(answers), gradient_norms=self._norms(model))

    def begun(self, validation_examples: int) -> Begun:
        """What there is to tell before the first step."""
        return Begun(
            recipe=self.recipe,
            labels=self.labelled.labels,
            examples=len(self.training),
            validation_examples=validation_examples,
            tokens=int(self.training.texts.lengths.sum()),
            vocabulary=len(self.encoder.vocabulary),
        )

    def finished(self, classifier: Classifier) -> Finished:
        """What there is to tell of the complete model, which has its provenance."""
        provenance = classifier.header.provenance
        assert provenance is not None
        return Finished(
            metrics=provenance.metrics,
            parts=provenance.parts,
            texts=self._judged(classifier.answers(self.texts), classifier.task) if self.texts else [],
            best_epoch=provenance.best_epoch,
            interrupted=provenance.interrupted,
        )

    def _judged(self, answers: NDArray[np.float64], task: Task | None = None) -> list[WatchedText]:
        task, labels = task or self.labelled.task, self.labelled.labels
        found = []
        for place, prediction in enumerate(task.predictions(answers, labels, 0.0)):
            label = None if self.expected is None else self.labelled.label(self.expected[place])
            predicted = _predicted(prediction)
            found.append(
                WatchedText(
                    text=(self.texts or [])[place],
                    expected=None if label is None else _written(label),
                    predicted=predicted,
                    right=None if label is None or prediction.value is not None else predicted == _written(label),
                    answer=[float(value) for value in answers[place]],
                )
            )
        return found

    def _scores(self, model: TextClassifier, texts: Sequence[str]) -> NDArray[np.float32]:
        encoded = EncodedTexts(*self.encoder.encode_many(list(texts)))
        nothing = np.zeros(len(texts), dtype=np.int64)
        return torch_logits(model, EncodedExamples(encoded, nothing), self.recipe)

    def _choose(self, model: TextClassifier) -> None:
        """Some that are wrong now and some that are right, from the surest to the most doubtful of each kind."""
        places = _evenly(len(self.labelled), min(CANDIDATES, len(self.labelled)))
        some = self.labelled.subset(places)
        task = self.labelled.task
        scores = self._scores(model, some.texts)
        differ = task.decided(task.answers(scores)) != some.targets
        wrong = differ.any(axis=1) if differ.ndim == 2 else differ
        losses = np.array(
            [task.loss_and_slope(some.targets[i : i + 1], scores[i : i + 1])[0] for i in range(len(places))]
        )
        chosen: list[int] = []
        for kind in (wrong, ~wrong):
            members = np.flatnonzero(kind)
            members = members[np.argsort(losses[members], kind="stable")]
            chosen += [int(members[i]) for i in _evenly(len(members), min(OF_EACH_KIND, len(members)))]
        self.expected = [int(places[i]) for i in chosen]
        self.texts = [some.texts[i] for i in chosen]

    def _norms(self, model: TextClassifier) -> dict[str, float]:
        """Of each module's parameters together, by the module's name."""
        batch, training = self.sample, self.training
        assert batch.targets is not None
        loss_function = loss_of(training.task, self.recipe.training, training.targets, model.head.out_features)
        ids, lengths = torch.from_numpy(batch.padded(padded_length(self.recipe))), torch.from_numpy(batch.lengths)
        named = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
        loss = loss_function(model(ids, lengths), torch.from_numpy(batch.targets))
        # torch.autograd.grad adds nothing to `.grad`, which the next step would find there.
        gradients = torch.autograd.grad(loss, [value for _, value in named], allow_unused=True)
        squares: dict[str, float] = {}
        for (name, _), gradient in zip(named, gradients, strict=True):
            group = name.rpartition(".")[0]
            if gradient is None:
                square = 0.0
            else:
                values = gradient.coalesce().values() if gradient.is_sparse else gradient
                square = float(values.double().square().sum())
            squares[group] = squares.get(group, 0.0) + square
        return {name: square**0.5 for name, square in squares.items()}


def _evenly(count: int, chosen: int) -> NDArray[np.int64]:
    """So many of the numbers below `count`, at equal distances, the first and the last among them."""
    return np.linspace(0, count - 1, chosen).round().astype(np.int64)


def _predicted(prediction: Prediction) -> str:
    if prediction.value is not None:
        return _written(prediction.value)
    return _written(prediction.label if prediction.labels is None else prediction.labels)


def _written(label: AnyLabel | Sequence[str | int] | None) -> str:
    """A label, several, or a number, as a reader wants to see it."""
    if isinstance(label, list | tuple):
        return ", ".join(map(str, label)) or "(none)"
    return f"{label:.4g}" if isinstance(label, float) else str(label)
