"""What a Python caller may hand over, and what is said about the rest."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from textrnn.data import Example, as_examples
from textrnn.errors import DataError

TEXTS = ["good", "", "bad"]
STRINGS = ["pos", "pos", "neg"]
INTEGERS = [1, 1, 0]


class Hub:
    """Iterates over dicts, as a Hugging Face data set does."""

    def __iter__(self) -> Any:
        return iter([{"text": text, "label": label} for text, label in zip(TEXTS, INTEGERS, strict=True)])


ACCEPTED: dict[str, tuple[Any, Any]] = {
    "lists": (TEXTS, INTEGERS),
    "tuples": (tuple(TEXTS), tuple(INTEGERS)),
    "generators": ((text for text in TEXTS), (label for label in INTEGERS)),
    "arrays": (np.array(TEXTS), np.array(INTEGERS)),
    "array of objects, small integers": (np.array(TEXTS, dtype=object), np.array(INTEGERS, dtype=np.uint8)),
    "pandas series": (pd.Series(TEXTS, index=[9, 9, 1]), pd.Series(INTEGERS)),
    "polars series": (pl.Series(TEXTS), pl.Series(INTEGERS)),
    "pairs": (list(zip(TEXTS, INTEGERS, strict=True)), None),
    "pairs as lists": ([[text, label] for text, label in zip(TEXTS, INTEGERS, strict=True)], None),
    "dicts": ([{"review": text, "stars": label} for text, label in zip(TEXTS, INTEGERS, strict=True)], None),
    "dicts and labels": ([{"review": text} for text in TEXTS], INTEGERS),
    "iterable of dicts": (Hub(), None),
    "dict of columns": ({"text": TEXTS, "label": np.array(INTEGERS)}, None),
    "pandas frame": (pd.DataFrame({"text": TEXTS, "label": INTEGERS, "read": 0}, index=[7, 8, 8]), None),
    "pandas categories": (
        pd.DataFrame({"text": TEXTS, "label": pd.Categorical(INTEGERS)}),
        None,
    ),
    "polars frame": (pl.DataFrame({"text": TEXTS, "label": INTEGERS}), None),
    "frame and labels": (pd.DataFrame({"text": TEXTS, "more": 0}), pd.Series(INTEGERS)),
    "examples": ([Example(text, label) for text, label in zip(TEXTS, INTEGERS, strict=True)], None),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name: str) -> None:
    data, labels = ACCEPTED[name]
    found = list(as_examples(data, labels))
    assert [(example.text, example.label) for example in found] == list(zip(TEXTS, INTEGERS, strict=True))
    assert {type(example.label) for example in found} == {int}
    assert {type(example.text) for example in found} == {str}
    assert [example.place for example in found] == ["row 0", "row 1", "row 2"]


@pytest.mark.parametrize("library", [pd, pl])
def test_columns_can_be_named(library: Any) -> None:
    frame = library.DataFrame({"a": TEXTS, "b": STRINGS, "text": STRINGS})
    found = list(as_examples(frame, text="a", label="b"))
    assert [(example.text, example.label) for example in found] == list(zip(TEXTS, STRINGS, strict=True))


def test_without_labels() -> None:
    for data in (TEXTS, {"text": TEXTS, "more": TEXTS}, [{"text": text} for text in TEXTS]):
        assert [example.label for example in as_examples(data, need_label=False)] == [None, None, None]


def test_paths_and_files(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text("text,label\ngood,1\n")
    expected = [Example("good", "1", str(path), 2)]
    assert list(as_examples(path)) == expected
    assert list(as_examples(str(path), text="text", label="label")) == expected
    with path.open("rb") as file:
        assert list(as_examples(file)) == expected
    assert [example.text for example in as_examples(io.BytesIO(b"a,b"), format="csv", header=False, text="2")] == ["b"]


REFUSED: dict[str, tuple[Any, Any, dict[str, Any], str]] = {
    "lengths": (["a", "b"], [1], {}, "found 2 texts and 1 labels, expected one label a text"),
    "no labels": (["a", "b"], None, {}, "the labels are missing: pass labels=, one a text"),
    "a text": (
        "what a film!",
        None,
        {},
        "there is no file 'what a film!'; texts in memory are given in a list",
    ),
    "a long text": (
        "long " * 1000,
        None,
        {},
        f"there is no file '{('long ' * 16)[:79]}…'; texts in memory are given in a list",
    ),
    "labels beside a file": (
        Path("a.csv"),
        [1],
        {},
        "a.csv: labels are given beside a file, expected them in the file",
    ),
    "None as a text": (["a", None], [1, 2], {}, "row 1: the text is missing"),
    "NaN as a text": (pd.Series(["a", None], dtype=object), [1, 2], {}, "row 1: the text is missing"),
    "NA as a text": (pd.Series(["a", pd.NA], dtype=object), [1, 2], {}, "row 1: the text is missing"),
    "missing in polars": (
        pl.DataFrame({"text": ["a", None], "label": [1, 2]}),
        None,
        {},
        "row 1: the text is",
    ),
    "a number as a text": ([1, 2], [1, 2], {}, "row 0: the text is of type int, expected a string"),
    "half a surrogate pair": (["\ud800"], [1], {}, "row 0: the text holds U+D800, half of a surrogate pair"),
    "None as a label": (["a", "b"], [1, None], {}, "row 1: the label is missing"),
    "integers with a hole": (
        pd.DataFrame({"text": ["a", "b"], "label": [1, None]}),
        None,
        {},
        "row 0: the label 1.0 is of type float, expected a string or an integer",
    ),
    "a triple": ([("a", 1), ("b", 2, 3)], None, {}, "row 1: found 3 values, expected a pair (text, label)"),
    "a single": ([("a", 1), "b"], None, {}, "row 1: found str, expected a pair (text, label)"),
    "another dict": (
        [{"text": "a", "label": 1}, {"text": "b", "stars": 1}],
        None,
        {},
        "row 1: expected the key 'label', as in row 0, found 'text', 'stars'",
    ),
    "no dict": ([{"text": "a", "label": 1}, 5], None, {}, "row 1: found int, expected a dict, as in row 0"),
    "columns": (
        pd.DataFrame({"a": ["x"], "b": [1]}),
        None,
        {},
        "cannot tell which column is the text: found 'a', 'b'; pass text= and label=",
    ),
    "columns without names": (
        pd.DataFrame([["x", 1]]),
        None,
        {},
        "cannot tell which column is the text: found '0', '1'; pass text= and label=",
    ),
    "a missing column": (
        pl.DataFrame({"text": ["a"], "label": [1]}),
        None,
        {"label": "labels"},
        "there is no column 'labels', found 'text', 'label'; did you mean 'label'?",
    ),
    "a scalar column": (
        {"text": "abc", "label": [1, 2, 3]},
        None,
        {},
        "the column 'text' is of type str, expected a list of values",
    ),
    "labels twice": (
        pd.DataFrame({"text": ["a"], "label": [1]}),
        [1],
        {"label": "label"},
        "labels are given and the column 'label' is named, expected one of them",
    ),
    "columns of a list": (
        ["a"],
        [1],
        {"text": "text"},
        "a list of str has no columns: leave out text= and label=",
    ),
    "labels as a string": (["a"], "b", {}, "found labels of type str, expected a list, one label a text"),
    "labels as a number": (["a"], 1, {}, "found labels of type int, expected a list, one label a text"),
    "nothing": ([], [], {}, "the data hold no examples, expected at least one"),
    "an empty frame": (
        pd.DataFrame({"text": [], "label": []}),
        None,
        {},
        "the data hold no examples, expected at least one",
    ),
    "a number": (5, None, {}, "found data of type int, expected a path, a frame or a list of texts"),
    "bytes": (b"abc", None, {}, "found data of type bytes, expected a path, a frame or a list of texts"),
    "a set": ({"a"}, [1], {}, "found data of type set, expected a path, a frame or a list of texts"),
    "no dimensions": (np.array("abc"), [1], {}, "found the single value 'abc', expected a list of texts"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    data, labels, options, sentence = REFUSED[name]
    with pytest.raises(DataError) as caught:
        list(as_examples(data, labels, **options))
    assert str(caught.value).startswith(sentence)
