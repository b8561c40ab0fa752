"""`textrnn compare`: which of two models is better?"""

import sys

import click

import textrnn
from textrnn.cli.options import FileName, as_source, column_options, json_option, reading_options
from textrnn.data import as_examples, collect
from textrnn.evaluation import comparison_json, comparison_text
from textrnn.files import check_separate, replacing, require
from textrnn.runtime.comparing import check_same_labels, compare_on


@click.command(
    epilog="""\b
Examples:
  textrnn compare old.textrnn new.textrnn test.csv
  textrnn compare gru.textrnn lstm.textrnn test.csv --json - | jq .p_value
"""
)
@click.argument("first", metavar="A", type=FileName())
@click.argument("second", metavar="B", type=FileName())
@click.argument("data", metavar="DATA", type=FileName(dash=True))
@column_options
@json_option("all figures")
@click.option(
    "--disagreements",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Texts to show on which the models differ most.",
)
@reading_options
def compare(
    first: str,
    second: str,
    data: str,
    text: str | None,
    label: str | None,
    json_path: str | None,
    disagreements: int,
    format: str | None,
    encoding: str,
    no_header: bool,
) -> None:
    """Tell which of the models A and B is better on labelled texts.

    DATA is a file or folder as 'textrnn evaluate' takes it, or - for standard input; neither model may have been
    trained on it.

    Both accuracies, on how many texts only one of the models is right, whether chance alone could part them so far
    (McNemar's test), and the texts on which they differ most.
    """
    require("scipy", extra="evaluate", purpose="comparing")
    outputs = [json_path] if json_path and json_path != "-" else []
    check_separate(outputs, [path for path in (first, second, data) if path != "-"])
    models = textrnn.load(first), textrnn.load(second)
    check_same_labels(*models)
    examples = as_examples(
        as_source(data),
        text=text,
        label=label,
        format=format,
        encoding=encoding,
        header=not no_header,
        read_label=models[0].task.read_label,
    )
    dataset = collect(examples, labels=models[0].labels, task=models[0].task)
    comparison = compare_on(*models, dataset, names=(first, second), disagreements=disagreements)
    if json_path == "-":
        sys.stdout.buffer.write(comparison_json(comparison))
        return
    if json_path:
        with replacing(json_path) as file:
            file.write(comparison_json(comparison))
    click.echo(comparison_text(comparison), nl=False)
