"""Short real searches: what they find, when they end, how they go on, and what they refuse."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

import textrnn
from commands import TEXTRNN, run_here
from made import pairs, write_csv
from textrnn.config import Recipe
from textrnn.data import as_examples, collect, split_stratified
from textrnn.history import EpochRecord
from textrnn.training import recipe
from textrnn.training.effort import DataSize, settings_for
from textrnn.tuning import TrialRecord, Tuning, draw_tuning, tuning_to_text
from textrnn.tuning.budget import seconds_of
from textrnn.tuning.space import SPACE, default_point, dimensions, suggest
from textrnn.tuning.study import Subject, importances_of, open_study, prepare, quiet_optuna
from textrnn.tuning.trials import Search, Watch, run_trials

ROOT = Path(__file__).resolve().parents[2]
PAIRS = pairs(160)
QUICK: dict[str, Any] = {
    "epochs": 3,
    "hidden_size": 8,
    "embedding_size": 8,
    "layers": 1,
    "max_length": 16,
    "threads": 1,
}
PLAIN = QUICK | {"effort": "plain"}
TOLERANCE_SECONDS = 6.0
"""One step, one validation and the writing of a small model, on a machine with four times more work than cores."""


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """What PyTorch and scikit-learn import at their first use does not count against the budgets below."""
    textrnn.train(PAIRS, metric="accuracy", **PLAIN)


def options(settings: dict[str, Any]) -> list[str]:
    return [part for name, value in settings.items() for part in (f"--{name.replace('_', '-')}", str(value))]


@pytest.mark.parametrize(
    ("budget", "seconds"), [("30s", 30), ("10m", 600), ("2h", 7200), ("1.5 M", 90), (7, 7), (0.5, 0.5)]
)
def test_budgets(budget: Any, seconds: float) -> None:
    assert seconds_of(budget) == seconds


@pytest.mark.parametrize("budget", ["", "10", "m", "-3s", "0s", 0, -1, float("nan"), float("inf"), "1h30m", True])
def test_budgets_that_are_none_are_one_sentence(budget: Any) -> None:
    with pytest.raises(textrnn.ConfigError, match="budget: expected a time such as 30s, 10m or 2h, got"):
        seconds_of(budget)


@pytest.mark.parametrize("fixed", [{}, {"cell": "gru"}, {"cell": "mingru"}, {"weight_decay": 0.0, "layers": 5}])
def test_the_defaults_are_a_point_of_the_space_and_every_point_is_a_recipe(fixed: dict[str, Any]) -> None:
    space = dimensions(fixed, {})
    assert not {dimension.name for dimension in space} & fixed.keys()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    study.enqueue_trial(default_point(space))
    points = []
    for _ in range(60):
        points.append(suggest(study.ask(), space))
        Recipe.from_settings(**fixed | points[-1])
    assert Recipe.from_settings(**fixed | points[0]) == Recipe.from_settings(**fixed)
    for dimension in space:
        found = {str(point[dimension.name]) for point in points if dimension.name in point}
        assert len(found) > 1, dimension.name
    with_rate = [point for point in points if "recurrent_dropout" in point]
    assert all((fixed | point)["cell"] not in ("mingru", "minlstm") for point in with_rate)


def test_a_default_outside_its_range_widens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"weight_decay": 0.0, "learning_rate": 5.0, "batch_size": 4096}.items():
        monkeypatch.setattr("textrnn.tuning.space.Recipe.from_settings", lambda n=name, v=value, **_: _With(n, v))
        space = {dimension.name: dimension for dimension in dimensions({}, {})}
        low, high, log = space[name].range
        assert low <= value <= high and (low > 0 or not log)
        monkeypatch.undo()


class _With:
    def __init__(self, name: str, value: Any) -> None:
        self.changed = {name: value}

    def settings(self) -> dict[str, Any]:
        return Recipe().settings() | self.changed


def test_the_documented_space_is_the_space() -> None:
    lines = (ROOT / "docs" / "tuning.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| `")]
    documented = {
        name.strip("`"): (float(low), float(high), note == "by factors") if low else None
        for name, low, high, note in rows
    }
    assert documented == {name: None if space is None else tuple(space) for name, space in SPACE.items()}


def test_a_search_beats_or_equals_the_defaults_and_its_command_leads_to_the_same_model(tmp_path: Path) -> None:
    data, out, plot = write_csv(tmp_path / "d.csv", 160), tmp_path / "m.textrnn", tmp_path / "p.png"
    settings = QUICK | {"metric": "accuracy"}
    began = time.monotonic()
    result = run_here(
        "tune", data, "--budget", "15s", "--out", out, "--plot", plot, *options(settings), "--effort", "plain"
    )
    took = time.monotonic() - began
    assert result.code == 0, result.err
    *trials, saved = map(json.loads, result.out.splitlines())
    assert took >= 10
    assert [trial["number"] for trial in trials] == list(range(len(trials))) and len(trials) >= 2
    defaults = Recipe.from_settings(**settings).settings()
    assert all(defaults[name] == value for name, value in trials[0]["settings"].items())
    assert saved["default"]["number"] == 0 and saved["best"]["value"] >= saved["default"]["value"]
    assert saved["best"]["value"] == max(
        t["value"] for t in trials if t["ending"] in ("complete", "cut off") and t["value"]
    )
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "m.textrnn.study").exists()
    assert len(list((tmp_path / "m.textrnn.study.models").iterdir())) == 1

    best = textrnn.load(out)
    if saved["best"]["ending"] == "complete":
        program, command, *rest = shlex.split(saved["command"])
        assert (program, command) == ("textrnn", "train")
        assert run_here("train", *rest).code == 0
        again = textrnn.load(out)
        for name, weight in best.weights.items():
            np.testing.assert_array_equal(again.weights[name], weight, err_msg=name)


def test_the_whole_model_is_trained_with_the_best_settings(tmp_path: Path) -> None:
    """Trials are single networks that begin where the effort does; what comes out has all parts."""
    data, out = write_csv(tmp_path / "d.csv", 160), tmp_path / "m.textrnn"
    small = {"hidden_size": 8, "embedding_size": 8, "epochs": 2, "threads": 1, "members": 2}
    result = run_here("tune", data, "--budget", "12s", "--out", out, *options(small))
    assert result.code == 0, result.err
    *trials, saved = map(json.loads, result.out.splitlines())
    size = DataSize.of(collect(as_examples(data)), Recipe().text)
    given = settings_for("default", size, small)
    assert given["cell"] != Recipe().model.cell and given["ngrams"] and given["character_ngrams"]
    assert trials[0]["settings"].items() <= Recipe.from_settings(**given).settings().items()
    model = textrnn.load(out)
    provenance = model.header.provenance
    assert provenance is not None and saved["whole"] == provenance.metrics["loss"] < saved["best"]["value"]
    assert (model.header.model.members, model.header.model.ngrams) == (2, given["ngrams"])
    assert model.header.model.cell == saved["best"]["settings"]["cell"]
    rest = shlex.split(saved["command"])[2:]
    assert run_here("train", *rest).code == 0
    again = textrnn.load(out)
    if not provenance.interrupted and saved["best"]["ending"] == "complete":
        for name, weight in model.weights.items():
            np.testing.assert_array_equal(again.weights[name], weight, err_msg=name)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tuning]:
    """A study with some trials."""
    study = tmp_path_factory.mktemp("study") / "odd {name} % é.study"
    return study, textrnn.tune(PAIRS, budget=4, study=study, **PLAIN)


def test_the_same_call_goes_on(searched: tuple[Path, Tuning]) -> None:
    study, before = searched
    told: list[TrialRecord] = []
    after = textrnn.tune(PAIRS, budget="2s", study=study, on_trial=told.append, **PLAIN)
    assert len(after.trials) > len(before.trials)
    assert after.trials[: len(before.trials)] == before.trials and after.trials[len(before.trials) :] == told
    assert after.first == before.first and after.best.value is not None and before.best.value is not None
    assert after.best.value <= before.best.value
    assert [record.settings for record in after.trials].count(before.trials[0].settings) == 1
    assert after.classifier.header.provenance is not None
    assert after.classifier.header.provenance.metrics["loss"] == after.best.value
    text = tuning_to_text(after)
    assert f"{len(after.trials)} trials: " in text and "the default recipe: " in text


@pytest.mark.parametrize(
    ("data", "settings", "message"),
    [
        (pairs(160, seed=2), {}, "made with other training or validation texts"),
        (PAIRS, {"seed": 1}, "made with seed=42, expected the same, found 1|other training or validation"),
        (PAIRS, {"metric": "accuracy"}, "made with metric='loss', expected the same, found 'accuracy'"),
        (PAIRS, {"hidden_size": 16}, "made with hidden_size=8, expected the same, found 16"),
        (PAIRS, {"cell": "gru"}, "made with cell='searched', expected the same, found 'gru'"),
    ],
)
def test_another_search_is_refused(
    searched: tuple[Path, Tuning], data: Any, settings: dict[str, Any], message: str
) -> None:
    study, _ = searched
    before = study.read_bytes()
    with pytest.raises(textrnn.CheckpointError, match=message) as caught:
        textrnn.tune(data, budget="1s", study=study, **PLAIN | settings)
    assert str(caught.value).startswith(str(study)) and "\n" not in str(caught.value)
    assert study.read_bytes() == before


def test_another_space_is_refused(searched: tuple[Path, Tuning], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(SPACE, "word_dropout")
    with pytest.raises(textrnn.CheckpointError, match="searched other ranges or began with other defaults"):
        textrnn.tune(PAIRS, budget="1s", study=searched[0], **PLAIN)


def test_other_files_are_no_studies(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("a poem, not a study")
    with pytest.raises(textrnn.CheckpointError, match="not a study: expected an SQLite file"):
        textrnn.tune(PAIRS, budget="1s", study=tmp_path / "text", **PLAIN)
    (tmp_path / "broken").write_bytes(b"SQLite format 3\0" + b"\xff" * 2000)
    with pytest.raises(textrnn.CheckpointError, match="not a study, or damaged"):
        textrnn.tune(PAIRS, budget="1s", study=tmp_path / "broken", **PLAIN)
    with pytest.raises(textrnn.OutputError, match="does not exist"):
        textrnn.tune(PAIRS, budget="1s", study=tmp_path / "no" / "study", **PLAIN)


def test_a_missing_model_is_said(tmp_path: Path) -> None:
    study = tmp_path / "s"
    textrnn.tune(PAIRS, budget=4, study=study, **PLAIN)
    for model in (tmp_path / "s.models").iterdir():
        model.unlink()
    with pytest.raises(textrnn.CheckpointError, match="the best model of this study is missing"):
        textrnn.tune(PAIRS, budget=0.001, study=study, **PLAIN)


def test_a_budget_too_short_for_an_epoch_is_said(tmp_path: Path) -> None:
    with pytest.raises(textrnn.TextRNNError, match=r"no epoch was complete within the budget of 0\.001"):
        textrnn.tune(PAIRS, budget=0.001, **PLAIN)


def test_a_running_trial_is_cut_off_and_its_best_epoch_counts() -> None:
    began = time.monotonic()
    tuning = textrnn.tune(PAIRS, budget=3, patience=0, **PLAIN | {"epochs": 100_000})
    assert 3 <= time.monotonic() - began < 3 + TOLERANCE_SECONDS
    assert tuning.first is not None and tuning.first.ending == "cut off" and tuning.first.epochs > 1
    provenance = tuning.classifier.header.provenance
    assert provenance is not None and provenance.interrupted
    assert provenance.metrics["loss"] == tuning.best.value == min(r.validation["loss"] for r in provenance.history)  # type: ignore[index]


def test_ctrl_c_ends_the_search_with_what_it_found() -> None:
    def interrupt(record: TrialRecord) -> None:
        raise KeyboardInterrupt

    began = time.monotonic()
    tuning = textrnn.tune(PAIRS, budget="10m", on_trial=interrupt, **PLAIN)
    assert time.monotonic() - began < 60 and len(tuning.trials) == 1 and tuning.best == tuning.first


def search_of(tmp_path: Path, seconds: float = 60, **fixed: Any) -> Search:
    dataset, held_out = split_stratified(collect(as_examples(PAIRS)), 0.2, 1)
    fixed = QUICK | fixed
    return Search(dataset, held_out, None, fixed, fixed, tmp_path / "s", time.monotonic() + seconds, seconds, 1, False)


def test_trials_worse_than_the_median_are_pruned(tmp_path: Path) -> None:
    """Against made trials that were much better at every epoch."""
    search = search_of(tmp_path, epochs=50, patience=0)
    with quiet_optuna():
        study = prepare(search.study, Subject("data", None, search.fixed, search.single))
        space = search.space
        for _ in range(4):
            made = study.ask(fixed_distributions={})
            for epoch in range(1, 51):
                made.report(0.001, epoch)
            study.tell(made, 0.001)
        slow = default_point(space) | {"learning_rate": 3e-4}
        study.enqueue_trial(slow)
        told: list[TrialRecord] = []
        run_trials(search, 0, lambda: bool(told and told[-1].settings == slow), told.append)
    pruned = next(record for record in told if record.settings == slow)
    assert pruned.ending == "pruned" and 1 < pruned.epochs < 50 and pruned.value is not None
    assert not search.model_of(pruned.number).exists()


def test_a_trial_that_fails_does_not_end_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, count = recipe.train_on, 0

    def sometimes(*arguments: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        if count == 2:
            raise textrnn.TextRNNError("training diverged")
        return real(*arguments, **named)

    monkeypatch.setattr("textrnn.tuning.trials.train_on", sometimes)
    tuning = textrnn.tune(PAIRS, budget=5, **PLAIN | {"epochs": 1})
    assert [record.ending for record in tuning.trials[:2]] == ["complete", "failed"] and count > 2
    count = 1
    with pytest.raises(textrnn.TextRNNError, match="training diverged"):
        textrnn.tune(PAIRS, budget=5, **PLAIN)


def test_importances_find_what_matters_and_are_drawn(tmp_path: Path) -> None:
    with quiet_optuna():
        study = open_study(tmp_path / "s", seed=3)
        assert importances_of(study) == {}
        rng = np.random.default_rng(0)
        for _ in range(30):
            trial = study.ask()
            rate, other = trial.suggest_float("learning_rate", 0, 1), trial.suggest_float("dropout", 0, 1)
            study.tell(trial, rate**2 + 0.01 * other + 0.001 * rng.standard_normal())
        shares = importances_of(study)
    assert list(shares) == ["learning_rate", "dropout"] and shares["learning_rate"] > 0.9
    best = TrialRecord(1, "complete", 0.25, {"learning_rate": 0.1}, 1.0, 2)
    records = [TrialRecord(0, "failed", None, {}), best]
    tuning = Tuning(None, "loss", best, None, {}, records, shares)  # type: ignore[arg-type]
    draw_tuning(tmp_path / "p.png", tuning)
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert tuning_to_text(tuning).startswith("2 trials: 1 failed, 1 complete\nbest: trial 1, validation loss 0.2500\n")
    assert "what mattered: learning_rate 9" in tuning_to_text(tuning)


def test_watch_tells_the_best_value_so_far(tmp_path: Path) -> None:
    search = search_of(tmp_path, metric="accuracy")
    with quiet_optuna():
        study = open_study(search.study, seed=0)
        watch = Watch(study.ask(), search, is_default=False, stopped=lambda: False)
    for epoch, accuracy in enumerate([0.5, 0.9, 0.7], start=1):
        watch(
            EpochRecord(
                epoch=epoch,
                loss=1,
                accuracy=0,
                learning_rate=1,
                gradient_norm=1,
                tokens_per_second=None,
                validation={"accuracy": accuracy},
            )
        )
    assert watch.value == -0.9 and watch.epochs == 3
    assert study.get_trials()[0].intermediate_values == {1: -0.5, 2: -0.9, 3: -0.9}


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_search_goes_on(tmp_path: Path) -> None:
    data, out = write_csv(tmp_path / "d.csv", 160), tmp_path / "m.textrnn"
    arguments = ["tune", str(data), "--out", str(out), *options(PLAIN | {"epochs": 30, "patience": 0})]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([*TEXTRNN, *arguments, "--budget", "5m"], stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    time.sleep(0.3)  # into the second trial
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not out.exists()
    result = run_here(*arguments, "--budget", "2s")
    assert result.code == 0, result.err
    saved = json.loads(result.out.splitlines()[-1])
    assert saved["default"]["number"] == first["number"] == 0 and saved["default"]["value"] == first["value"]
    assert saved["best"]["value"] <= first["value"] and textrnn.load(out)


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    data = write_csv(tmp_path / "d.csv", 40)
    mistakes: list[tuple[list[object], str]] = [
        (["--budget", "soon"], "budget: expected a time such as 30s, 10m or 2h, got 'soon'"),
        (["--validation-fraction", "0"], "tuning needs validation texts"),
        (["--study", data], "it is also read"),
        (["--cell", "mingru", "--recurrent-dropout", "0.2"], "recurrent_dropout: expected 0"),
        (["--plot", tmp_path / "none" / "p.png"], "does not exist"),
    ]
    for arguments, message in mistakes:
        result = run_here("tune", data, "--out", tmp_path / "m.textrnn", *arguments)
        assert result.code == 2 and message in result.err and result.err.count("\n") == 1, result.err
    with pytest.raises(textrnn.ConfigError, match="workers: expected a whole number from 1 to 1024, got 0"):
        textrnn.tune(PAIRS, workers=0)
    with pytest.raises(TypeError, match="unknown setting 'hiden_size'; did you mean 'hidden_size'"):
        textrnn.tune(PAIRS, hiden_size=3)


def test_without_optuna_a_sentence_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['optuna'] = None; import textrnn; textrnn.tune([('a', 'b')], budget='1s')"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "MissingDependencyError: tuning needs the library optuna, which is not installed" in result.stderr
    assert "pip install 'textrnn[tune]'" in result.stderr


@pytest.mark.slow
def test_workers_share_a_study(tmp_path: Path) -> None:
    data, out = write_csv(tmp_path / "d.csv", 160), tmp_path / "m.textrnn"
    began = time.monotonic()
    result = run_here("tune", data, "--budget", "40s", "--workers", "2", "--out", out, *options(PLAIN))
    assert result.code == 0, result.err
    assert 40 <= time.monotonic() - began < 40 + 3 * TOLERANCE_SECONDS
    *trials, saved = map(json.loads, result.out.splitlines())
    numbers = [trial["number"] for trial in trials]
    assert sorted(numbers) == list(range(len(numbers))) and len(numbers) > 4
    assert saved["best"]["value"] <= saved["default"]["value"]
    assert len(list((tmp_path / "m.textrnn.study.models").iterdir())) == 1


@pytest.mark.slow
def test_what_ends_a_worker_is_told(tmp_path: Path) -> None:
    with pytest.raises(textrnn.TextRNNError, match="metric: "):
        textrnn.tune(
            [(text, label) for text, label in PAIRS if label == "pos"] + [("bad", "neg")] * 3,
            validation=[("good", "pos"), ("fine", "pos")],
            metric="roc_auc",
            workers=2,
            budget="60s",
            **PLAIN,
        )
