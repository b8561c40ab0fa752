"""Logs, read back by TensorBoard and MLflow themselves."""

import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import textrnn
from commands import assert_refused, run_here
from made import pairs, write_csv
from textrnn.errors import ConfigError, MissingDependencyError, OutputError
from textrnn.history import EpochRecord
from textrnn.logs import LOGS, open_log
from textrnn.training import Finished, Step, Watched

SETTINGS: dict[str, Any] = {"members": 2, "epochs": 2, "hidden_size": 8, "ngrams": 2}


@pytest.fixture(autouse=True)
def only_our_warnings() -> Iterator[None]:
    """MLflow's own use of SQLAlchemy warns, and its store keeps connections for the garbage collector."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def trained(where: str) -> tuple[textrnn.Classifier, list[Any]]:
    events: list[Any] = []
    with open_log(where, "reviews") as log:

        def on_event(event: Any) -> None:
            events.append(event)
            log(event)

        classifier = textrnn.train(pairs(240), on_event=on_event, watch=True, **SETTINGS)
    assert not log.broken
    return classifier, events


def expected(events: list[Any]) -> dict[str, list[tuple[int, float]]]:
    """Every series of a training of fewer than a hundred steps an epoch, written down anew."""
    found: dict[str, list[tuple[int, float]]] = {}
    for event in events:
        rows: dict[str, tuple[int, float]] = {}
        if isinstance(event, Step):
            place = (event.epoch - 1) * event.steps + event.index
            rows = {"step/loss": (place, event.loss), "step/gradient_norm": (place, event.gradient_norm)}
        elif isinstance(event, EpochRecord):
            for name in ("loss", "accuracy", "learning_rate", "gradient_norm", "tokens_per_second"):
                rows[f"train/{name}"] = (event.epoch, getattr(event, name))
            for name, value in (event.validation or {}).items():
                rows[f"validation/{name}"] = (event.epoch, value)
        elif isinstance(event, Watched):
            rows = {f"gradient/{name}": (event.epoch, norm) for name, norm in event.gradient_norms.items()}
            for number, text in enumerate(event.texts, 1):
                rows[f"text-{number}"] = (event.epoch, text.answer[["neg", "pos"].index(text.expected or "")])
        elif isinstance(event, Finished):
            for name, value in event.metrics.items():
                found[f"model/{name}"] = [(event.best_epoch, value)]
        for name, row in rows.items():
            found.setdefault(f"network-{event.network}/{name}", []).append(row)
    return found


def test_tensorboard_reads_every_number(tmp_path: Path) -> None:
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    _, events = trained(f"tensorboard:{tmp_path / 'runs' / 'a'}")
    reader = accumulators.EventAccumulator(str(tmp_path / "runs" / "a"), size_guidance={"scalars": 0, "tensors": 0})
    reader.Reload()
    wanted = expected(events)
    assert set(reader.Tags()["scalars"]) == set(wanted)
    for name, rows in wanted.items():
        found = [(one.step, one.value) for one in reader.Scalars(name)]
        assert [place for place, _ in found] == [place for place, _ in rows], name
        assert [value for _, value in found] == pytest.approx([value for _, value in rows], rel=1e-6), name
    texts = {tag: reader.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in reader.Tags()["tensors"]}
    assert "| hidden_size | 8 |" in texts["settings/text_summary"]
    first = next(event for event in events if isinstance(event, Watched)).texts[0]
    assert texts["text-1/text_summary"] == f"    {first.text} [{first.expected}]"


def test_mlflow_reads_every_number(tmp_path: Path) -> None:
    tracking = pytest.importorskip("mlflow.tracking")
    uri = f"sqlite:///{tmp_path / 'm.db'}"
    _, events = trained(f"mlflow:{uri}")
    client = tracking.MlflowClient(tracking_uri=uri)
    (run,) = client.search_runs([client.get_experiment_by_name("textrnn").experiment_id])
    assert run.info.status == "FINISHED" and run.info.run_name == "reviews"
    wanted = expected(events)
    assert set(run.data.metrics) == set(wanted)
    for name, rows in wanted.items():
        found = sorted((one.step, one.value) for one in client.get_metric_history(run.info.run_id, name))
        assert [place for place, _ in found] == [place for place, _ in rows], name
        assert [value for _, value in found] == pytest.approx([value for _, value in rows]), name
    assert run.data.params["hidden_size"] == "8" and run.data.params["data/examples"] == "216"
    assert run.data.tags["text-1"].endswith(("[neg]", "[pos]"))


def test_many_steps_become_a_hundred_points_an_epoch() -> None:
    from textrnn.logs.numbers import Numbers

    numbers = Numbers()
    found = []
    for index in range(1, 1001):
        found += numbers.of(Step(2, index, 1000, float(index), 0.1, 2.0 * index, 10))
    losses = [one for one in found if one.name == "network-1/step/loss"]
    assert [one.place for one in losses] == list(range(1010, 2001, 10))
    assert [one.value for one in losses] == [10 * number + 5.5 for number in range(100)]


def test_the_command_line_logs_and_changes_nothing(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    pytest.importorskip("mlflow")
    data = write_csv(tmp_path / "m.csv", 120)
    common = ("train", data, "--effort", "plain", "--epochs", 2, "--hidden-size", 8, "--no-timings", "--out")
    logs = (f"tensorboard:{tmp_path / 'a'}", f"mlflow:sqlite:///{tmp_path / 'm.db'}")
    with_logs = run_here(
        *common, tmp_path / "with.textrnn", "--log", logs[0], "--log", logs[1], "--live", "--watch", "good"
    )
    without = run_here(*common, tmp_path / "without.textrnn")
    assert with_logs.code == without.code == 0, with_logs.err
    assert "http://127.0.0.1:" in with_logs.err
    assert with_logs.out.replace("with.", "") == without.out.replace("without.", "")
    assert (tmp_path / "with.textrnn").read_bytes() == (tmp_path / "without.textrnn").read_bytes()
    assert list((tmp_path / "a").glob("events.out.tfevents.*")) and (tmp_path / "m.db").exists()


@pytest.mark.parametrize(
    "options",
    [
        ("--log", "wandb:x"),
        ("--log", "tensorboard:"),
        ("--log", "runs"),
        ("--live-stay",),
        ("--live-port", 8000),
        ("--watch", "good"),
        ("--live", "--live-port", 0),
    ],
)
def test_what_means_nothing_is_refused_before_the_data_are_read(options: tuple[object, ...], tmp_path: Path) -> None:
    assert_refused(run_here("train", tmp_path / "missing.csv", *options), str(options[0]).strip("-"))


def test_places_that_cannot_be_used_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match="cannot write a log here"),
        open_log(f"tensorboard:{tmp_path / 'file' / 'a'}"),
    ):
        pass
    with pytest.raises(ConfigError, match="MLflow cannot use nonsense"), open_log("mlflow:nonsense://x"):
        pass
    for form, module in (("tensorboard", "tensorboard"), ("mlflow", "mlflow")):
        with monkeypatch.context() as patch:
            patch.setitem(__import__("sys").modules, module, None)
            with pytest.raises(MissingDependencyError, match=r"textrnn\[log\]"), open_log(f"{form}:{tmp_path / 'x'}"):
                pass


def test_a_log_that_fails_ends_itself_and_not_the_training(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def __init__(self, place: str, name: str = "") -> None:
            self.told = 0

        def __call__(self, event: Any) -> None:
            self.told += 1
            if self.told == 3:
                raise OSError(28, "No space left on device")
            assert self.told < 3

        def close(self, *, failed: bool = False) -> None:
            raise AssertionError

    monkeypatch.setitem(LOGS, "broken", Broken)
    with caplog.at_level(logging.WARNING, "textrnn"), open_log("broken:x") as log:
        textrnn.train(pairs(60), on_event=log, watch=True, effort="plain", epochs=2, hidden_size=4)
    assert log.broken and [record.getMessage() for record in caplog.records] == [
        "broken:x: nothing more is logged there, the training goes on: [Errno 28] No space left on device"
    ]


def test_a_training_that_fails_is_a_failed_run(tmp_path: Path) -> None:
    tracking = pytest.importorskip("mlflow.tracking")
    uri = f"sqlite:///{tmp_path / 'm.db'}"
    with pytest.raises(RuntimeError), open_log(f"mlflow:{uri}"):
        raise RuntimeError
    client = tracking.MlflowClient(tracking_uri=uri)
    (run,) = client.search_runs([client.get_experiment_by_name("textrnn").experiment_id])
    assert run.info.status == "FAILED"
