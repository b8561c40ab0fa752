"""Data files that cannot be read as asked: one sentence, exit code 2, and nothing that was there is lost."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from builders import header, random_weights
from commands import assert_refused, nothing_changes, run_apart, run_here
from textrnn.modelfile import write_model

GOOD = "text,label\ngood film,pos\nbad film,neg\nnice plot,pos\npoor plot,neg\n"


class Bad(NamedTuple):
    """A data file with a mistake, and what must be said about it."""

    name: str
    content: bytes
    parts: tuple[str, ...]
    options: tuple[str, ...] = ()
    commands: tuple[str, ...] = ("train", "validate", "evaluate")


def parquet() -> bytes:
    import pyarrow
    import pyarrow.parquet

    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a", "b"], "label": ["pos", "neg"]}), sink)
    return bytes(sink.getvalue().to_pybytes())


ALL = ("train", "validate", "evaluate", "predict")
BAD = {
    "empty": Bad("d.csv", b"", ("d.csv", "empty"), commands=ALL),
    "header only": Bad("d.csv", b"text,label\n", ("d.csv", "no examples"), commands=ALL),
    "blank lines": Bad("d.csv", b"\n\n\n", ("d.csv", "no examples"), commands=ALL),
    "missing text column": Bad(
        "d.csv", GOOD.encode(), ("d.csv", "'review'", "'text'"), ("--text", "review"), commands=ALL
    ),
    "missing label column": Bad("d.csv", GOOD.encode(), ("d.csv", "'stars'", "'label'"), ("--label", "stars")),
    "uncertain columns": Bad("d.csv", b"a,b,c\n1,2,3\n", ("d.csv, line 1", "'a', 'b', 'c'"), commands=ALL),
    "same column twice": Bad("d.csv", b"text,label,text\n1,2,3\n", ("d.csv, line 1", "'text'"), commands=ALL),
    "one column for both": Bad("d.csv", GOOD.encode(), ("'text'",), ("--text", "text", "--label", "text")),
    "semicolons": Bad("d.csv", b"text;label\na;b\n", ("d.csv, line 1", "';'"), commands=("train", "evaluate")),
    "NUL bytes": Bad("d.csv", GOOD.encode() + b"a\0b,pos\n", ("d.csv, line 6", "NUL"), commands=ALL),
    "wrong encoding": Bad("d.csv", GOOD.encode() + b"caf\xe9,pos\n", ("d.csv, line 6", "0xe9", "utf-8"), commands=ALL),
    "utf-16": Bad("d.csv", GOOD.encode("utf-16"), ("d.csv, line 1", "--encoding utf-16"), commands=ALL),
    "unknown encoding": Bad("d.csv", GOOD.encode(), ("'utf-9'",), ("--encoding", "utf-9"), commands=ALL),
    "a long row": Bad("d.csv", GOOD.encode() + b"a,b,pos\n", ("d.csv, line 6", "2 fields", "found 3"), commands=ALL),
    "a short row": Bad("d.csv", GOOD.encode() + b"a\n", ("d.csv, line 6", "2 fields", "found 1"), commands=ALL),
    "an open quote": Bad("d.csv", GOOD.encode() + b'"a,pos\nb,neg\n', ("d.csv, line 6", "quote"), commands=ALL),
    "a stray quote": Bad("d.csv", GOOD.encode() + b'"a"b,pos\n', ("d.csv, line 6", "quote"), commands=ALL),
    "an empty label": Bad("d.csv", GOOD.encode() + b"a,\n", ("d.csv, line 6", "label is empty")),
    "one class only": Bad("d.csv", b"text,label\na,pos\nb,pos\n", ("d.csv", "'pos'", "two"), commands=("train",)),
    "unseen label": Bad(
        "d.csv",
        GOOD.encode() + b"a,neutral\n",
        ("d.csv, line 6", "'neutral'", "'neg', 'pos'"),
        commands=("validate", "evaluate"),
    ),
    "not JSON": Bad("d.jsonl", b'{"text": "a", "label": "pos"}\n{"text":\n', ("d.jsonl, line 2", "JSON"), commands=ALL),
    "a JSON array": Bad("d.jsonl", b'[{"text": "a", "label": "pos"}]', ("d.jsonl, line 1", "array"), commands=ALL),
    "deep JSON": Bad("d.jsonl", b"[" * 200_000, ("d.jsonl, line 1",), commands=ALL),
    "a missing key": Bad(
        "d.jsonl", b'{"text": "a", "label": "pos"}\n{"label": "neg"}', ("d.jsonl, line 2", "'text'"), commands=ALL
    ),
    "a text that is a number": Bad("d.jsonl", b'{"text": 1, "label": "pos"}', ("d.jsonl, line 1", "int"), commands=ALL),
    "half a surrogate pair": Bad(
        "d.jsonl", b'{"text": "\\ud800", "label": "pos"}', ("d.jsonl, line 1", "U+D800"), commands=ALL
    ),
    "a label that is a fraction": Bad("d.jsonl", b'{"text": "a", "label": 0.5}', ("d.jsonl, line 1", "float")),
    "a label that is null": Bad("d.jsonl", b'{"text": "a", "label": null}', ("d.jsonl, line 1", "missing")),
    "strings and integers as labels": Bad(
        "d.jsonl",
        b'{"text": "a", "label": "pos"}\n{"text": "b", "label": 1}',
        ("d.jsonl, line 2", "'pos'", "1"),
        commands=("train",),
    ),
    "gzip cut short": Bad("d.csv.gz", gzip.compress(GOOD.encode())[:-9], ("d.csv.gz", "cut short"), commands=ALL),
    "damaged gzip": Bad("d.csv.gz", gzip.compress(b"x" * 99)[:10] + b"\xff" * 20, ("d.csv.gz", "gzip"), commands=ALL),
    "gzip by name only": Bad("d.csv.gz", GOOD.encode(), ("d.csv.gz", "gzip"), commands=ALL),
    "zstd cut short": Bad("d.csv.zst", b"\x28\xb5\x2f\xfd\x04", ("d.csv.zst", "zstd"), commands=ALL),
    "not Parquet": Bad("d.parquet", GOOD.encode(), ("d.parquet", "Parquet"), commands=ALL),
    "Parquet cut short": Bad("d.parquet", parquet()[:-20], ("d.parquet", "Parquet"), commands=ALL),
    "Parquet without the column": Bad(
        "d.parquet", parquet(), ("d.parquet", "'review'"), ("--text", "review"), commands=ALL
    ),
    "unknown suffix": Bad("d.dat", GOOD.encode(), ("d.dat", "--format"), commands=ALL),
    "plain text": Bad("d.txt", b"good\nbad\n", ("d.txt", "no labels")),
    "wrong format": Bad("d.csv", GOOD.encode(), ("d.csv, line 1", "JSON"), ("--format", "jsonl"), commands=ALL),
    "a control character in a name": Bad(
        "d.csv", b"te\x1b[31mxt,b,c\n1,2,3\n", ("d.csv, line 1", "\\x1b"), commands=("train", "predict")
    ),
}
CASES = [
    (kind, command)
    for kind, bad in BAD.items()
    for command in bad.commands
    if not (command == "validate" and bad.options)  # the options would already refuse the training data
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a model and results that must survive."""
    write_model(tmp_path / "m.textrnn", header(), random_weights(header()))
    (tmp_path / "good.csv").write_text(GOOD)
    for name in ("old.textrnn", "old.textrnn.checkpoint", "old.json", "old.html", "old.png", "old.csv"):
        (tmp_path / name).write_bytes(b"precious")
    return tmp_path


