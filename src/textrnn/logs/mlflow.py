"""Runs in MLflow's tracking store: a database file, or a server."""

import os
import time
from typing import Any

from textrnn.errors import ConfigError
from textrnn.files import require
from textrnn.logs.numbers import Number, Numbers, allowed, described, settings_of
from textrnn.training import Begun, Event, Finished, Watched
from textrnn.version import __version__

EXPERIMENT = "textrnn"
LONGEST_VALUE = 500
"""Characters of a parameter; all stores of MLflow 2 and later take as many."""
LONGEST_TAG = 5000
A_BATCH = 1000
"""Numbers that MLflow takes at once."""


class MLflowLog:
    """A reader of events that makes one new run in the experiment `textrnn` (or `MLFLOW_EXPERIMENT_NAME`).

    The numbers go there once an epoch, all together, since each call costs the training some milliseconds, and over a
    network more.
    """

    def __init__(self, place: str, name: str = "") -> None:
        """`place`: a tracking URI, such as sqlite:///runs.db or http://host:5000; `name`: of the run.

        Raises:
            MissingDependencyError: MLflow is not installed.
            ConfigError: MLflow cannot use the place.
        """
        # MLflow would tell its makers that it is used.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
        require("mlflow", extra="log", purpose="a log for MLflow")
        from mlflow.tracking import MlflowClient

        self.numbers, self.waiting = Numbers(), list[tuple[Number, int]]()
        self.texts: list[str] = []
        try:
            self.client: Any = MlflowClient(tracking_uri=place)
            experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
            found = self.client.get_experiment_by_name(experiment)
            number = found.experiment_id if found else self.client.create_experiment(experiment)
            self.run = self.client.create_run(number, run_name=name or None).info.run_id
            self.client.set_tag(self.run, "textrnn.version", __version__)
        except Exception as error:  # MLflow's own, SQLAlchemy's, and those of several ways to a server
            raise ConfigError(f"log: MLflow cannot use {place}: {_reason(error)}") from error

    def __call__(self, event: Event) -> None:
        """Take in one event of a training."""
        now = int(time.time() * 1000)
        self.waiting += [(number, now) for number in self.numbers.of(event)]
        if isinstance(event, Begun):
            from mlflow.entities import Param

            settings = settings_of(event).items()
            parameters = [Param(allowed(name), value[:LONGEST_VALUE]) for name, value in settings]
            self.client.log_batch(self.run, params=parameters)
        elif isinstance(event, Watched):
            for place, text in enumerate(event.texts, 1):
                if described(text) not in self.texts:
                    self.texts.append(described(text))
                    self.client.set_tag(self.run, f"text-{place}", described(text)[:LONGEST_TAG])
            self._send()
        elif isinstance(event, Finished):
            self.client.set_tag(self.run, "interrupted", str(event.interrupted).lower())
            self.client.set_tag(self.run, "best_epoch", str(event.best_epoch))

    def close(self, *, failed: bool = False) -> None:
        """Send what is left and end the run."""
        self._send()
        self.client.set_terminated(self.run, status="FAILED" if failed else "FINISHED")

    def _send(self) -> None:
        from mlflow.entities import Metric

        metrics = [Metric(allowed(one.name), one.value, now, one.place) for one, now in self.waiting]
        self.waiting = []
        for start in range(0, len(metrics), A_BATCH):
            self.client.log_batch(self.run, metrics=metrics[start : start + A_BATCH])


def _reason(error: Exception) -> str:
    """The first sentence of what may be pages."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return line.partition(". ")[0]
