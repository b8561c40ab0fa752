"""What the training page shows: the whole history of a training, bounded in size, at any moment."""

import threading
import time
from collections import deque
from typing import Any

import msgspec

from textrnn.history import EpochRecord
from textrnn.labels import Label
from textrnn.live.thinned import Means, Thinned
from textrnn.training import Begun, Event, Finished, Step, Watched, WatchedText

MOST_STRETCHES = 400
MOST_EPOCHS = 400
MOST_LOOKS = 100
MOST_LABELS = 5
LONGEST_TEXT = 600
"""Characters of a text that are shown."""
SPEED_SECONDS = 2.0
"""Over which the tokens per second of now are counted."""


class _Network:
    def __init__(self) -> None:
        self.steps = Means(MOST_STRETCHES)
        self.epochs: Thinned[EpochRecord] = Thinned(MOST_EPOCHS)
        self.looks: Thinned[dict[str, Any]] = Thinned(MOST_LOOKS)


class LiveState:
    """A reader of events (`on_event`) on the training's thread, read as JSON on others.

    A step costs the training a few microseconds here; everything else is done when somebody asks.
    """

    def __init__(self, title: str = "") -> None:
        """`title`: what the page says is trained."""
        self._lock = threading.Lock()
        self._networks: dict[int, _Network] = {}
        self._state: dict[str, Any] = {"title": title, "status": "starting", "labels": [], "texts": []}
        self._labels: list[Label] = []
        self._tokens, self._recent = 0, deque[tuple[float, int]]()
        self.version = 0
        """Counts the changes."""

    def __call__(self, event: Event) -> None:
        """Take in one event of a training."""
        with self._lock:
            self.version += 1
            if isinstance(event, Step):
                self._step(event)
            elif isinstance(event, EpochRecord):
                self._network(event.network).epochs.add(event)
            elif isinstance(event, Watched):
                self._state["texts"] = _texts(event.texts)
                look = {"epoch": event.epoch, "gradient_norms": event.gradient_norms}
                self._network(event.network).looks.add(look | {"said": self._said(event.texts)})
            elif isinstance(event, Begun):
                self._labels = event.labels
                model, training = event.recipe.model, event.recipe.training
                self._state |= {"labels": [str(label) for label in event.labels], "about": _about(event)}
                self._state |= {"networks_planned": model.members, "epochs_planned": training.epochs}
                self._state["status"] = "training"
            elif isinstance(event, Finished):
                self._state["status"] = "interrupted" if event.interrupted else "finished"
                self._state["texts"] = _texts(event.texts) or self._state["texts"]
                self._state["final"] = {
                    "metrics": event.metrics,
                    "parts": msgspec.to_builtins(event.parts),
                    "said": self._said(event.texts),
                }

    def end(self, error: str | None = None) -> None:
        """Nothing more will come; `error`: what went wrong."""
        with self._lock:
            self.version += 1
            if error is not None:
                self._state |= {"status": "failed", "error": error}
            elif self._state["status"] in ("starting", "training"):
                self._state["status"] = "finished"

    def as_json(self) -> tuple[int, bytes]:
        """The version, and all that the page shows, at most some hundred kilobytes a network."""
        with self._lock:
            version, state = self.version, dict(self._state)
            state["tokens_per_second"] = self._speed()
            state["networks"] = [
                {
                    "number": number,
                    "steps": network.steps.rows(),
                    "epochs": network.epochs.items(),
                    "looks": network.looks.items(),
                }
                for number, network in sorted(self._networks.items())
            ]
        return version, msgspec.json.encode(state | {"version": version})

    def _network(self, number: int) -> _Network:
        return self._networks.setdefault(number, _Network())

    def _step(self, step: Step) -> None:
        place = step.epoch - 1 + step.index / step.steps
        self._network(step.network).steps.add(place, step.loss, step.gradient_norm)
        self._state["status"] = "training"
        self._state["now"] = (step.network, step.epoch, step.index, step.steps)
        self._tokens += step.tokens
        now = time.perf_counter()
        if not self._recent or now - self._recent[-1][0] > 0.1:
            self._recent.append((now, self._tokens))
            while now - self._recent[0][0] > SPEED_SECONDS:
                self._recent.popleft()

    def _speed(self) -> float | None:
        if self._state["status"] != "training" or len(self._recent) < 2:
            return None
        (first, before), (last, after) = self._recent[0], self._recent[-1]
        return (after - before) / (last - first)

    def _said(self, texts: list[WatchedText]) -> list[dict[str, Any]]:
        """For each text the most probable labels and the expected one, by their places; or the number."""
        return [{"predicted": text.predicted, "right": text.right, "answer": self._shortened(text)} for text in texts]

    def _shortened(self, text: WatchedText) -> list[tuple[int, float]]:
        order = sorted(range(len(text.answer)), key=lambda place: -text.answer[place])
        chosen = order[:MOST_LABELS]
        expected = [place for place in order if self._labels and str(self._labels[place]) == text.expected]
        return [(place, round(text.answer[place], 5)) for place in sorted({*chosen, *expected})]


def _texts(texts: list[WatchedText]) -> list[dict[str, str | None]]:
    return [{"text": text.text[:LONGEST_TEXT], "expected": text.expected} for text in texts]


def _about(begun: Begun) -> dict[str, Any]:
    model = begun.recipe.model
    return {
        "cell": model.cell,
        "layers": model.layers,
        "hidden_size": model.hidden_size,
        "directions": 2 if model.bidirectional else 1,
        "pooling": model.pooling,
        "ngrams": model.ngrams,
        "examples": begun.examples,
        "validation_examples": begun.validation_examples,
        "tokens": begun.tokens,
        "vocabulary": begun.vocabulary,
    }