def arguments(command: str, data: object) -> list[object]:
    outputs = ["--json", "old.json", "--html", "old.html", "--png", "old.png"]
    return {
        "train": ["train", data, "--out", "old.textrnn"],
        "validate": ["train", "good.csv", "--validation", data, "--out", "old.textrnn"],
        "evaluate": ["evaluate", "m.textrnn", data, *outputs],
        "predict": ["predict", "m.textrnn", data, "--out", "old.csv"],
    }[command]


@pytest.mark.parametrize(("kind", "command"), CASES)
def test_bad_file(folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str, command: str) -> None:
    bad = BAD[kind]
    monkeypatch.chdir(folder)
    Path(bad.name).write_bytes(bad.content)
    with nothing_changes(folder):
        result = run_here(*arguments(command, bad.name), *bad.options)
    assert_refused(result, *bad.parts)


def missing(folder: Path) -> str:
    return "nowhere.csv"


def a_folder_without_classes(folder: Path) -> str:
    (folder / "texts").mkdir()
    (folder / "texts" / "1.txt").write_text("good")
    return "texts"


def a_class_folder_without_texts(folder: Path) -> str:
    (folder / "texts" / "pos").mkdir(parents=True)
    return "texts"


def a_folder_of_folders(folder: Path) -> str:
    (folder / "texts" / "train" / "pos").mkdir(parents=True)
    return "texts"


