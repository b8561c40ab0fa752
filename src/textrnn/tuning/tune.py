"""From labelled texts to the best classifier that a search finds in a given time."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textrnn.config import Recipe
from textrnn.errors import CheckpointError, ConfigError, TextRNNError
from textrnn.runtime import load
from textrnn.training.effort import DataSize, check_effort, settings_for
from textrnn.training.texts import read_and_split
from textrnn.training.vectors import with_vector_size
from textrnn.tuning.budget import seconds_of
from textrnn.tuning.results import TrialRecord, Tuning
from textrnn.tuning.space import default_point
from textrnn.tuning.study import Subject, digest_of, importances_of, prepare, quiet_optuna, records
from textrnn.tuning.trials import Search, run_trials
from textrnn.tuning.whole import ALONE, SEARCHING, with_all_parts
from textrnn.tuning.workers import run_workers

if TYPE_CHECKING:
    from optuna import Study


def tune(
    data: Any,
    labels: Any = None,
    *,
    budget: str | float = "10m",
    study: str | Path | None = None,
    workers: int = 1,
    effort: str = "default",
    text: str | None = None,
    label: str | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    header: bool = True,
    validation: Any = None,
    validation_labels: Any = None,
    vectors: str | Path | None = None,
    on_trial: Callable[[TrialRecord], None] = lambda record: None,
    **settings: Any,
) -> Tuning:
    """Search the settings with the best validation metric; `docs/tuning.md` says where and how.

    Single networks are tried, the default recipe's first, so the best is at least as good on the validation texts. With
    its settings the whole model is trained then: several networks and n-grams, as `effort` has it. Ctrl-C ends the
    search early. With more than one worker a script needs the guard `if __name__ == "__main__":`.

    Args:
        data, labels, text, label, format, encoding, header, validation, validation_labels, vectors: as `textrnn.train`
            takes them. Without `validation` a part of the data is split off, the same for all trials.
        budget: how long: `30s`, `10m`, `2h`, or seconds, the reading of the data included. What then runs is cut off
            at its next step or after the validation that it is in, and its best epoch counts.
        study: an SQLite file that keeps all trials, and beside it a folder with the best model; the same call goes on
            with it, for another `budget`. None: nothing is kept.
        workers: processes that try settings at the same time.
        effort: as in `textrnn.train`: where the search begins, and what the whole model is.
        on_trial: told of each trial that is over.
        settings: any setting of `textrnn.config.Recipe`, which then is not searched; `metric` chooses what is sought.

    Raises:
        DataError, ConfigError, TypeError: as `textrnn.train` has it.
        CheckpointError: the study is one of other data or settings.
        MissingDependencyError: Optuna is not installed.
        TextRNNError: the budget ended before any epoch did.
        KeyboardInterrupt: interrupted before anything was found.
    """
    seconds = seconds_of(budget)
    check_effort(effort)
    if isinstance(workers, bool) or not isinstance(workers, int) or not 1 <= workers <= 1024:
        raise ConfigError(f"workers: expected a whole number from 1 to 1024, got {workers!r}")
    with quiet_optuna(), _kept(study) as path:
        started = time.monotonic()
        fixed = with_vector_size(settings, vectors)
        recipe = Recipe.from_settings(**fixed)
        how: dict[str, Any] = {"text": text, "label": label, "format": format, "encoding": encoding, "header": header}
        dataset, held_out = read_and_split(data, labels, validation, validation_labels, recipe, **how)
        if held_out is None:
            raise ConfigError("tuning needs validation texts: give some, or more texts to split them off from")
        given = settings_for(effort, DataSize.of(dataset, recipe.text), fixed)
        single = given | ALONE
        whole = Recipe.from_settings(**given) != Recipe.from_settings(**single)
        share = SEARCHING if whole else 1.0
        data_print = f"{dataset.fingerprint()} {held_out.fingerprint()}"
        opened = prepare(path, Subject(data_print, digest_of(vectors), fixed, single))
        if workers > 1 and "threads" not in fixed:  # results do not depend on it
            single = single | {"threads": max(1, (os.cpu_count() or 1) // workers)}
        search = Search(
            dataset=dataset,
            held_out=held_out,
            vectors=vectors,
            fixed=fixed,
            single=single,
            study=path,
            deadline=started + share * seconds,
            budget_seconds=share * seconds,
            seed=recipe.training.seed,
            refit=validation is None,
        )
        try:
            if workers == 1:
                run_trials(search, 0, lambda: False, on_trial)
            else:
                run_workers(search, workers, on_trial)
        except KeyboardInterrupt:
            if not any(record.ending in ("complete", "cut off") for record in records(opened, search.sign)):
                raise
        # What follows from the file of vectors is no setting to be given again.
        told = {name: value for name, value in given.items() if name in settings or name not in fixed}
        found = _result(opened, search, told, budget)
        return with_all_parts(found, search, given, deadline=started + seconds) if whole else found


@contextmanager
def _kept(study: str | Path | None) -> Iterator[Path]:
    """The study's file; without a name one that vanishes, the models beside it too."""
    if study is not None:
        yield Path(study)
        return
    folder = tempfile.mkdtemp(prefix="textrnn-")
    try:
        yield Path(folder) / "study"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _result(study: "Study", search: Search, chosen: dict[str, Any], budget: str | float) -> Tuning:
    trials = records(study, search.sign)
    counted = [record for record in trials if record.ending in ("complete", "cut off") and record.value is not None]
    if not counted:
        raise TextRNNError(f"no epoch was complete within the budget of {budget}: expected more time, or fewer texts")
    value = min(search.sign * record.value for record in counted if record.value is not None)
    equals = [record for record in counted if search.sign * (record.value or 0.0) == value]
    best = next((record for record in equals if search.model_of(record.number).exists()), equals[0])
    model = search.model_of(best.number)
    if not model.exists():
        raise CheckpointError(f"{model}: the best model of this study is missing, expected it beside {search.study}")
    point = default_point(search.space)
    return Tuning(
        classifier=load(model),
        metric=search.metric,
        best=best,
        first=next((record for record in counted if record.settings == point), None),
        settings=chosen | best.settings,
        trials=trials,
        importances=importances_of(study),
    )
