"""Real data sets, read by others as well."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pytest

from textrnn.data import bucketed, collect, in_order, overlap, read_examples, split_stratified
from textrnn.text import words

pytestmark = pytest.mark.data

SETS = [
    "20news_stripped",
    "ag_news_15k",
    "clinc150",
    "imdb",
    "mr",
    "sms_spam",
    "sst2",
    "th_wisesight",
    "trec6",
    "tweet_offensive",
]


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("name", SETS)
def test_pandas_polars_and_arrow_read_the_same(name: str, part: str, data_folder: Path) -> None:
    path = data_folder / name / f"{part}.csv.gz"
    found = [(example.text, example.label) for example in read_examples(path)]
    texts, labels = [text for text, _ in found], [label for _, label in found]

    frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8", lineterminator="\n")
    assert texts == frame["text"].to_list()
    assert labels == frame["label"].to_list()

    other = pl.read_csv(path, infer_schema=False, empty_string_is_null=False)
    assert texts == other["text"].to_list()
    assert labels == other["label"].to_list()

    options = pyarrow.csv.ConvertOptions(column_types={"text": pa.string(), "label": pa.string()})
    quoted = pyarrow.csv.ParseOptions(newlines_in_values=True)
    # A block must hold at least one record.
    table = pyarrow.csv.read_csv(
        path,
        convert_options=options,
        parse_options=quoted,
        read_options=pyarrow.csv.ReadOptions(block_size=1 << 24),
    )
    assert texts == table["text"].to_pylist()
    assert labels == table["label"].to_pylist()


@pytest.mark.parametrize("name", ["sst2", "20news_stripped"])
def test_all_formats_hold_the_same_texts(name: str, data_folder: Path, tmp_path: Path) -> None:
    path = data_folder / name / "test.csv.gz"
    expected = collect(read_examples(path)).fingerprint()
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, lineterminator="\n")
    frame.to_parquet(tmp_path / "test.parquet")
    frame.to_json(tmp_path / "test.jsonl.gz", orient="records", lines=True)
    frame.to_csv(tmp_path / "test.tsv.zst", sep="\t", index=False, lineterminator="\r\n")
    for written in tmp_path.iterdir():
        assert collect(read_examples(written)).fingerprint() == expected, written.name


def test_unlabelled_lines(data_folder: Path) -> None:
    path = data_folder / "imdb" / "unlabelled.txt.gz"
    count = 0
    with gzip.open(path, "rb") as file:
        for line, example in zip(file, read_examples(path, need_label=False), strict=True):
            assert example.text == line.decode().rstrip("\r\n")
            count += 1
    assert count == 50_000


def test_published_texts_on_both_sides(data_folder: Path) -> None:
    train, test = (collect(read_examples(data_folder / "imdb" / f"{part}.csv.gz")) for part in ("train", "test"))
    assert len(overlap(train, test)) == 123
    kept, validation = split_stratified(train, 0.1, seed=42)
    assert validation.counts().tolist() == [1250, 1250]
    assert overlap(kept, validation) == []


def test_a_split_of_many_classes(data_folder: Path) -> None:
    data = collect(read_examples(data_folder / "clinc150" / "train.csv.gz"))
    _, validation = split_stratified(data, 0.1, seed=0)
    assert len(data.labels) == 150
    assert validation.counts().tolist() == [10] * 150


@pytest.mark.parametrize(("name", "shuffled", "similar"), [("sst2", 0.525, 0.030), ("imdb", 0.224, 0.011)])
def test_padding_is_saved_as_the_docstring_says(name: str, shuffled: float, similar: float, data_folder: Path) -> None:
    texts = (example.text for example in read_examples(data_folder / name / "train.csv.gz"))
    lengths = np.array([min(256, len(words(text))) for text in texts])
    rng = np.random.default_rng(0)

    def padding(batches: list[np.typing.NDArray[np.int64]]) -> float:
        return 1 - int(lengths.sum()) / sum(len(batch) * int(lengths[batch].max()) for batch in batches)

    assert padding(in_order(rng.permutation(len(lengths)), 32)) == pytest.approx(shuffled, abs=0.005)
    assert padding(bucketed(lengths, 32, rng)) == pytest.approx(similar, abs=0.002)
