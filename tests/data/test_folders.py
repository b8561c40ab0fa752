"""A folder a class, a file a text."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from sklearn.datasets import load_files

from textrnn.data import MAX_CHARACTERS, read_examples
from textrnn.errors import DataError


def written(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def test_classes_and_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    files = {"pos/2.txt": "b\n", "pos/10.txt": "\ufeffa", "neg/1.txt": "", "neg/.hidden": "x", ".git/x": "x"}
    found = list(read_examples(written(tmp_path, files)))
    assert [(example.text, example.label, example.place) for example in found] == [
        ("", "neg", str(tmp_path / "neg/1.txt")),
        ("a", "pos", str(tmp_path / "pos/10.txt")),
        ("b\n", "pos", str(tmp_path / "pos/2.txt")),
    ]


def test_scikit_learn_reads_the_same(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        f"{label}/{number}_7.txt": f"{label} text\r\n {number} é" for label in ("c", "a", "b") for number in range(30)
    }
    bunch = load_files(written(tmp_path, files), encoding="utf-8", shuffle=False)
    found = list(read_examples(tmp_path))
    assert [example.text for example in found] == list(bunch.data)
    assert [example.label for example in found] == [bunch.target_names[target] for target in bunch.target]
    assert [example.path for example in found] == list(bunch.filenames)


def test_what_is_left_out_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    written(
        tmp_path,
        {"pos/1.txt": "a", "pos/1.feat": "", "unsup/1.txt": "c", "urls_pos.txt": "u", "neg/1.txt": "b"},
    )
    with caplog.at_level(logging.WARNING, logger="textrnn"):
        assert [example.text for example in read_examples(tmp_path)] == ["b", "a"]
    assert caplog.messages == [
        f"{tmp_path}: the folder unsup is left out: its texts have no label",
        f"{tmp_path}: files left out, beside the class folders: 1",
        f"{tmp_path / 'pos'}: files left out, other than .txt: 1",
    ]


def test_the_outer_folder_is_refused(tmp_path: Path) -> None:
    written(tmp_path, {"train/pos/1.txt": "a", "test/pos/1.txt": "b"})
    with pytest.raises(DataError) as caught:
        list(read_examples(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path}: the folder holds test and train, which hold folders themselves, expected one folder "
        "a class "
        f"with .txt files: pass the inner folder, for example {tmp_path / 'train'}"
    )


REFUSED: dict[str, tuple[dict[str, str | bytes], dict[str, str], str]] = {
    "nothing": ({}, {}, ": the folder holds no class folders, expected one folder a class with .txt files"),
    "only files": (
        {"1.txt": "a"},
        {},
        ": the folder holds no class folders, expected one folder a class with .txt files",
    ),
    "an empty class": (
        {"neg/1.txt": "a", "pos/1.text": "a"},
        {},
        "/pos: the class folder holds no .txt files",
    ),
    "columns": (
        {"neg/1.txt": "a"},
        {"text": "text"},
        ": a folder has no columns: leave out --text and --label",
    ),
    "format": ({"neg/1.txt": "a"}, {"format": "csv"}, ": is a folder, expected a file of the format csv"),
    "encoding": (
        {"neg/1.txt": ""},
        {"encoding": "nonsense"},
        ": unknown encoding 'nonsense', expected for example utf-8 or cp1252",
    ),
    "wrong byte": (
        {"neg/1.txt": b"one\n\xff\n"},
        {},
        "/neg/1.txt, line 2: byte 0xff is not utf-8 (invalid start byte): pass --encoding, for example cp1252",
    ),
    "too long": (
        {"neg/1.txt": ("x" * 99 + "\n") * (MAX_CHARACTERS // 100 + 1)},
        {},
        "/neg/1.txt: the text is longer than 16,777,216 characters",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name: str, tmp_path: Path) -> None:
    files, options, sentence = REFUSED[name]
    written(tmp_path, files)
    with pytest.raises(DataError) as caught:
        list(read_examples(tmp_path, **options))  # type: ignore[arg-type]
    assert str(caught.value) == f"{tmp_path}{sentence}"


def test_an_unreadable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DataError, match=re.escape(f"{tmp_path}: the folder cannot be read: Permission denied")):
        list(read_examples(tmp_path))
