"""All networks and the n-grams that learn from the same texts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec
import torch

from textrnn.config import Recipe
from textrnn.data import EncodedTexts, LabelledTexts
from textrnn.history import EpochRecord
from textrnn.model import TextClassifier, initialize
from textrnn.modelfile import VectorsProvenance
from textrnn.text import TextEncoder
from textrnn.training.examples import EncodedExamples
from textrnn.training.fit import CheckpointFile, Event, Fit, fit
from textrnn.training.loop import Step
from textrnn.training.parts import train_parts
from textrnn.training.pretraining.recipe import Base
from textrnn.training.randomness import random_stream
from textrnn.training.start import start_from
from textrnn.training.vectors import begin_with_vectors
from textrnn.training.watched import Watched
from textrnn.training.watching import Watcher


@dataclass(frozen=True)
class Surroundings:
    """What all generations of a training have in common."""

    encoder: TextEncoder
    held_out: LabelledTexts | None
    """Validation texts."""
    validation: EncodedExamples | None
    """The same as the networks read them."""
    base: Base | None
    vectors: str | Path | None
    unlabelled: EncodedTexts | None
    on_event: Callable[[Event], None]


class Generation:
    """Networks that start alike and n-grams beside them.

    Args:
        recipe: all settings.
        dataset: what to learn from.
        around: see `Surroundings`.

    Raises:
        As `begin_with_vectors`, at once.
    """

    def __init__(self, recipe: Recipe, dataset: LabelledTexts, around: Surroundings) -> None:
        self.recipe, self.dataset, self.around = recipe, dataset, around
        self.training = EncodedExamples.encode(dataset, around.encoder.shorter(recipe.training.training_length))
        self.outputs = dataset.task.outputs(len(dataset.labels))
        self._from_base: frozenset[str] = frozenset()
        self.vectors: VectorsProvenance | None = None
        self._first = self._begin(recipe)

    def fit(
        self, *, before: int = 0, checkpoint: CheckpointFile | None, refit: bool, watcher: Watcher | None = None
    ) -> Fit:
        """Train every part; `before`: so many networks have been trained already. See `train_parts`."""
        around = self.around
        return train_parts(
            self.recipe,
            partial(self._train_network, before, watcher),
            self.dataset,
            around.held_out,
            around.validation,
            checkpoint=checkpoint,
            refit=refit,
        )

    def _begin(self, own: Recipe) -> tuple[TextClassifier, torch.Generator]:
        around, stream = self.around, random_stream(own.training.seed)
        network = TextClassifier(own.model, vocabulary_size=len(around.encoder.vocabulary), classes=self.outputs)
        initialize(network, own.training.initialization, stream)
        if (bias := self.dataset.task.first_bias(self.dataset.targets)) is not None:
            network.load_bias(bias)
        if around.vectors:
            self.vectors = begin_with_vectors(around.vectors, own, network, around.encoder, self.training, stream)
        if around.base:
            self._from_base = start_from(network, around.base)
        return network, stream

    def _train_network(
        self, before: int, watcher: Watcher | None, own: Recipe, number: int, state: CheckpointFile | None
    ) -> tuple[Fit, TextClassifier]:
        network, stream = self._first if own is self.recipe else self._begin(own)
        number += before

        def tell(event: Event) -> None:
            self.around.on_event(event if number == 1 else replace_event(event, network=number))

        result = fit(
            own,
            network,
            self.training,
            self.around.validation,
            stream=stream,
            on_event=tell,
            checkpoint=state,
            from_base=self._from_base,
            unlabelled=self.around.unlabelled,
            watcher=watcher,
        )
        return result, network


def replace_event(event: Event, network: int) -> Event:
    """The event, told of a network that is not the first."""
    if isinstance(event, EpochRecord | Watched):
        return msgspec.structs.replace(event, network=network)
    return replace(event, network=network) if isinstance(event, Step) else event