def a_bad_file_in_a_folder(folder: Path) -> str:
    for name, content in (("neg/1.txt", b"bad"), ("pos/1.txt", b"caf\xe9")):
        (folder / "texts" / name).parent.mkdir(parents=True)
        (folder / "texts" / name).write_bytes(content)
    return "texts"


def a_loop_of_links(folder: Path) -> str:
    (folder / "loop.csv").symlink_to("loop.csv")
    return "loop.csv"


def a_name_that_is_too_long(folder: Path) -> str:
    return "x" * 300 + ".csv"


def a_name_with_a_line_break(folder: Path) -> str:
    return "two\nlines.csv"


PLACES = {
    missing: "nowhere.csv",
    a_folder_without_classes: "class folder",
    a_class_folder_without_texts: "no .txt files",
    a_folder_of_folders: "pass the inner folder",
    a_bad_file_in_a_folder: "texts/pos/1.txt, line 1",
    a_loop_of_links: "loop.csv",
    a_name_that_is_too_long: "xxx.csv",
    a_name_with_a_line_break: "two\\nlines.csv",
}


@pytest.mark.parametrize("command", ALL)
@pytest.mark.parametrize(("place", "part"), PLACES.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_bad_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch, place: Callable[[Path], str], part: str, command: str
) -> None:
    monkeypatch.chdir(folder)
    name = place(folder)
    with nothing_changes(folder):
        result = run_here(*arguments(command, name))
    assert_refused(result, part)


@pytest.mark.parametrize("content", [b"", b"text,label\n", b"a\0b\n"])
@pytest.mark.parametrize("command", ["train", "evaluate", "predict"])
def test_bad_standard_input(folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, content: bytes) -> None:
    monkeypatch.chdir(folder)
    with nothing_changes(folder):
        result = run_here(*arguments(command, "-"), "--format", "csv", stdin=content)
    assert_refused(result, "standard input")


@pytest.mark.parametrize(
    ("kind", "command"),
    [("NUL bytes", "train"), ("unseen label", "evaluate"), ("a long row", "predict"), ("gzip cut short", "predict")],
)
def test_in_a_process_of_its_own(folder: Path, kind: str, command: str) -> None:
    (folder / BAD[kind].name).write_bytes(BAD[kind].content)
    with nothing_changes(folder):
        result = run_apart(*arguments(command, BAD[kind].name), cwd=folder)
    assert_refused(result, *BAD[kind].parts)


def test_what_was_good_before_the_mistake_is_printed(folder: Path) -> None:
    """On standard output answers come as they are made; a file would be all or nothing."""
    (folder / "d.csv").write_bytes(GOOD.encode() + b"a,b,c\n")
    result = run_here("predict", folder / "m.textrnn", folder / "d.csv")
    assert result.code == 2 and "line 6" in result.err
