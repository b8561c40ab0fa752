"""What `textrnn inspect` does without a text: the explorer, as a page of this machine or as one file."""

import math
from pathlib import Path

import click

import textrnn
from textrnn.explorer import serve, write_html
from textrnn.explorer.page import FIRST_TEXT
from textrnn.files import check_separate
from textrnn.modelfile import expected_tensors
from textrnn.runtime import Classifier

LARGE_PAGE = 100_000_000
"""Bytes of weights from which on a browser takes long to open a page with them."""


def explore(model: str, *, compare: str | None, port: int, open_browser: bool, text: str | None = None) -> None:
    """Serve the explorer until Ctrl-C. `text`: what stands in its box at first.

    Raises:
        ConfigError: the port is not free.
        ModelFileError: a file is missing, damaged or not a model file.
    """
    classifiers = [textrnn.load(path) for path in _models(model, compare)]

    def started(address: str) -> None:
        click.echo(f"{address}  (Ctrl-C ends)")

    serve(
        classifiers,
        port,
        names=_names(model, compare),
        text=FIRST_TEXT if text is None else text,
        open_browser=open_browser,
        started=started,
    )
    click.echo("the explorer is closed", err=True)


def write_page(model: str, out: str, *, compare: str | None, text: str | None = None) -> None:
    """Write the explorer as one file. `text`: what stands in its box at first.

    Raises:
        ModelFileError: a file is missing, damaged or not a model file.
        OutputError: the page cannot be written.
    """
    check_separate([out], _models(model, compare))
    classifiers = [textrnn.load(path) for path in _models(model, compare)]
    if (weights := sum(map(_bytes, classifiers))) > LARGE_PAGE:
        click.echo(f"note: a page with {weights / 1e6:,.0f} MB of weights opens slowly", err=True)
    write_html(
        classifiers[0],
        out,
        second=classifiers[1] if compare else None,
        names=_names(model, compare),
        text=FIRST_TEXT if text is None else text,
    )
    click.echo(f"{out}: {Path(out).stat().st_size:,} bytes")


def _models(model: str, compare: str | None) -> list[str]:
    return [model] if compare is None else [model, compare]


def _names(model: str, compare: str | None) -> list[str]:
    names = [Path(path).name for path in _models(model, compare)]
    return names if len(set(names)) == len(names) else _models(model, compare)


def _bytes(classifier: Classifier) -> int:
    return 4 * sum(math.prod(shape) for shape in expected_tensors(classifier.header).values())
