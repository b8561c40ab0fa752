"""CSV and TSV: what is read is what was written, and each refusal names file, line, expected and found."""

import csv
import io
import tracemalloc
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textrnn.data import MAX_CHARACTERS, Example, read_examples
from textrnn.errors import DataError


def written(folder: Path, content: str | bytes, name: str = "reviews.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_examples_carry_text_label_and_place(tmp_path: Path) -> None:
    path = written(tmp_path, 'text,label\nnot bad,pos\n"so, so",neg\n')
    assert list(read_examples(path)) == [
        Example("not bad", "pos", str(path), 2),
        Example("so, so", "neg", str(path), 3),
    ]
    assert next(read_examples(path)).place == f"{path}, line 2"


def test_a_record_stands_on_the_line_where_it_starts(tmp_path: Path) -> None:
    path = written(tmp_path, 'text,label\r\n"two\r\nlines",a\r\n\r\nthree,b\r\n"x\ny\nz",c\nlast,d')
    found = [(example.text, example.line) for example in read_examples(path)]
    assert found == [("two\r\nlines", 2), ("three", 5), ("x\ny\nz", 6), ("last", 9)]


def test_nothing_is_stripped_or_converted(tmp_path: Path) -> None:
    path = written(tmp_path, "label,text\n 1 , spaces \n007,NA\n1.0,\n")
    found = [(example.label, example.text) for example in read_examples(path)]
    assert found == [(" 1 ", " spaces "), ("007", "NA"), ("1.0", "")]


def test_without_a_header_columns_are_numbers(tmp_path: Path) -> None:
    path = written(tmp_path, "1,great\n2,poor\n")
    found = list(read_examples(path, header=False, text="2", label="1"))
    assert [(example.text, example.label, example.line) for example in found] == [
        ("great", "1", 1),
        ("poor", "2", 2),
    ]


def test_tsv(tmp_path: Path) -> None:
    path = written(tmp_path, 'text\tlabel\na, b\tx\n"tab\there"\ty\n', "reviews.TSV")
    assert [example.text for example in read_examples(path)] == ["a, b", "tab\there"]


def test_labels_are_left_where_they_are_not_needed(tmp_path: Path) -> None:
    path = written(tmp_path, "text,label\na,\n")
    assert next(read_examples(path, need_label=False)).label is None
    with pytest.raises(DataError, match="the label is empty"):
        next(read_examples(path, need_label=False, label="label"))


HEADER = "text,label\ngood,pos\n"
BAD: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", ": the file is empty"),
    "only a byte order mark": (b"\xef\xbb\xbf", ": the file is empty"),
    "header only": ("text,label\n", ": the file holds no examples"),
    "blank lines only": ("\n\r\n", ": the file holds no examples"),
    "no label column": (
        "text,title,id\n",
        ", line 1: cannot tell which column is the label: found 'text', 'title', 'id'; pass --text and "
        "--label; "
        "if the first line is no header, pass --no-header",
    ),
    "semicolons": (
        "text;label\n",
        ", line 1: cannot tell which column is the text: found 'text;label'; the columns seem to be separated by ';'",
    ),
    "duplicate columns": (
        "text,label,text\n",
        ", line 1: two columns have the name 'text', expected different names",
    ),
    "too few fields": (HEADER + "bad\n", ", line 3: expected 2 fields, as in the first line, found 1"),
    "too many fields": (
        HEADER + "bad,neg,\n",
        ", line 3: expected 2 fields, as in the first line, found 3",
    ),
    "unclosed quote": (
        HEADER + '"bad,neg\nmore,neg\n',
        ", line 3: a quote opened in the record that starts here is never closed",
    ),
    "undoubled quote": (
        HEADER + '"a "b" c",neg\n',
        ", line 3: expected ',' or the end of the line after a closing quote, found something else; a "
        "quote inside "
        'a quoted text must be doubled ("")',
    ),
    "empty label": (HEADER + "bad,\n", ", line 3: the label is empty"),
    "NUL": (
        HEADER + "b\0d,neg\n",
        ", line 3: found a NUL byte, expected text; if this is UTF-16, pass --encoding utf-16",
    ),
    "UTF-16 without a mark": (
        HEADER.encode("utf-16-le"),
        ", line 1: found a NUL byte, expected text; if this is UTF-16, pass --encoding utf-16",
    ),
    "UTF-16": (
        HEADER.encode("utf-16"),
        ", line 1: found the byte order mark of utf-16, expected utf-8: pass --encoding utf-16",
    ),
    "UTF-32": (
        HEADER.encode("utf-32"),
        ", line 1: found the byte order mark of utf-32, expected utf-8: pass --encoding utf-32",
    ),
    "Latin-1": (
        (HEADER + "café,pos\n").encode("latin-1"),
        ", line 3: byte 0xe9 is not utf-8 (invalid continuation byte): pass --encoding, for example cp1252",
    ),
    "cut inside a character": (
        (HEADER + "café").encode()[:-1],
        ", line 3: byte 0xc3 is not utf-8 (unexpected end of data): pass --encoding, for example cp1252",
    ),
    "old Mac": (
        HEADER.replace("\n", "\r"),
        ", line 1: found a carriage return without a line feed (old Mac line endings?): end the lines "
        "with \\n or "
        "\\r\\n, or put the text in quotes",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_refusals(name: str, tmp_path: Path) -> None:
    content, sentence = BAD[name]
    path = written(tmp_path, content)
    with pytest.raises(DataError) as caught:
        list(read_examples(path))
    assert str(caught.value) == f"{path}{sentence}"


def test_a_missing_column_names_the_nearest_one(tmp_path: Path) -> None:
    path = written(tmp_path, "Review,Stars,id\n")
    with pytest.raises(DataError) as caught:
        list(read_examples(path, text="reviews"))
    assert str(caught.value) == (
        f"{path}, line 1: there is no column 'reviews', found 'Review', 'Stars', 'id'; did you mean 'Review'?"
    )


def test_an_unknown_error_of_the_csv_module_is_still_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reader(*_: object, **__: object) -> object:
        class Broken:
            line_num = 0

            def __next__(self) -> list[str]:
                raise csv.Error("something new")

        return Broken()

    monkeypatch.setattr(csv, "reader", reader)
    with pytest.raises(DataError, match="line 1: cannot be read as CSV: something new"):
        list(read_examples(written(tmp_path, HEADER)))


def test_fields_up_to_the_limit_and_no_longer(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    longest = "x" * MAX_CHARACTERS
    path = written(tmp_path, f"text,label\n{longest},pos\n")
    assert [len(example.text) for example in read_examples(path)] == [MAX_CHARACTERS]
    # Quoted, with a line feed every thousand characters: no line is too long, the field is.
    lines = "\n".join(["x" * 999] * (MAX_CHARACTERS // 1000 + 1))
    path = written(tmp_path, f'text,label\n"{lines}",pos\n')
    with pytest.raises(DataError, match=r"line 2: a field is longer than 16,777,216 characters"):
        list(read_examples(path))
    path = written(tmp_path, f"text,label\n{longest}{longest},pos\n")
    with pytest.raises(DataError, match=r"line 2: the line is longer than 16,777,216 characters"):
        list(read_examples(path))
    path = written(tmp_path, "text,label\r" + "good,pos\r" * (2 * MAX_CHARACTERS // 9))
    with pytest.raises(DataError, match=r"line 1: a carriage return without a line feed"):
        list(read_examples(path))
    assert csv.field_size_limit() == before


def test_the_limit_of_the_csv_module_is_not_seen_outside(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    for _ in read_examples(written(tmp_path, HEADER)):
        assert csv.field_size_limit() == before


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        path = written(tmp_path, "text,label\n" + "".join(f"{'some text ' * 6}{i},{i % 7}\n" for i in range(rows)))
        tracemalloc.start()
        last = -1
        for example in read_examples(path):  # the order is kept
            number = int(example.text.rpartition(" ")[2])
            assert number == last + 1
            last = number
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert last == rows - 1
        return highest

    small = peak(10_000)
    large = peak(100_000)
    assert large < 1.1 * small + 100_000, (small, large)


ADVERSARIAL = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    | st.sampled_from(list("\",\t\n\r ;'\\\ufeff\u2028\x85\x0b\x0c"))
)


@given(st.lists(st.tuples(ADVERSARIAL, ADVERSARIAL.filter(str.strip)), min_size=1), st.booleans(), st.booleans())
def test_what_the_csv_module_writes_comes_back(rows: list[tuple[str, str]], windows: bool, tabs: bool) -> None:
    file = io.StringIO()
    # With "\n" as line end the csv module leaves "\r" unquoted, which nobody can read back.
    delimiter = "\t" if tabs else ","
    if windows:
        writer = csv.writer(file, delimiter=delimiter)
    else:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["text", "label"])
    writer.writerows(rows)
    content = io.BytesIO(file.getvalue().encode())
    found = list(read_examples(content, format="tsv" if tabs else "csv"))
    assert [(example.text, example.label) for example in found] == rows
    # The line of each record, by counting line feeds in what stands before it.
    line = 2
    for example, row in zip(found, rows, strict=True):
        assert example.line == line
        line += 1 + sum(part.count("\n") for part in row)


@given(st.lists(st.tuples(ADVERSARIAL, ADVERSARIAL.filter(str.strip)), min_size=1))
def test_what_pandas_writes_comes_back(rows: list[tuple[str, str]]) -> None:
    frame = pd.DataFrame(rows, columns=["text", "label"])
    # The index is a third column, without a name.
    content = io.BytesIO(frame.to_csv(index=True, lineterminator="\r\n").encode())
    assert [(example.text, example.label) for example in read_examples(content, format="csv")] == rows
