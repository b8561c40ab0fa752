"""Every error that textrnn raises on purpose.

Each message is one sentence that names the file, the line or field, what was expected and what was found. The
command line prints it after `error: ` and exits with code 2; a Python caller catches `TextRNNError`.
"""

from pathlib import Path


class TextRNNError(Exception):
    """Base of all errors that a user can put right."""


class ConfigError(TextRNNError, ValueError):
    """A setting has a value that cannot be used."""


class DataError(TextRNNError, ValueError):
    """A data file, frame or list cannot be read as labelled texts.

    `path` and `line` (counted from 1, the header included) say where, when that is known.
    """

    def __init__(self, message: str, *, path: str | Path | None = None, line: int | None = None) -> None:
        place = "" if path is None else str(path)
        if line is not None:
            place += f", line {line}" if place else f"line {line}"
        super().__init__(f"{place}: {message}" if place else message)
        self.path = path
        self.line = line


class ModelFileError(TextRNNError, ValueError):
    """A file is not a model file that this version can load."""


class CheckpointError(TextRNNError, ValueError):
    """A checkpoint cannot continue the training that was asked for."""


class OutputError(TextRNNError, OSError):
    """An output could not be written; what stood there before is untouched."""


class MissingDependencyError(TextRNNError, ImportError):
    """An optional library is needed for what was asked; the message says how to install it."""
