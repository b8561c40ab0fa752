"""Examples gathered in memory, their classes and their fingerprint."""

import hashlib
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textrnn.data import Example, as_examples, collect, read_examples
from textrnn.errors import DataError
from textrnn.labels import Label


def test_targets_are_positions_in_the_ordered_labels() -> None:
    found = collect(as_examples(["a", "b", "c", "d"], ["10", "9", "10", "-1"]))
    assert found.labels == ["-1", "9", "10"]
    assert found.targets.dtype == np.int64
    assert found.targets.tolist() == [2, 1, 2, 0]
    assert found.counts().tolist() == [1, 1, 2]
    assert found.texts == ["a", "b", "c", "d"]
    assert len(found) == 4
    assert found.place(2) == "row 2"


def test_given_labels_keep_their_order_and_may_be_absent() -> None:
    found = collect([Example("x", "a"), Example("y", "c")], labels=["c", "b", "a"])
    assert found.labels == ["c", "b", "a"]
    assert found.targets.tolist() == [2, 0]
    assert found.counts().tolist() == [1, 0, 1]
    assert found.example(0) == Example("x", "a")


@given(
    st.lists(st.tuples(st.text(), st.integers()), min_size=2).filter(
        lambda rows: 1 < len({row[1] for row in rows}) < max(11, len(rows))
    )
)
def test_every_example_comes_back(rows: list[tuple[str, int]]) -> None:
    examples = [Example(text, label, "some.csv", line) for line, (text, label) in enumerate(rows, start=2)]
    found = collect(examples)
    assert [found.example(index) for index in range(len(found))] == examples
    order = np.arange(len(found))[::-1].copy()
    assert [found.subset(order).example(index) for index in range(len(found))] == examples[::-1]


REFUSED: dict[str, tuple[list[Example], list[Label] | None, str]] = {
    "nothing": ([], None, "there are no examples, expected at least one"),
    "one class": (
        [Example("a", "x", "a.csv", 2), Example("b", "x", "a.csv", 3)],
        None,
        "a.csv: all 2 texts have the label 'x', expected at least two labels",
    ),
    "texts as labels": (
        [Example("pos", f"film {line}, {'and on ' * 20}", "a.csv", line) for line in range(2, 13)],
        None,
        "a.csv: each of the 11 texts has a label of its own, such as "
        "'film 10, and on and on and on and on and on and on and on a…: "
        "expected labels that texts share; does another column hold them?",
    ),
    "no label": ([Example("a", None, "a.csv", 2)], None, "a.csv, line 2: the label is missing"),
    "mixed": (
        [Example("a", "x", None, 0), Example("b", 1, None, 1)],
        None,
        "row 1: labels mix strings ('x') and integers (1), expected one kind",
    ),
    "unknown": (
        [Example("a", "z", "pos/1.txt")],
        ["x", "y"],
        "pos/1.txt: unknown label 'z', expected one of 'x', 'y'",
    ),
    "unknown among many": (
        [Example("a", 99)],
        list(range(20)),
        "unknown place: unknown label 99, expected one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … (20 in all)",
    ),
}


@pytest.mark.parametrize(("written", "known"), [(["1", "0"], [0, 1]), ([1, 0], ["0", "1"])])
def test_a_label_is_found_by_how_it_is_written(written: list[Label], known: list[Label]) -> None:
    dataset = collect([Example("a", written[0]), Example("b", written[1])], known)
    assert dataset.targets.tolist() == [1, 0] and dataset.labels == known


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    examples, labels, sentence = REFUSED[name]
    with pytest.raises(DataError) as caught:
        collect(examples, labels)
    assert str(caught.value) == sentence


def test_fingerprint_as_documented() -> None:
    expected = hashlib.sha256()
    for label, text in ((b"pos", "größe"), (b"neg", "")):
        raw = text.encode()
        expected.update(b"s" + struct.pack("<Q", len(label)) + label + struct.pack("<Q", len(raw)) + raw)
    found = collect(as_examples(["größe", ""], ["pos", "neg"]))
    assert found.fingerprint() == f"sha256:{expected.hexdigest()}"


def test_fingerprint_does_not_depend_on_the_format(tmp_path: Path) -> None:
    rows = [('say "hi"\nthere', "b"), ("two", "a"), ("", "b")]
    (tmp_path / "a.csv").write_text('label,text\nb,"say ""hi""\nthere"\na,two\nb,\n')
    (tmp_path / "a.jsonl").write_text(
        '{"text": "say \\"hi\\"\\nthere", "label": "b"}\n{"text": "two", "label": "a"}\n{"text": "", "label": "b"}\n'
    )
    pq.write_table(
        pa.table({"text": [text for text, _ in rows], "label": [label for _, label in rows]}),
        tmp_path / "a.parquet",
    )
    prints = {collect(read_examples(tmp_path / f"a.{suffix}")).fingerprint() for suffix in ("csv", "jsonl", "parquet")}
    assert prints == {collect(as_examples(rows)).fingerprint()}
    assert {collect(rows_with_labels(rows), ["b", "a"]).fingerprint()} == prints


def rows_with_labels(rows: list[tuple[str, str]]) -> list[Example]:
    return [Example(text, label) for text, label in rows]


def test_fingerprints_tell_apart() -> None:
    sets: list[list[tuple[str, Label]]] = [
        [("ab", "c"), ("x", "y")],
        [("a", "bc"), ("x", "y")],
        [("x", "y"), ("ab", "c")],
        [("ab", "c"), ("x", "y"), ("x", "y")],
        [("ab", "1"), ("x", "2")],
        [("ab", 1), ("x", 2)],
        [("abcx", "y"), ("", "c")],
    ]
    assert len({collect(as_examples(rows)).fingerprint() for rows in sets}) == len(sets)
