"""The pre-training loop: steps, rounds with a validation each, early stop, budget; it can be taken up again."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from textrnn.data import EncodedTexts
from textrnn.errors import TextRNNError
from textrnn.history import PretrainingRecord
from textrnn.model import Noise
from textrnn.modelfile import Weights
from textrnn.pretraining_config import PretrainingConfig
from textrnn.training.clipping import clip_gradients
from textrnn.training.lazy_adam import LazyAdam
from textrnn.training.optimizer import set_rate
from textrnn.training.pretraining.candidates import Sampler
from textrnn.training.pretraining.checkpoint import BaseState, Place
from textrnn.training.pretraining.language_model import LanguageModel
from textrnn.training.pretraining.segments import batches

WARM_UP_STEPS = 100
"""Over so many steps, or a tenth of all if that is less, the learning rate rises to its highest."""


@dataclass(frozen=True)
class PretrainingStep:
    """One optimiser step."""

    done: float
    """Share of the training that is done, 0 to 1: of the passes, or of the budget if that is more."""
    loss: float
    """Mean cross-entropy of the batch in nats, with its estimated softmax."""
    learning_rate: float
    gradient_norm: float
    """Global norm before clipping."""
    tokens: int


PretrainingEvent = PretrainingStep | PretrainingRecord


class Pretraining:
    """The moving parts: weights, optimiser, random stream, history, the best round and where the passes stand."""

    def __init__(
        self,
        config: PretrainingConfig,
        model: LanguageModel,
        training: EncodedTexts,
        validation: EncodedTexts,
        counts: NDArray[np.int64],
        *,
        stream: torch.Generator,
        budget_seconds: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`training` and `validation` are segments; `counts` says how often each id occurs. [vocabulary]"""
        self.config, self.model, self.stream = config, model, stream
        self.training, self.validation = training, validation
        self.budget_seconds = budget_seconds
        self.sampler = Sampler(counts, head=config.exact_words, draws=config.sampled_words)
        self.noise = Noise(stream, config.dropout)
        # The rate falls to 0, and two tables that read and write words need no decay.
        self.optimizer = LazyAdam(torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True))
        expected_steps = config.epochs * len(training.ids) / config.batch_tokens
        self.warm_up_steps = max(1.0, min(WARM_UP_STEPS, expected_steps / 10))
        self.round_tokens = min(config.round_tokens, len(training.ids))
        self.history: list[PretrainingRecord] = []
        self.best_round, self.best_weights = 0, Weights()
        self.place = Place(epoch=0, batch=0, steps=0, tokens=0)
        self._before, self._clock, self._started = 0.0, clock, clock()

    @property
    def seconds(self) -> float:
        """Wall-clock time of this training, that before an interruption included."""
        return self._before + self._clock() - self._started

    @property
    def done(self) -> float:
        """See `PretrainingStep`."""
        passes = self.place.tokens / (self.config.epochs * len(self.training.ids))
        spent = self.seconds / self.budget_seconds if self.budget_seconds else 0.0
        return min(max(passes, spent), 1.0)

    def run(self) -> Iterator[PretrainingEvent]:
        """Train to the end: an event after every step, and one after every round.

        Raises:
            TextRNNError: the loss is no longer a finite number.
        """
        while not self._finished():
            yield from self._round()

    def _finished(self) -> bool:
        patience = self.config.patience
        return self.done >= 1 or 0 < patience <= len(self.history) - self.best_round

    def _round(self) -> Iterator[PretrainingEvent]:
        end = self.place.tokens + self.round_tokens
        losses, norms, tokens, steps, rate = 0.0, 0.0, 0, 0, 0.0
        started = time.perf_counter()
        while steps == 0 or (self.place.tokens < end and self.done < 1):
            step = self._step(self._next_batch())
            losses, norms, rate = losses + step.loss, norms + step.gradient_norm, step.learning_rate
            tokens, steps = tokens + step.tokens, steps + 1
            yield step
        seconds = time.perf_counter() - started
        self.optimizer.synchronize()
        record = PretrainingRecord(
            round=len(self.history) + 1,
            epochs=self.place.tokens / len(self.training.ids),
            loss=losses / steps,
            perplexity=self.perplexity(self.validation),
            learning_rate=rate,
            gradient_norm=norms / steps,
            tokens_per_second=tokens / seconds if self.config.timings else None,
        )
        self.history.append(record)
        best = self.history[self.best_round - 1].perplexity if self.best_round else None
        if best is None or record.perplexity is None or record.perplexity < best:
            self.best_round, self.best_weights = record.round, self.model.weights()
        yield record

    def _next_batch(self) -> NDArray[np.int64]:
        """Drawn from (seed, epoch), so that a resumed training meets the same ones."""
        epoch, index = self.place.epoch, self.place.batch
        if index == 0 or not hasattr(self, "_batches"):
            rng = np.random.default_rng([self.config.seed, epoch])
            self._batches = batches(self.training, self.config.batch_tokens, rng)
        indices = self._batches[index]
        after = (epoch, index + 1) if index + 1 < len(self._batches) else (epoch + 1, 0)
        self.place = msgspec.structs.replace(self.place, epoch=after[0], batch=after[1])
        return indices

    def _step(self, indices: NDArray[np.int64]) -> PretrainingStep:
        config, place = self.config, self.place
        batch = self.training.batch(indices)
        rate = config.learning_rate * min((place.steps + 1) / self.warm_up_steps, 1.0) * (1 - self.done)
        set_rate(self.optimizer, rate)
        self.optimizer.zero_grad()
        candidates = self.sampler.candidates(batch.ids, np.random.default_rng([config.seed, place.steps, 1]))
        read = np.concatenate([candidates.ids, batch.ids])
        self.optimizer.prepare(self.model.embedding.weight, torch.from_numpy(read))
        loss = self.model.loss(batch, candidates, self.noise)
        loss.backward()
        norm = clip_gradients(self.model.parameters(), config.max_gradient_norm).item()
        if not math.isfinite(loss.item() + norm):
            raise TextRNNError(
                f"pre-training diverged in step {place.steps + 1}: the loss is {loss.item()}, the gradient norm {norm}"
                f"; a lower learning rate than {config.learning_rate:g} may help"
            )
        self.optimizer.step()
        self.place = msgspec.structs.replace(place, steps=place.steps + 1, tokens=place.tokens + batch.tokens)
        return PretrainingStep(self.done, loss.item(), rate, norm, batch.tokens)

    def perplexity(self, segments: EncodedTexts) -> float | None:
        """exp of the mean cross-entropy with the full softmax; None where there is nothing to predict."""
        total, predicted = 0.0, 0
        for indices in batches(segments, self.config.batch_tokens, None):
            losses = self.model.exact_losses(segments.batch(indices))
            total, predicted = total + float(losses.sum()), predicted + len(losses)
        return math.exp(min(total / predicted, 700.0)) if predicted else None

    def state(self) -> BaseState:
        """All that the next round depends on."""
        states = {name: self.optimizer.state[parameter] for name, parameter in self.model.named_parameters()}
        return BaseState(
            place=self.place,
            seconds=self.seconds if self.budget_seconds or self.config.timings else 0.0,
            history=self.history,
            best_round=self.best_round,
            groups={
                "weights": self.model.weights(),
                "best_weights": self.best_weights,
                "first_moments": {name: state["exp_avg"].numpy().copy() for name, state in states.items()},
                "second_moments": {name: state["exp_avg_sq"].numpy().copy() for name, state in states.items()},
            },
            random_stream=self.stream.get_state().numpy(),
        )

    def restore(self, state: BaseState) -> None:
        """Go back to a saved state; the inverse of `state`."""
        self.model.load_weights(state.groups["weights"])
        for name, parameter in self.model.named_parameters():
            self.optimizer.state[parameter] = {
                "step": torch.tensor(float(state.place.steps)),
                "exp_avg": torch.from_numpy(state.groups["first_moments"][name].copy()),
                "exp_avg_sq": torch.from_numpy(state.groups["second_moments"][name].copy()),
            }
        self.stream.set_state(torch.from_numpy(state.random_stream.copy()))
        self.history = list(state.history)
        self.best_round, self.best_weights = state.best_round, state.groups["best_weights"]
        self.place = state.place
        self._before, self._started = state.seconds, self._clock()
