"""Logs by the form of their place, and what a training is spared when one of them fails."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from textrnn.errors import ConfigError
from textrnn.logs.mlflow import MLflowLog
from textrnn.logs.tensorboard import TensorBoardLog
from textrnn.training import Event

logger = logging.getLogger("textrnn")


@runtime_checkable
class Log(Protocol):
    """A reader of events that keeps them somewhere."""

    def __call__(self, event: Event) -> None:
        """Take in one event of a training."""

    def close(self, *, failed: bool = False) -> None:
        """Keep what is left."""


LOGS: dict[str, type[TensorBoardLog] | type[MLflowLog]] = {"tensorboard": TensorBoardLog, "mlflow": MLflowLog}


class Forgiving:
    """A log whose failures (a full disk, a server that is gone) end the log and not the training."""

    def __init__(self, log: Log, where: str) -> None:
        self.log, self.where, self.broken = log, where, False

    def __call__(self, event: Event) -> None:
        """Hand the event on, as long as that works."""
        if not self.broken:
            try:
                self.log(event)
            except Exception as error:
                self._give_up(error)

    def close(self, *, failed: bool = False) -> None:
        """Keep what is left, if that works."""
        if not self.broken:
            try:
                self.log.close(failed=failed)
            except Exception as error:
                self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self.broken = True
        first = next(iter(str(error).splitlines()), "") or type(error).__name__
        logger.warning("%s: nothing more is logged there, the training goes on: %s", self.where, first)


def check_log(where: str) -> tuple[str, str]:
    """Form and place.

    Raises:
        ConfigError: `where` is not of a known form.
    """
    form, colon, place = where.partition(":")
    if form not in LOGS or not colon or not place:
        forms = "tensorboard:FOLDER or mlflow:URI"
        raise ConfigError(
            f"log: expected {forms}, such as tensorboard:runs/a or mlflow:sqlite:///runs.db, got {where!r}"
        )
    return form, place


@contextmanager
def open_log(where: str, name: str = "") -> Iterator[Forgiving]:
    """A log to give to `textrnn.train` as `on_event`, with `watch=True` for all that there is to log.

    Args:
        where: `tensorboard:FOLDER` or `mlflow:URI`.
        name: of the run, where runs have names.

    Raises:
        ConfigError: `where` is not of a known form, or MLflow cannot use the place.
        OutputError: the folder cannot be written.
        MissingDependencyError: the library is not installed.
    """
    form, place = check_log(where)
    log = Forgiving(LOGS[form](place, name), where)
    failed = True
    try:
        yield log
        failed = False
    finally:
        log.close(failed=failed)
