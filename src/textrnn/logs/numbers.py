"""Events of a training as named numbers, alike for every place where they are kept.

network-1/step/loss                 mean over a hundredth of an epoch, by the number of the step
network-1/train/loss                by epoch, as everything below
network-1/validation/accuracy
network-1/gradient/embedding        norm of the group's gradient after the epoch
network-1/text-1                    the probability of the text's own label, else of the most probable one; the number
model/loss                          of the whole model, once
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from textrnn.history import EpochRecord
from textrnn.labels import Label
from textrnn.training import Begun, Event, Finished, Step, Watched, WatchedText

POINTS_AN_EPOCH = 100


class Number(NamedTuple):
    """One point of one series."""

    name: str
    value: float
    place: int
    """Step or epoch, counted from 1."""


class Numbers:
    """Turns the events of one training into numbers; it remembers the labels and the steps not yet told."""

    def __init__(self) -> None:
        self.labels: list[Label] = []
        self._waiting: list[Step] = []

    def of(self, event: Event) -> list[Number]:
        """What the event tells; nothing for most steps."""
        if isinstance(event, Step):
            return list(self._steps(event))
        if isinstance(event, EpochRecord):
            return [Number(*number) for number in _epoch(event)]
        if isinstance(event, Watched):
            return list(self._looks(event))
        if isinstance(event, Finished):
            return [Number(f"model/{name}", value, event.best_epoch) for name, value in event.metrics.items()]
        self.labels = event.labels
        return []

    def _steps(self, step: Step) -> Iterator[Number]:
        self._waiting.append(step)
        together = -(-step.steps // POINTS_AN_EPOCH)
        if step.index % together and step.index != step.steps:
            return
        waiting, self._waiting = self._waiting, []
        place = (step.epoch - 1) * step.steps + step.index
        for name in ("loss", "gradient_norm"):
            mean = sum(getattr(one, name) for one in waiting) / len(waiting)
            yield Number(f"network-{step.network}/step/{name}", mean, place)

    def _looks(self, event: Watched) -> Iterator[Number]:
        prefix = f"network-{event.network}"
        for name, norm in event.gradient_norms.items():
            yield Number(f"{prefix}/gradient/{name}", norm, event.epoch)
        for number, text in enumerate(event.texts, 1):
            yield Number(f"{prefix}/text-{number}", self._followed(text), event.epoch)

    def _followed(self, text: WatchedText) -> float:
        names = [str(label) for label in self.labels]
        return text.answer[names.index(text.expected)] if text.expected in names else max(text.answer)


def _epoch(record: EpochRecord) -> Iterator[tuple[str, float, int]]:
    prefix = f"network-{record.network}"
    for name in ("loss", "accuracy", "learning_rate", "gradient_norm", "tokens_per_second"):
        if (value := getattr(record, name)) is not None:
            yield f"{prefix}/train/{name}", value, record.epoch
    for name, value in (record.validation or {}).items():
        yield f"{prefix}/validation/{name}", value, record.epoch


def settings_of(begun: Begun) -> dict[str, str]:
    """All settings by their flat names, and the sizes of the data."""
    settings = {name: str(value) for name, value in begun.recipe.settings().items()}
    sizes = ("examples", "validation_examples", "tokens", "vocabulary")
    return settings | {f"data/{name}": str(getattr(begun, name)) for name in sizes}


def described(text: WatchedText) -> str:
    """A text that is watched, and what it is expected to be."""
    return text.text + ("" if text.expected is None else f" [{text.expected}]")


def as_json(event: Finished) -> str:
    """Everything about the finished model."""
    return msgspec.json.format(msgspec.json.encode(event)).decode()


def allowed(name: str) -> str:
    """The name without signs that MLflow refuses."""
    return re.sub(r"[^\w\-. /]", "_", name)
