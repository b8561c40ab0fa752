"""Parquet: rows by number, types checked, damage told."""

import gzip
import io
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textrnn.data import read_examples
from textrnn.errors import DataError, MissingDependencyError


def written(folder: Path, name: str = "reviews.parquet", **columns: Any) -> Path:
    path = folder / name
    pq.write_table(pa.table(columns), path)
    return path


def test_rows_are_counted_from_one_across_batches(tmp_path: Path) -> None:
    path = written(tmp_path, text=[f"text {row}" for row in range(3000)], label=[row % 3 for row in range(3000)])
    found = list(read_examples(path))
    assert [example.text for example in found] == [f"text {row}" for row in range(3000)]
    assert [example.label for example in found] == [row % 3 for row in range(3000)]
    assert [example.line for example in found] == list(range(1, 3001))
    assert found[6].place == f"{path}, line 7"


@pytest.mark.parametrize("kind", ["string", "large_string", "dictionary", "string_view"])
def test_kinds_of_strings(kind: str, tmp_path: Path) -> None:
    types = {
        "string": pa.string(),
        "large_string": pa.large_string(),
        "dictionary": pa.dictionary(pa.int32(), pa.string()),
        "string_view": pa.string_view(),
    }
    values = [pa.array(column, types[kind]) for column in (["a", "", "a"], ["a", "a", "a"])]
    found = list(read_examples(written(tmp_path, text=values[0], label=values[1])))
    assert [(example.text, example.label) for example in found] == [("a", "a"), ("", "a"), ("a", "a")]


def test_labels_are_not_read_where_they_are_not_needed(tmp_path: Path) -> None:
    path = written(tmp_path, body=["a"], id=[1.5])
    assert [example.label for example in read_examples(path, need_label=False)] == [None]


def test_an_open_file_and_a_compressed_one(tmp_path: Path) -> None:
    path = written(tmp_path, text=["a", "b"], label=["x", "y"])
    content = path.read_bytes()
    found = list(read_examples(io.BytesIO(content), format="parquet"))
    assert [(example.text, example.path) for example in found] == [("a", "open file"), ("b", "open file")]
    (tmp_path / "reviews.parquet.gz").write_bytes(gzip.compress(content))
    assert len(list(read_examples(tmp_path / "reviews.parquet.gz"))) == 2


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "null text": ({"text": ["a", None], "label": [1, 2]}, ", line 2: the text is missing"),
    "null label": ({"text": ["a", "b"], "label": [1, None]}, ", line 2: the label is missing"),
    "numbers as texts": (
        {"text": [1, 2], "label": [1, 2]},
        ": the column 'text' holds int64, expected strings as texts",
    ),
    "fractions as labels": (
        {"text": ["a"], "label": [0.5]},
        ", line 1: the label 0.5 is of type float, expected a string or an integer",
    ),
    "no label": (
        {"text": ["a"], "a": [1], "b": [2]},
        ": cannot tell which column is the label: found 'text', 'a', 'b'; pass --text and --label",
    ),
    "no rows": ({"text": pa.array([], pa.string()), "label": [0][:0]}, ": the file holds no examples"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name: str, tmp_path: Path) -> None:
    columns, sentence = REFUSED[name]
    path = written(tmp_path, **columns)
    with pytest.raises(DataError) as caught:
        list(read_examples(path))
    assert str(caught.value) == f"{path}{sentence}"


def test_duplicate_columns(tmp_path: Path) -> None:
    path = tmp_path / "twice.parquet"
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    pq.write_table(table, path)
    with pytest.raises(DataError, match="two columns have the name 'text', expected different names"):
        list(read_examples(path))


def test_damage_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, text=[f"text {row}" * 20 for row in range(5000)], label=["x"] * 5000)
    content = path.read_bytes()
    for damaged in (content[:-30], content[: len(content) // 2], b"", b"text,label\n"):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"reviews\.parquet: damaged, or not a Parquet file \(after 0 rows\): "):
            list(read_examples(path))
    middle = bytearray(content)
    middle[100:3000] = bytes(2900)
    path.write_bytes(middle)
    with pytest.raises(DataError, match=r"damaged, or not a Parquet file \(after \d+ rows\): "):
        list(read_examples(path))


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    wrong = pa.array([b"ok", b"\xff\xfe"]).cast(pa.binary()).view(pa.string())
    path = written(tmp_path, text=wrong, label=["x", "y"])
    with pytest.raises(DataError, match="damaged, or not a Parquet file"):
        list(read_examples(path))


def test_every_single_byte_changed_is_read_or_refused(tmp_path: Path) -> None:
    path = written(tmp_path, text=["good", "bad"] * 3, label=["pos", "neg"] * 3)
    content = path.read_bytes()
    for position in range(0, len(content), 7):
        changed = bytearray(content)
        changed[position] ^= 0x55
        path.write_bytes(changed)
        try:
            list(read_examples(path))
        except DataError as error:
            assert str(path) in str(error)


def test_without_pyarrow_a_sentence_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, text=["a"], label=["b"])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError) as caught:
        list(read_examples(path))
    assert str(caught.value) == (
        f"{path}: reading Parquet needs the library pyarrow, which is not installed: pip install 'textrnn[formats]'"
    )
