"""Labels of every task from files and lists: what is read, refused, split off and hashed."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import textrnn
from textrnn.data import LabelledTexts, as_examples, collect, split_stratified
from textrnn.errors import ConfigError, DataError
from textrnn.tasks import MultiLabel, Ordinal, Regression, Task, TaskConfig, task_of


def read(data: Any, task: Task, labels: Any = None, **options: Any) -> LabelledTexts:
    return collect(as_examples(data, labels, read_label=task.read_label, **options), task=task)


SETS = [["b", "a"], [], ["c"], ["a"]]


def test_several_labels_from_everywhere(tmp_path: Path) -> None:
    texts = ["one", "two", "three", "four"]
    (tmp_path / "d.csv").write_text("text,labels\none, b | a\ntwo,\nthree,c\nfour,a\n")
    (tmp_path / "s.csv").write_text("text,labels\none,b;a\ntwo,\nthree,c\nfour,a\n")
    rows = [
        f'{{"text": "{text}", "labels": {str(labels).replace(chr(39), chr(34))}}}'
        for text, labels in zip(texts, SETS, strict=True)
    ]
    (tmp_path / "d.jsonl").write_text("\n".join(rows) + "\n")
    frame = pd.DataFrame({"text": texts, "labels": SETS})
    frame.to_parquet(tmp_path / "d.parquet")
    found = [
        read(tmp_path / "d.csv", MultiLabel()),
        read(tmp_path / "s.csv", MultiLabel(separator=";")),
        read(tmp_path / "d.jsonl", MultiLabel()),
        read(tmp_path / "d.parquet", MultiLabel()),
        read(frame, MultiLabel()),
        read(texts, MultiLabel(), SETS),
        read(list(zip(texts, map(tuple, SETS), strict=True)), MultiLabel()),
    ]
    for dataset in found:
        assert dataset.labels == ["a", "b", "c"]
        assert dataset.targets.tolist() == [
            [True, True, False],
            [False] * 3,
            [False, False, True],
            [True, False, False],
        ]
        assert dataset.label(0) == ("a", "b") and dataset.label(1) == ()
        assert dataset.counts().tolist() == [2, 1, 1]
    assert len({dataset.fingerprint() for dataset in found}) == 1


def test_the_fingerprint_is_that_of_the_specification() -> None:
    def string(text: str) -> bytes:
        return len(text.encode()).to_bytes(8, "little") + text.encode()

    count = (2).to_bytes(8, "little"), (0).to_bytes(8, "little")
    expected = b"m" + count[0] + b"s" + string("ä") + b"s" + string("b") + string("one") + b"m" + count[1] + string("")
    sets = read(["one", ""], MultiLabel(), [["b", "ä"], []])
    assert sets.fingerprint() == read(["one", ""], MultiLabel(), [["ä", "b"], []]).fingerprint()
    ordered = b"m" + count[0] + b"s" + string("b") + b"s" + string("ä") + string("one") + b"m" + count[1] + string("")
    assert sets.fingerprint() == f"sha256:{hashlib.sha256(ordered).hexdigest()}" != hashlib.sha256(expected).hexdigest()
    numbers = b"f" + string("0.1") + string("one") + b"f" + string("-3.0") + string("two")
    assert read(["one", "two"], Regression(), ["0.10", -3]).fingerprint() == (
        f"sha256:{hashlib.sha256(numbers).hexdigest()}"
    )


def test_levels_are_put_in_order() -> None:
    assert read(["a", "b", "c"], Ordinal(), ["10", "9", "-1.5"]).labels == ["-1.5", "9", "10"]
    assert read(["a", "b", "c"], Ordinal(), [3, 1, 2]).targets.tolist() == [2, 0, 1]
    words = read(["a", "b", "c"], Ordinal(order=["bad", "ok", "good", "best"]), ["good", "bad", "good"])
    assert words.labels == ["bad", "ok", "good", "best"] and words.targets.tolist() == [2, 0, 2]


@pytest.mark.parametrize(
    ("task", "rows", "sentence"),
    [
        (MultiLabel(), "one,a|a", "d.csv, line 2: the label 'a' stands there twice"),
        (MultiLabel(), "one,a||b", "d.csv, line 2: the label is empty"),
        (MultiLabel(), "one,\ntwo,", "none of the 2 texts has a label"),
        (Ordinal(), "one,1\ntwo,good", "d.csv, line 3: the label 'good' is no number: .*label_order"),
        (Ordinal(), "one,1\ntwo,nan", "d.csv, line 3: the label 'nan' is no number"),
        (Ordinal(), "one,1\ntwo,1.0", "the level '1' is written in two ways"),
        (Ordinal(), "one,1\ntwo,1", "all 2 texts have the label '1'"),
        (Ordinal(order=["bad", "ok"]), "one,bad\ntwo,good", "line 3: the label 'good' is not in label_order: bad, ok"),
        (Regression(), "one,1\ntwo,1.5\nthree,much", "d.csv, line 4: the label 'much' is no number"),
        (Regression(), "one,1\ntwo,inf", "d.csv, line 3: the label 'inf' is no number"),
        (Regression(), "one,1\ntwo,", "d.csv, line 3: the label '' is no number"),
        (Regression(), "one,2\ntwo,2.0", "all 2 texts have the number 2, expected at least two"),
    ],
)
def test_what_cannot_be_learned_is_refused_with_its_line(tmp_path: Path, task: Task, rows: str, sentence: str) -> None:
    (tmp_path / "d.csv").write_text(f"text,label\n{rows}\n")
    with pytest.raises(DataError, match=sentence):
        read(tmp_path / "d.csv", task)


def test_labels_in_memory_are_refused_with_their_row() -> None:
    for task, label, sentence in (
        (MultiLabel(), None, "row 1: the labels are missing"),
        (MultiLabel(), ["a", 1.5], "row 1: the label 1.5 is of type float"),
        (MultiLabel(), ["a|b"], "row 1: the label 'a|b' holds the separator"),
        (MultiLabel(), [1], "row 1: labels mix strings"),
        (Regression(), None, "row 1: the label is missing"),
        (Regression(), True, "row 1: the label True is no number"),
        (Regression(), 1e200, "row 1: the label 1e.200 is no number"),
    ):
        with pytest.raises(DataError, match=sentence.replace("|", r"\|")):
            read(["x", "y"], task, [["a"] if isinstance(task, MultiLabel) else 1, label])


def test_settings_that_have_no_meaning_are_refused() -> None:
    for settings, sentence in (
        ({"task": "regression", "class_weight": "balanced"}, "class_weight: expected 'none'"),
        ({"task": "ordinal", "focal": 2.0}, "focal: expected 0"),
        ({"metric": "mae"}, "metric: expected one of loss, accuracy, macro_f1"),
        ({"label_order": "a,b"}, "label_order: expected nothing unless task is 'ordinal'"),
        ({"task": "ordinal", "label_order": "a,b,a"}, "at least two different labels"),
        ({"task": "several"}, "task: expected one of single_label, multi_label, ordinal, regression"),
        ({"task": "multi_label", "label_separator": ""}, "label_separator: "),
        ({"task": "multi_label", "baseline": True}, "baseline: "),
    ):
        with pytest.raises(ConfigError, match=sentence):
            textrnn.train(["a", "b"], ["x", "y"], **settings)
    assert task_of(TaskConfig(task="ordinal", label_order="bad, ok")) == Ordinal(order=["bad", "ok"])


def test_splits_give_every_label_and_every_size_its_share() -> None:
    rng = np.random.default_rng(0)
    texts = [f"text {k}" for k in range(400)]
    has = rng.random((400, 3)) < np.array([0.6, 0.3, 0.05])
    sets = read(texts, MultiLabel(), [[name for name, yes in zip("abc", row, strict=True) if yes] for row in has])
    training, held_out = split_stratified(sets, 0.25, seed=1)
    assert len(held_out) == 100 and len(training) == 300
    assert held_out.counts()[2] == pytest.approx(0.25 * has[:, 2].sum(), abs=1)
    assert held_out.counts()[1] == pytest.approx(0.25 * has[:, 1].sum(), abs=3)
    empty = ~held_out.targets.any(axis=1)
    assert empty.sum() == pytest.approx(0.25 * (~has.any(axis=1)).sum(), abs=1)
    numbers = read(texts, Regression(), np.exp(rng.normal(0, 2, 400)).tolist())
    training, held_out = split_stratified(numbers, 0.25, seed=1)
    limit = np.quantile(numbers.targets, 0.9)
    assert (held_out.targets > limit).sum() == 10 and (training.targets > limit).sum() == 30


def test_a_models_labels_are_found_by_how_they_are_written() -> None:
    data = [("x", "1|2"), ("y", "")]
    examples = as_examples(data, read_label=MultiLabel().read_label)
    assert collect(examples, labels=[1, 2, 3], task=MultiLabel()).targets.tolist() == [[True, True, False], [False] * 3]
    examples = as_examples([("x", "4")], read_label=MultiLabel().read_label)
    with pytest.raises(DataError, match="row 0: unknown label '4', expected one of 1, 2, 3"):
        collect(examples, labels=[1, 2, 3], task=MultiLabel())
