"""`make accuracy`: what is kept, what is measured again, who is said to be ahead."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.accuracy import __main__ as program
from benchmarks.accuracy import results, table
from benchmarks.accuracy.linear import NBSVM, log_count_ratio
from benchmarks.accuracy.plot import draw
from benchmarks.accuracy.sets import ROWS, Task, load
from benchmarks.accuracy.side import Fitted, Side, _essence
from benchmarks.accuracy.sides import SIDES
from sklearn.svm import LinearSVC


def result(side: str, value: float, *, row: str = "mr", seed: int = 1, **changed: Any) -> results.Result:
    """As `measure` returns it."""
    metric = ROWS[row].metric
    return {
        **{"set": row, "side": side, "seed": seed, "metric": metric, "accuracy": value, "macro_f1": value},
        **{"f1": value, "test texts": 1000, "validation": value, "chosen": {}, "seconds": 2.0},
        **{"processor seconds": 1.0, "bytes": 3_000_000, "texts per second": 5000},
        **results.conditions(SIDES[side], ROWS[row]),
        **changed,
    }


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """What was measured; the results go to a file of the test's own."""
    calls: list[tuple[str, str, int]] = []

    def measure(side: Side, row: Any, seed: int) -> results.Result:
        calls.append((row.name, side.name, seed))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return result(side.name, 0.8, row=row.name, seed=seed)

    monkeypatch.setattr(program, "measure", measure)
    monkeypatch.setattr(program, "write_page", lambda: None)
    monkeypatch.setattr(program, "data_folder", lambda: tmp_path)
    for name in ("read", "keep"):
        function = getattr(results, name)
        monkeypatch.setattr(
            program, name, lambda *given, function=function: function(*given, path=tmp_path / "accuracy.json")
        )
    return calls


def test_an_interrupted_run_goes_on_where_it_was(measured: list[tuple[str, str, int]]) -> None:
    arguments = ["--sets", "mr", "trec6", "--sides", "fastText, pairs", "NB-SVM"]
    with pytest.raises(KeyboardInterrupt):
        program.main(arguments)
    assert measured == [("mr", "fastText, pairs", seed) for seed in (1, 2, 3)]
    program.main(arguments)
    assert measured[3:5] == [("mr", "fastText, pairs", 3), ("mr", "NB-SVM", 1)]
    assert len(measured) == 3 + 6
    program.main(arguments)
    assert len(measured) == 9
    program.main([*arguments, "--seeds", "1", "7"])
    assert [seed for _, _, seed in measured[9:]] == [7] * 4
    program.main(["--sets", "mr", "--sides", "NB-SVM", "--again"])
    assert len(measured) == 14


@pytest.mark.parametrize("change", [{"code": "older"}, {"settings": {}}])
def test_results_of_other_code_or_settings_are_measured_again(
    measured: list[tuple[str, str, int]], tmp_path: Path, change: dict[str, Any]
) -> None:
    results.keep(result("NB-SVM", 0.7, **change), tmp_path / "accuracy.json")
    program.main(["--sets", "mr", "--sides", "NB-SVM", "--keep"])
    assert measured == []
    program.main(["--sets", "mr", "--sides", "NB-SVM"])
    assert measured == [("mr", "NB-SVM", 1)]
    assert [one["accuracy"] for one in json.loads((tmp_path / "accuracy.json").read_text())] == [0.8]


def test_a_side_that_cannot_use_a_row_is_left_out(measured: list[tuple[str, str, int]]) -> None:
    program.main(["--sets", "imdb_unlabelled", "--sides", "NB-SVM", "tf-idf + LR"])
    assert measured == []


