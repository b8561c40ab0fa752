"""`textrnn doctor`: what is wrong with a model or its data?"""

import sys

import click

import textrnn
from textrnn.cli.options import FileName, as_source, column_options, json_option, reading_options
from textrnn.files import check_separate, replacing, require


@click.command(
    epilog="""\b
Examples:
  textrnn doctor reviews.textrnn test.csv
  textrnn doctor reviews.textrnn test.csv --train train.csv
  textrnn doctor reviews.textrnn test.csv --json - | jq '.findings[] | select(.severity == "problem")'
"""
)
@click.argument("model", metavar="MODEL", type=FileName())
@click.argument("data", metavar="DATA", type=FileName(dash=True))
@click.option(
    "--train",
    metavar="FILE",
    type=FileName(dash=True),
    help="What MODEL was trained on: look for texts that are in both.",
)
@json_option("all findings with their figures")
@column_options
@reading_options
def doctor(
    model: str,
    data: str,
    train: str | None,
    json_path: str | None,
    text: str | None,
    label: str | None,
    format: str | None,
    encoding: str,
    no_header: bool,
) -> None:
    """Look for what is wrong with MODEL, or with DATA, and say what to change.

    DATA is a file or folder with texts and labels as 'textrnn train' takes it, or - for standard input.

    Words that the model does not know, texts that are cut, words that give the label away, texts under two labels or in
    both sets, labels with few texts, answers that are too sure, units that never move, gates that never change, and how
    fast the memory fades. The worst comes first; the exit code is 0 whatever is found.
    """
    require("torch", extra="train", purpose="looking into a model")
    require("sklearn", extra="evaluate", purpose="looking into a model")
    if data == train == "-":
        raise click.UsageError("DATA and --train cannot both be standard input")
    if json_path and json_path != "-":
        check_separate([json_path], [path for path in (model, data, train) if path and path != "-"])
    from textrnn.data import LabelledTexts, read_labelled
    from textrnn.doctor import examine, to_json, to_text

    classifier = textrnn.load(model)

    def read(path: str) -> LabelledTexts:
        return read_labelled(
            as_source(path),
            task=classifier.task,
            known=classifier.labels,
            text=text,
            label=label,
            format=format,
            encoding=encoding,
            header=not no_header,
        )

    dataset = read(data)
    findings = examine(classifier, dataset, read(train) if train else None)
    if json_path == "-":
        sys.stdout.buffer.write(to_json(findings))
        return
    if json_path:
        with replacing(json_path) as file:
            file.write(to_json(findings))
    click.echo(to_text(findings))
