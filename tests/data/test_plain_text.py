"""One text a line, where no label is needed."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textrnn.data import MAX_CHARACTERS, read_examples
from textrnn.errors import DataError


def read(content: str) -> list[str]:
    return [example.text for example in read_examples(io.BytesIO(content.encode()), format="txt", need_label=False)]


def test_each_line_is_a_text_and_blank_ones_are_empty_texts() -> None:
    assert read("one\n\n three \r\nlast") == ["one", "", " three ", "last"]
    assert read("\n") == [""]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\n\r\ufeff")), min_size=1))
def test_no_character_but_the_line_feed_ends_a_line(texts: list[str]) -> None:
    assert read("".join(text + "\n" for text in texts)) == texts


def test_labels_cannot_be_had(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("one\n")
    sentence = "plain text has no columns and no labels, expected csv, tsv, jsonl, parquet or a folder"
    for options in ({}, {"need_label": False, "label": "x"}, {"need_label": False, "text": "x"}):
        with pytest.raises(DataError) as caught:
            list(read_examples(path, **options))  # type: ignore[arg-type]
        assert str(caught.value) == f"{path}: {sentence}"
    assert [example.place for example in read_examples(path, need_label=False)] == [f"{path}, line 1"]


def test_refusals() -> None:
    with pytest.raises(DataError, match="open file: the file is empty"):
        read("")
    with pytest.raises(DataError, match=r"open file, line 1: found a carriage return without a line feed"):
        read("one\rtwo\rthree\r")
    with pytest.raises(DataError, match=r"open file, line 2: the line is longer than 16,777,216 characters"):
        read("one\n" + "x" * (MAX_CHARACTERS + 1) + "\n")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"PK\x03\x04", "an Excel workbook or another zip file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Word file"),
        (b"%PDF-1.4\n", "a PDF file"),
    ],
)
def test_what_is_often_renamed_is_called_by_its_name(start: bytes, kind: str) -> None:
    with pytest.raises(DataError, match=f"open file: found {kind}, expected text: save the data as CSV"):
        list(read_examples(io.BytesIO(start + b"\xe2\xe3\0"), format="csv"))