def test_comments_and_documentation_are_no_other_code(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    versions = [
        "def f(x):\n    return x + 1\n",
        '"""Says."""\n\ndef f(x):  # adds\n    """One more."""\n    return (x +\n 1)\n',
    ]
    versions.append("def f(x):\n    return x + 2\n")
    found = []
    for version in versions:
        path.write_text(version)
        found.append(_essence(path))
    assert found[0] == found[1] != found[2]


def test_the_table_marks_the_best_and_says_who_is_ahead() -> None:
    kept = [result("textrnn", value, seed=seed) for seed, value in enumerate([0.80, 0.81, 0.82], start=1)]
    kept += [result("NB-SVM", 0.79), result("tf-idf + LR", 0.8, code="older"), result("NB-SVM", 0.9, row="trec6")]
    lines = {line.split(" | ")[0].strip("| "): line for line in table.overview(kept).splitlines()}
    cells = [cell.strip() for cell in lines["mr, accuracy"].strip("| ").split("|")]
    assert cells[1:4] == ["**81.0** ± 1.0", "80.0 †", "79.0"]
    # 1.96 * sqrt(0.81 * 0.19 / 1000 + 0.8 * 0.2 / 1000)
    assert cells[4] == "ahead of tf-idf + LR by 1.0 (± 3.5 by chance)"
    assert "**90.0** | not measured yet" in lines["trec6, accuracy"]
    assert "| mr | NB-SVM | 1 | 79.0 | 79.0 | 2.00 | 1.00 | 3.00 | 5,000 |" in table.details(kept)
    behind = [result("textrnn", 0.8), result("NB-SVM", 0.85), result("textrnn, best", 0.9)]
    assert "behind NB-SVM by 5.0" in table.overview(behind)


def test_the_figure_has_a_panel_for_each_measured_row(tmp_path: Path) -> None:
    kept = [result("textrnn", 0.8), result("NB-SVM", 0.79), result("NB-SVM", 0.9, row="trec6")]
    draw(tmp_path / "a.svg", kept)
    drawn = (tmp_path / "a.svg").read_text()
    assert all(text in drawn for text in (">mr<", ">trec6<", ">NB-SVM<", ">textrnn<"))
    assert ">imdb<" not in drawn


def test_log_count_ratio_by_hand() -> None:
    features = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 1]])
    ratio = log_count_ratio(features, np.array([True, True, False]))
    p, q = np.array([3, 2, 1]) / 6, np.array([1, 2, 2]) / 5
    np.testing.assert_allclose(ratio, np.log(p / q))


def test_nbsvm_without_interpolation_is_scikit_learns_machine_on_scaled_features() -> None:
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng(0)
    targets = rng.integers(2, size=200)
    features = csr_matrix((rng.random((200, 30)) < 0.2 + 0.2 * targets[:, None] * (np.arange(30) < 8)).astype(float))
    ratio = log_count_ratio(features, targets == 1)
    theirs = LinearSVC(C=0.1, random_state=0).fit(features.multiply(ratio).tocsr(), targets)
    ours = NBSVM(0.1, beta=1.0).fit(features, targets)
    np.testing.assert_array_equal(ours.predict(features), theirs.predict(features.multiply(ratio).tocsr()))
    ours.interpolate(0.0)  # all weights alike: naive Bayes with a bias
    np.testing.assert_allclose(ours.weights[0], ratio * np.abs(theirs.coef_).mean())


@pytest.mark.data
@pytest.mark.parametrize("name", ["trec6", "sst2", "sms_spam"])
def test_no_side_is_given_a_test_text(data_folder: Path, name: str) -> None:
    task, test = load(ROWS[name], data_folder)
    assert isinstance(task, Task) and "test" not in task.__dataclass_fields__
    official = (data_folder / ROWS[name].folder / "dev.csv.gz").exists()
    assert (task.everything is task.train) == official
    assert len(task.train) + (0 if official else len(task.validation)) == len(task.everything)
    assert len(test) in (500, 1821, 1130)


@pytest.mark.data
def test_a_side_runs_as_the_program_runs_it(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.accuracy import run

    monkeypatch.setattr(run, "data_folder", lambda: data_folder)

    def majority(task: Task, seed: int) -> Fitted:
        most = int(task.train.counts().argmax())
        return Fitted(lambda texts: np.full(len(texts), most), lambda: 8)

    side = Side("majority", majority, {}, (), ("numpy",))
    found = run.measure(side, ROWS["sms_spam"], seed=1)
    assert found["accuracy"] == pytest.approx(1 - 147 / 1130, abs=0.02) and found["f1"] == 0
    assert found["bytes"] == 8 and found["test texts"] == 1130 and found["settings"]["row"]["positive"] == "spam"
