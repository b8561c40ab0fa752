"""Outputs that appear whole or not at all, and optional libraries that are missed with a sentence."""

import glob
import importlib
import io
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from textrnn.errors import MissingDependencyError, OutputError


class _OutputFile(io.FileIO):
    """A file whose failing writes name the path that the user asked for."""

    def __init__(self, descriptor: int, target: Path) -> None:
        super().__init__(descriptor, "wb")
        self.target = target

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise _cannot_write(self.target, error) from error


@contextmanager
def replacing(path: str | Path) -> Iterator[IO[bytes]]:
    """A binary file that takes the place of `path` when the block ends well, and vanishes when it does not.

    The temporary file lies in the same folder, because a rename is atomic only within one file system, and is
    flushed to the disk before the rename, because otherwise a power cut can leave an empty file under the new name.

    Raises:
        OutputError: the folder is missing or not writable, the target is a folder, or the disk is full.
    """
    target = Path(path)
    if target.is_symlink():  # replace what the link points to, as opening it for writing would
        target = target.resolve()
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.partial")
    try:
        check_writable(path)
        try:
            file = _OutputFile(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666), Path(path))
        except OSError as error:
            raise _cannot_write(path, error) from error
        with io.BufferedWriter(file) as buffered:
            yield buffered
            buffered.flush()
            _finish(file.fileno(), temporary, target, path)
    finally:
        with suppress(OSError):
            temporary.unlink()


def check_writable(path: str | Path) -> None:
    """Refuse now what would fail after an hour of work.

    Raises:
        OutputError: `path` is a folder or write-protected, or its folder is missing or write-protected.
    """
    target = Path(path)
    if target.is_symlink():
        target = target.resolve()
    if target.is_dir():
        raise OutputError(f"{path}: cannot write this file: it is a folder")
    if not target.parent.is_dir():
        raise OutputError(f"{path}: cannot write this file: the folder {target.parent} does not exist")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: cannot write this file: the folder {target.parent} is write-protected")
    if target.exists() and not os.access(target, os.W_OK):
        raise OutputError(f"{path}: cannot write this file: it is write-protected")


def _finish(descriptor: int, temporary: Path, target: Path, path: str | Path) -> None:
    try:
        os.fsync(descriptor)
        if target.exists():
            os.fchmod(descriptor, target.stat().st_mode & 0o777)
        temporary.replace(target)
    except OSError as error:
        raise _cannot_write(path, error) from error
    with suppress(OSError):  # some file systems cannot synchronise a folder; the rename stands all the same
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _cannot_write(path: str | Path, error: OSError) -> OutputError:
    return OutputError(f"{path}: cannot write this file: {error.strerror or error}")


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """An optional library, or a sentence that says how to get it.

    Raises:
        MissingDependencyError: `module` is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = module.partition(".")[0]
        raise MissingDependencyError(
            f"{purpose} needs the library {name}, which is not installed: pip install 'textrnn[{extra}]'"
        ) from error


def remove_partial(path: Path) -> None:
    """Remove what killed processes left of writing `path`; only for files with a single writer."""
    for partial in path.parent.glob(f".{glob.escape(path.name[:100])}.*.partial"):
        with suppress(OSError):
            partial.unlink()
