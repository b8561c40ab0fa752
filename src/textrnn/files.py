"""Outputs that appear whole or not at all, and optional libraries that are missed with a sentence."""

import glob
import importlib
import io
import os
from collections.abc import Iterable, Iterator
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
    target = check_writable(path)
    temporary = target.with_name(f".{_stem(target)}.{os.urandom(6).hex()}.partial")
    try:
        try:
            file = _OutputFile(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666), Path(path))
        except OSError as error:
            raise _cannot_write(path, error) from error
        with io.BufferedWriter(file) as buffered:
            yield buffered
            buffered.flush()
            _synchronise(file.fileno(), path)
        _rename(temporary, target, path)  # after closing, since Windows renames no open file
    finally:
        with suppress(OSError):
            temporary.unlink()


def check_writable(path: str | Path) -> Path:
    """Refuse now what would fail after an hour of work; the file to write, with links followed.

    Raises:
        OutputError: `path` is a folder, a device or write-protected, or its folder is missing or write-protected.
    """
    try:
        target = Path(path)
        if target.is_symlink():  # replace what the link points to, as opening it for writing would
            target = target.resolve()
        reason = _refusal(target)
    except (OSError, ValueError, RuntimeError) as error:  # too long a name, a NUL in it, a loop of links
        raise _cannot_write(path, error) from error
    if reason:
        raise OutputError(f"{path}: cannot write this file: {reason}")
    return target


def _refusal(target: Path) -> str | None:
    if target.is_dir():
        return "it is a folder"
    if not target.parent.is_dir():
        return f"the folder {target.parent} does not exist"
    if not os.access(target.parent, os.W_OK | os.X_OK):
        return f"the folder {target.parent} is write-protected"
    if target.exists():
        if not target.is_file():  # renaming a file over /dev/null would take the device away from everybody
            return "it is not a regular file"
        if not os.access(target, os.W_OK):
            return "it is write-protected"
    return None


def check_separate(outputs: Iterable[str | Path], inputs: Iterable[str | Path] = ()) -> None:
    """Refuse outputs that would replace what is read, or each other.

    Raises:
        OutputError: two of the paths are the same file.
    """
    taken = {os.path.realpath(path): "it is also read" for path in inputs}  # unlike Path.resolve bears loops of links
    for path in outputs:
        place = os.path.realpath(check_writable(path))
        if place in taken:
            raise OutputError(f"{path}: cannot write this file: {taken[place]}")
        taken[place] = "it is named for another output, too"


def _synchronise(descriptor: int, path: str | Path) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _rename(temporary: Path, target: Path, path: str | Path) -> None:
    try:
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
    except OSError as error:
        raise _cannot_write(path, error) from error
    with suppress(OSError):  # some systems cannot synchronise a folder; the rename stands all the same
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _cannot_write(path: str | Path, error: Exception) -> OutputError:
    reason = (isinstance(error, OSError) and error.strerror) or error
    return OutputError(f"{path}: cannot write this file: {reason}")


def _stem(target: Path) -> str:
    """What the names of all partial files of `target` begin with; file systems allow names of 255 bytes."""
    name = os.fsencode(target.name)
    if len(name) <= 200:
        return target.name
    import hashlib  # loads a library, and few names are so long

    return hashlib.sha256(name).hexdigest()


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """An optional library, or a sentence that says how to get it.

    Raises:
        MissingDependencyError: `module` is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        name = module.partition(".")[0]
        if (error.name or "").partition(".")[0] != name:
            raise  # it is installed and misses something itself
        raise MissingDependencyError(
            f"{purpose} needs the library {name}, which is not installed: pip install 'textrnn[{extra}]'"
        ) from error


def remove_partial(path: str | Path) -> None:
    """Remove what killed processes left of writing `path`; only for files with a single writer."""
    target = check_writable(path)
    for partial in target.parent.glob(f".{glob.escape(_stem(target))}.{'[0-9a-f]' * 12}.partial"):
        with suppress(OSError):
            partial.unlink()


def generation_path(first: Path, generation: int) -> Path:
    """The file beside `first` for a generation of networks, counted from 0, that learns from the one before."""
    return first.with_name(f"{first.name}.generation{generation + 1}") if generation else first


def checkpoint_paths(first: Path, members: int) -> list[Path]:
    """The files that keep the states of the networks while they are trained."""
    return [first, *(first.with_name(f"{first.name}.{member}") for member in range(2, members + 1))]
