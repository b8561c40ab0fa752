"""The study: an Optuna database in one SQLite file, and what it is the study of."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textrnn.config import Recipe
from textrnn.errors import CheckpointError
from textrnn.files import check_writable, require
from textrnn.tuning.results import TrialRecord
from textrnn.tuning.space import Dimension, default_point, described, dimensions

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

NAME = "textrnn"
STARTUP_TRIALS = 8
"""Drawn at random before the sampler models anything."""
MIN_TRIALS_FOR_IMPORTANCES = 4


@dataclass(frozen=True)
class Subject:
    """What a study searches; it goes on only with the same."""

    data: str
    """Fingerprints of the training and validation texts."""
    vectors: str | None
    """Digest of the file of word vectors."""
    fixed: dict[str, Any]
    """Settings that the user chose."""
    given: dict[str, Any]
    """Settings that follow from the data, those of the user among them; what is searched begins there."""

    @property
    def space(self) -> list[Dimension]:
        """What is searched."""
        return dimensions(self.fixed, self.given)

    def attributes(self) -> dict[str, Any]:
        """As they are kept in the study, with the space that follows from them."""
        content = asdict(self) | {"space": described(self.space)}
        as_json: dict[str, Any] = json.loads(json.dumps(content))
        return as_json


def digest_of(path: str | Path | None) -> str | None:
    """Of a file's size, beginning and end: files of vectors have gigabytes."""
    if path is None:
        return None
    with Path(path).open("rb") as file:
        digest = hashlib.sha256(file.read(1 << 20))
        size = file.seek(0, 2)
        file.seek(max(size - (1 << 20), 0))
        digest.update(file.read())
    return f"{size} {digest.hexdigest()}"


@contextmanager
def quiet_optuna() -> Iterator[Any]:
    """Optuna without its own log; as it was afterwards.

    Raises:
        MissingDependencyError: it is not installed.
    """
    optuna = require("optuna", extra="tune", purpose="tuning")
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield optuna
    finally:
        optuna.logging.set_verbosity(before)


def open_study(path: Path, seed: int) -> "Study":
    """The study in a file that `prepare` has made."""
    import optuna
    from sqlalchemy import URL

    url = URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)
    storage = optuna.storages.RDBStorage(
        # Optuna fills in what stands in braces.
        url.replace("{", "{{").replace("}", "}}"),
        engine_kwargs={"connect_args": {"timeout": 60}},
    )
    return optuna.create_study(
        storage=storage,
        study_name=NAME,
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=2),
        direction="minimize",
    )


def prepare(path: Path, subject: Subject) -> "Study":
    """Make a study, or get one ready to go on: with the default recipe as the first trial.

    Values are losses: metrics of which more is better are kept with a minus sign.

    Raises:
        CheckpointError: the file is no study, or one of other data, settings or space.
        OutputError: the file cannot be written.
    """
    from optuna.trial import TrialState
    from sqlalchemy.exc import SQLAlchemyError

    check_writable(path)
    if path.exists():
        with path.open("rb") as file:
            if file.read(16) not in (b"", b"SQLite format 3\0"):
                raise CheckpointError(f"{path}: not a study: expected an SQLite file")
    try:
        study = open_study(path, seed=0)
        _check_same(path, study, subject)
        trials = study.get_trials(deepcopy=False)
        for trial in trials:
            if trial.state == TrialState.RUNNING:  # left over by a killed process
                study.tell(trial.number, state=TrialState.FAIL)
        point = default_point(subject.space)
        asked = [trial.system_attrs.get("fixed_params", trial.params) for trial in trials if _stands(trial)]
        if point not in asked:
            study.enqueue_trial(point)
    except (SQLAlchemyError, KeyError) as error:
        raise CheckpointError(f"{path}: not a study, or damaged: {str(error).splitlines()[0]}") from error
    return study


def _stands(trial: "FrozenTrial") -> bool:
    from optuna.trial import TrialState

    return trial.state in (TrialState.COMPLETE, TrialState.WAITING)


def _check_same(path: Path, study: "Study", subject: Subject) -> None:
    now, before = subject.attributes(), study.user_attrs
    if not before and not study.get_trials(deepcopy=False):
        for name, value in now.items():
            study.set_user_attr(name, value)
        return
    if before.keys() != now.keys():
        raise CheckpointError(f"{path}: not a study of textrnn")
    if before["data"] != now["data"]:
        raise CheckpointError(f"{path}: this study was made with other training or validation texts")
    if before["vectors"] != now["vectors"]:
        raise CheckpointError(f"{path}: this study was made with other word vectors")
    defaults = Recipe().settings()
    for name in sorted(before["fixed"].keys() | now["fixed"].keys()):
        old, new = (
            some["fixed"].get(name, "searched" if name in some["space"] else defaults[name]) for some in (before, now)
        )
        if old != new:
            raise CheckpointError(f"{path}: this study was made with {name}={old!r}, expected the same, found {new!r}")
    if before["space"] != now["space"] or before["given"] != now["given"]:
        raise CheckpointError(f"{path}: this study searched other ranges or began with other defaults")


def records(study: "Study", sign: float) -> list[TrialRecord]:
    """The trials that are over, in their order."""
    from optuna.trial import TrialState

    endings = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
    return [record(trial, sign) for trial in study.get_trials(deepcopy=False) if trial.state in endings]


def record(trial: "FrozenTrial", sign: float) -> TrialRecord:
    """A trial of Optuna as ours."""
    attributes = trial.user_attrs
    value = attributes.get("value")
    return TrialRecord(
        number=trial.number,
        ending=attributes.get("ending", "failed"),
        value=None if value is None else sign * value,
        settings=dict(trial.params),
        seconds=attributes.get("seconds", 0.0),
        epochs=attributes.get("epochs", 0),
    )


def importances_of(study: "Study") -> dict[str, float]:
    """By fANOVA over the complete trials; nothing where these are too few or all the same."""
    import optuna
    from optuna.trial import TrialState

    complete = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    if len(complete) < MIN_TRIALS_FOR_IMPORTANCES or len({trial.value for trial in complete}) == 1:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: float(share) for name, share in found.items()}
