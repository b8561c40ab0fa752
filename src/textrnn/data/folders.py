"""A folder with one folder a class and one text a file, as the Large Movie Review Dataset comes."""

import logging
from collections.abc import Iterator
from pathlib import Path

from textrnn.data.example import Example
from textrnn.data.lines import MAX_CHARACTERS, decoder_for, text_lines
from textrnn.data.streams import CHUNK_BYTES, opened
from textrnn.errors import DataError

LEFT_OUT = "unsup"
"""The folder of texts without a label in that data set."""

_logger = logging.getLogger("textrnn")


def read_folder(folder: str | Path, encoding: str) -> Iterator[Example]:
    """The texts of all `CLASS/*.txt`, classes and files in the order of their names; `path` is the file.

    A text is the whole file, line ends included; an empty file is an empty text. The folder `unsup`, files
    that lie beside the class folders and files other than `.txt` are left out, with a warning by the logger
    "textrnn"; what is hidden (`.name`) is left out silently.

    Raises:
        DataError: there is no class folder, a class folder holds folders or no text, or a file is not text.
    """
    decoder_for(encoding, str(folder))
    classes, beside = _entries(Path(folder))
    if LEFT_OUT in (path.name for path in classes):
        classes = [path for path in classes if path.name != LEFT_OUT]
        _logger.warning("%s: the folder %s is left out: its texts have no label", folder, LEFT_OUT)
    if beside:
        _logger.warning("%s: files left out, beside the class folders: %d", folder, len(beside))
    if not classes:
        raise DataError("the folder holds no class folders, expected one folder a class with .txt files", path=folder)
    for class_folder in classes:
        inner, files = _entries(class_folder)
        if inner:
            names = " and ".join(path.name for path in classes[:3])
            likely = next((path for path in classes if path.name == "train"), class_folder)
            raise DataError(
                f"the folder holds {names}, which hold folders themselves, expected one folder a class "
                f"with .txt files: pass the inner folder, for example {likely}",
                path=folder,
            )
        texts = [path for path in files if path.suffix.lower() == ".txt"]
        if not texts:
            raise DataError("the class folder holds no .txt files", path=class_folder)
        if len(texts) < len(files):
            _logger.warning("%s: files left out, other than .txt: %d", class_folder, len(files) - len(texts))
        for path in texts:
            yield Example(_content(path, encoding), class_folder.name, str(path))


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """Folders and files, each by name, without the hidden ones."""
    try:
        entries = sorted((path for path in folder.iterdir() if not path.name.startswith(".")), key=lambda p: p.name)
    except OSError as error:
        raise DataError(f"the folder cannot be read: {error.strerror}", path=folder) from error
    return [path for path in entries if path.is_dir()], [path for path in entries if not path.is_dir()]


def _content(path: Path, encoding: str) -> str:
    with opened(path) as file:
        first = file.read(CHUNK_BYTES)
        if not first:
            return ""
        chunks = iter(lambda: file.read(CHUNK_BYTES), b"")
        parts: list[str] = []
        characters = 0
        for line in text_lines(_prepended(first, chunks), str(path), encoding):
            parts.append(line)
            characters += len(line)
            if characters > MAX_CHARACTERS:
                raise DataError(f"the text is longer than {MAX_CHARACTERS:,} characters", path=path)
        return "".join(parts)


def _prepended(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
