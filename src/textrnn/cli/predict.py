"""`textrnn predict`: a label for every text of a file or a pipe, in constant memory."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import IO

import click

import textrnn
from textrnn.cli.options import FileName, compress_option, reading_options
from textrnn.cli.pipe import StandardInput, as_they_come
from textrnn.cli.writers import WRITERS
from textrnn.data import Example, read_examples
from textrnn.errors import ConfigError
from textrnn.files import check_separate, replacing
from textrnn.runtime import Compression
from textrnn.runtime.classifier import CHUNK_TEXTS


@click.command(
    epilog="""\b
Examples:
  textrnn predict reviews.textrnn < lines.txt
  echo "not bad at all" | textrnn predict reviews.textrnn
  textrnn predict reviews.textrnn new.csv --text review --with-text --out labels.csv
  textrnn predict reviews.textrnn new.jsonl.gz --to jsonl --out labels.jsonl
  textrnn predict reviews.textrnn new.csv --abstain-below 0.7 --abstention human
"""
)
@click.argument("model", metavar="MODEL", type=FileName())
@click.argument("data", metavar="[DATA]", default="-", type=FileName(dash=True))
@click.option(
    "--out",
    "-o",
    metavar="FILE",
    type=FileName(dash=True),
    default="-",
    help="File to write.  [default: standard output]",
)
@click.option("--to", type=click.Choice(list(WRITERS)), help="Format to write.  [default: by --out's name, else csv]")
@click.option("--text", metavar="COLUMN", help="Column of the texts, if not obvious.")
@click.option("--with-text", is_flag=True, help="Repeat each text beside its label.")
@click.option(
    "--abstain-below",
    metavar="P",
    type=float,
    default=0.0,
    help="Give no label to a text whose most probable label has a lower probability than P; 'textrnn evaluate' tells "
    "which P leaves how many errors.",
)
@click.option(
    "--abstention",
    metavar="WORD",
    help="What stands in place of the label then.  [default: nothing in CSV, null in JSON Lines]",
)
@compress_option
@reading_options
def predict(
    model: str,
    data: str,
    out: str,
    to: str | None,
    text: str | None,
    with_text: bool,
    abstain_below: float,
    abstention: str | None,
    compress: Compression | None,
    format: str | None,
    encoding: str,
    no_header: bool,
) -> None:
    """Label every text in DATA with MODEL.

    One row for each text, in the same order, with the label and all probabilities; with several labels, their
    separator between them in CSV and a list in JSON Lines; or with the number, where one is predicted.

    DATA is a CSV, TSV, JSON Lines, Parquet or text file (one text a line; also .gz or .zst), a folder, or - for
    standard input (one text a line unless --format says otherwise). Texts that arrive slowly through a pipe are
    labelled as they come.
    """
    if out != "-":
        check_separate([out], [path for path in (model, data) if path != "-"])
    classifier = textrnn.load(model, compress=compress)
    if not 0 <= abstain_below <= 1:  # nan, too
        raise ConfigError(f"--abstain-below: expected a probability from 0 to 1, got {abstain_below}")
    if abstain_below:
        classifier.require_one_label("--abstain-below")
    if abstention is not None and abstention in map(str, classifier.labels):
        raise ConfigError(f"--abstention: expected a word that is no label of the model, got {abstention!r}")
    source = StandardInput() if data == "-" and sys.stdin else data
    examples = read_examples(
        source, text=text, format=format, encoding=encoding, header=not no_header, need_label=False
    )
    chunks = as_they_come(examples, CHUNK_TEXTS) if data == "-" else _chunks(examples, CHUNK_TEXTS)
    kind = to or ("jsonl" if out.endswith((".jsonl", ".ndjson")) else "csv")
    first = next(chunks)  # what cannot be read at all leaves no header behind
    with _opened(out) as file:
        writer = WRITERS[kind](
            file, classifier.labels, task=classifier.task, with_text=with_text, abstention=abstention
        )
        for chunk in chain([first], chunks):
            texts = [example.text for example in chunk]
            writer.write(texts, classifier.predict(texts, abstain_below=abstain_below))
            file.flush()


def _chunks(examples: Iterator[Example], size: int) -> Iterator[list[Example]]:
    while chunk := list(islice(examples, size)):
        yield chunk


@contextmanager
def _opened(out: str) -> Iterator[IO[bytes]]:
    if out == "-":
        yield sys.stdout.buffer
    else:
        with replacing(out) as file:
            yield file
