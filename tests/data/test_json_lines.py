"""JSON lines: integers stay integers, and each refusal names file, line, expected and found."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textrnn.data import MAX_CHARACTERS, read_examples
from textrnn.errors import DataError
from textrnn.labels import AnyLabel


def read(content: str | bytes, **options: str | bool | None) -> list[tuple[str, AnyLabel | None, int | None]]:
    raw = io.BytesIO(content.encode() if isinstance(content, str) else content)
    examples = read_examples(raw, format="jsonl", **options)  # type: ignore[arg-type]
    return [(example.text, example.label, example.line) for example in examples]


def test_labels_keep_their_kind_and_blank_lines_are_skipped() -> None:
    content = '\ufeff{"text": "a", "label": 1}\n\n{"label": 0, "text": "", "more": null}\r\n'
    assert read(content) == [("a", 1, 1), ("", 0, 3)]
    assert read('{"text": "a", "label": "1"}') == [("a", "1", 1)]


@pytest.mark.parametrize("suffix", ["jsonl", "ndjson", "json-lines", "jsonlines"])
def test_suffixes(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"reviews.{suffix}"
    path.write_text('{"review": "a", "stars": 5}\n')
    assert [(example.text, example.label, example.place) for example in read_examples(path)] == [
        ("a", 5, f"{path}, line 1")
    ]


FIRST = '{"text": "good", "label": 1}\n'
BAD = {
    "array": ('[{"text": "a"}]', "line 1: found a JSON array, expected JSON lines (one object a line)"),
    "array over lines": ("[\n{}\n]", "line 1: found a JSON array, expected JSON lines (one object a line)"),
    "number": ("12\n", "line 1: found the JSON value 12, expected JSON lines (one object a line)"),
    "broken": (
        FIRST + '{"text": "a" "label": 1}\n',
        "line 2: invalid JSON at column 14: Expecting ',' delimiter; expected one object a line",
    ),
    "old Mac": (
        FIRST.replace("\n", "\r") * 2,
        "line 1: found a carriage return without a line feed (old Mac line endings?): end the lines with \\n or \\r\\n",
    ),
    "same key twice": (
        '{"text": "a", "text": "b", "label": 1}',
        "line 1: invalid JSON: an object has the key 'text' twice",
    ),
    "nested": ('{"text": ' + "[" * 100_000, "line 1: invalid JSON: "),
    "huge number": ('{"text": ' + "9" * 10_000 + "}", "line 1: invalid JSON: Exceeds the limit"),
    "missing key": (
        FIRST + '{"text": "a", "stars": 1}\n',
        "line 2: expected the key 'label', as in the first object, found 'text', 'stars'",
    ),
    "null text": (FIRST + '{"text": null, "label": 1}', "line 2: the text is missing"),
    "number as text": (
        FIRST + '{"text": 3, "label": 1}',
        "line 2: the text is of type int, expected a string",
    ),
    "half a surrogate pair": (
        FIRST + '{"text": "a\\ud800", "label": 1}',
        "line 2: the text holds U+D800, half of a surrogate pair, at character 2",
    ),
    "half a surrogate pair in a label": (
        FIRST + '{"text": "a", "label": "\\ud800"}',
        "line 2: the label holds U+D800, half of a surrogate pair",
    ),
    "null label": (FIRST + '{"text": "a", "label": null}', "line 2: the label is missing"),
    "boolean label": (
        FIRST + '{"text": "a", "label": true}',
        "line 2: the label True is of type bool, expected a string or an integer",
    ),
    "fraction": (
        FIRST + '{"text": "a", "label": 0.5}',
        "line 2: the label 0.5 is of type float, expected a string or an integer",
    ),
    "no text": (
        '{"a": 1, "b": 2, "label": 3}',
        "line 1: cannot tell which column is the text: found 'a', 'b', 'label'; pass --text and --label",
    ),
    "too long": (
        FIRST + '{"text": "' + "a" * MAX_CHARACTERS + '"}\n',
        "line 2: the line is longer than 16,777,216 characters",
    ),
    "blank": (" \n\n", "the file holds no examples"),
}


@pytest.mark.parametrize("name", BAD)
def test_refusals(name: str) -> None:
    content, sentence = BAD[name]
    with pytest.raises(DataError) as caught:
        read(content)
    message = str(caught.value)
    assert message.startswith(("open file, " if sentence.startswith("line") else "open file: ") + sentence)


VALUES = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    st.lists(st.tuples(VALUES, st.integers() | VALUES.filter(str.strip)), min_size=1),
    st.booleans(),
    st.sampled_from(["utf-8", "utf-16", "utf-32-be"]),
)
def test_what_the_json_module_writes_comes_back(
    rows: list[tuple[str, str | int]], ascii_only: bool, encoding: str
) -> None:
    lines = [json.dumps({"text": text, "label": label}, ensure_ascii=ascii_only) for text, label in rows]
    found = read("\n".join(lines).encode(encoding), encoding=encoding)
    assert [(text, label) for text, label, _ in found] == rows
    assert [type(label) for _, label, _ in found] == [type(label) for _, label in rows]
