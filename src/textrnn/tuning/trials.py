"""One trial after the other, until the time is over: what each worker does."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textrnn.config import Recipe
from textrnn.data import LabelledTexts
from textrnn.errors import ConfigError, TextRNNError
from textrnn.history import EpochRecord
from textrnn.tasks.metrics import LESS_IS_BETTER
from textrnn.training import Event
from textrnn.training.recipe import train_on
from textrnn.tuning.results import Ending, TrialRecord
from textrnn.tuning.space import Dimension, default_point, dimensions, suggest
from textrnn.tuning.study import open_study, record

if TYPE_CHECKING:
    from optuna import Study, Trial

LONGEST_SHARE = 0.25
"""Of the budget, that a trial may take; the default recipe's may take all of it."""


@dataclass(frozen=True)
class Search:
    """All that a worker has to know; goes to other processes."""

    dataset: LabelledTexts
    held_out: LabelledTexts
    vectors: str | Path | None
    fixed: dict[str, Any]
    """Settings that the user chose."""
    single: dict[str, Any]
    """All settings of a trial that are not searched, and where the search begins for those that are."""
    study: Path
    deadline: float
    """By `time.monotonic`."""
    budget_seconds: float
    seed: int
    refit: bool
    """Of the whole model, see `textrnn.training.parts.train_parts`."""

    @property
    def space(self) -> list[Dimension]:
        """What is searched."""
        return dimensions(self.fixed, self.single)

    @property
    def metric(self) -> str:
        """The validation metric."""
        return Recipe.from_settings(**self.fixed).training.metric

    @property
    def sign(self) -> float:
        """Of the metric, to make less better."""
        return 1.0 if self.metric in LESS_IS_BETTER else -1.0

    def model_of(self, number: int) -> Path:
        """Where the model of a trial is kept while it is the best."""
        return models_folder(self.study) / f"trial-{number}.textrnn"


def models_folder(study: Path) -> Path:
    """Beside the study."""
    return study.with_name(study.name + ".models")


class Halt(KeyboardInterrupt):
    """Ends a training as Ctrl-C does: its best epoch is returned, if there is one."""


class Watch:
    """Reads a trial's events; ends it when its time is over, when others want to stop, or when it is not worth it."""

    def __init__(self, trial: "Trial", search: Search, *, is_default: bool, stopped: Callable[[], bool]) -> None:
        self.trial = trial
        self.search = search
        self.stopped = stopped
        self.started = time.monotonic()
        longest = search.budget_seconds * (1.0 if is_default else LONGEST_SHARE)
        self.end = min(search.deadline, self.started + longest)
        self.is_default = is_default
        self.value: float | None = None
        self.epochs = 0
        self.ending: Ending = "complete"

    def __call__(self, event: Event) -> None:
        """Told of each step and epoch.

        Raises:
            Halt: the trial is over.
        """
        if isinstance(event, EpochRecord):
            self.epochs = event.epoch
            assert event.validation is not None
            loss = self.search.sign * event.validation[self.search.metric]
            self.value = loss if self.value is None else min(loss, self.value)
            self.trial.report(self.value, event.epoch)
            if not self.is_default and self.trial.should_prune():
                self._halt("pruned")
        if time.monotonic() >= self.end or self.stopped():
            self._halt("cut off")

    def _halt(self, ending: Ending) -> None:
        self.ending = ending
        raise Halt


def run_trials(search: Search, worker: int, stopped: Callable[[], bool], tell: Callable[[TrialRecord], None]) -> None:
    """Try settings until the deadline, or until `stopped`.

    Args:
        worker: its number, for a random stream of its own.
        tell: told of each trial that is over.

    Raises:
        TextRNNError: the default recipe cannot be trained on these data.
        KeyboardInterrupt: after the trial that was running is in the study.
    """
    study = open_study(search.study, seed=0)
    # Another stream for each command that goes on with the study, or it would draw the same settings again.
    seed = (search.seed + 1000 * worker + len(study.get_trials(deepcopy=False))) % 2**32
    study = open_study(search.study, seed=seed)
    while time.monotonic() < search.deadline and not stopped():
        tell(_run_trial(search, study, stopped))


def _run_trial(search: Search, study: "Study", stopped: Callable[[], bool]) -> TrialRecord:
    trial = study.ask()
    space = search.space
    settings = suggest(trial, space)
    is_default = settings == default_point(space)
    watch = Watch(trial, search, is_default=is_default, stopped=stopped)
    by_hand = False
    try:
        recipe = Recipe.from_settings(**search.single | settings)
        classifier = train_on(search.dataset, search.held_out, recipe, vectors=search.vectors, on_event=watch)
        provenance = classifier.header.provenance
        by_hand = provenance is not None and provenance.interrupted and watch.ending == "complete"
        if watch.ending != "pruned" and watch.value is not None and watch.value <= _best_value(study):
            models_folder(search.study).mkdir(exist_ok=True)
            classifier.save(search.model_of(trial.number))  # before the study knows of it: the best always has a model
    except KeyboardInterrupt as error:
        by_hand, watch.value = not isinstance(error, Halt), None
    except ConfigError:
        _tell(search, study, trial, watch, "failed")
        raise
    except (TextRNNError, MemoryError):
        watch.value = None
        if is_default:
            _tell(search, study, trial, watch, "failed")
            raise
    ending: Ending = "failed" if watch.value is None else "cut off" if by_hand else watch.ending
    told = _tell(search, study, trial, watch, ending)
    if by_hand:
        raise KeyboardInterrupt
    return told


def _tell(search: Search, study: "Study", trial: "Trial", watch: Watch, ending: Ending) -> TrialRecord:
    from optuna.trial import TrialState

    attributes = {"ending": ending, "value": watch.value, "epochs": watch.epochs}
    for name, value in (attributes | {"seconds": time.monotonic() - watch.started}).items():
        trial.set_user_attr(name, value)
    states = {"failed": TrialState.FAIL, "pruned": TrialState.PRUNED}
    state = states.get(ending, TrialState.COMPLETE)
    study.tell(trial, watch.value if state == TrialState.COMPLETE else None, state=state)
    _remove_worse(search, study)
    return record(study.get_trials(deepcopy=False)[trial.number], search.sign)


def _best_value(study: "Study") -> float:
    from optuna.trial import TrialState

    complete = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    return min((trial.value for trial in complete if trial.value is not None), default=float("inf"))


def _remove_worse(search: Search, study: "Study") -> None:
    """Models of trials that are over and not the best, or not the first of these; of running ones others take care."""
    best, kept = _best_value(study), False
    for trial in study.get_trials(deepcopy=False):
        model = search.model_of(trial.number)
        if trial.state.is_finished() and model.exists():
            if kept or trial.value != best:
                model.unlink(missing_ok=True)
            kept = kept or trial.value == best
