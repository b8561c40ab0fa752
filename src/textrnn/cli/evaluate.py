"""`textrnn evaluate`: how good is a model on labelled data?"""

import sys
from pathlib import Path

import click

import textrnn
from textrnn.cli.options import FileName, as_source, column_options, reading_options
from textrnn.evaluation import draw_png, to_json, to_text, write_html
from textrnn.files import check_separate, replacing, require


@click.command(
    epilog="""\b
Examples:
  textrnn evaluate reviews.textrnn test.csv
  textrnn evaluate reviews.textrnn test.csv --html report.html --png report.png
  textrnn evaluate reviews.textrnn test.csv --json - | jq .macro_f1.value
"""
)
@click.argument("model", metavar="MODEL", type=FileName())
@click.argument("data", metavar="DATA", type=FileName(dash=True))
@column_options
@click.option(
    "--json",
    "json_path",
    metavar="FILE",
    type=FileName(dash=True),
    help="Write all figures as JSON; - prints them instead of text.",
)
@click.option(
    "--html",
    "html_path",
    metavar="FILE",
    type=FileName(),
    help="Write one page with learning curves and confusion matrix.",
)
@click.option("--png", "png_path", metavar="FILE", type=FileName(), help="Draw learning curves and confusion matrix.")
@click.option(
    "--mistakes",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Confidently wrong texts to show.",
)
@reading_options
def evaluate(
    model: str,
    data: str,
    text: str | None,
    label: str | None,
    json_path: str | None,
    html_path: str | None,
    png_path: str | None,
    mistakes: int,
    format: str | None,
    encoding: str,
    no_header: bool,
) -> None:
    """Measure MODEL on labelled texts.

    DATA is a file or folder as `textrnn train` takes it, or - for standard input.

    Accuracy, F1, log loss, ROC-AUC with intervals, scores per class, the confusion matrix and the most confidently
    wrong texts.
    """
    require("sklearn", extra="evaluate", purpose="evaluating")
    outputs = [path for path in (json_path, html_path, png_path) if path and path != "-"]
    check_separate(outputs, [path for path in (model, data) if path != "-"])
    classifier = textrnn.load(model)
    evaluation = classifier.evaluate(
        as_source(data),
        text=text,
        label=label,
        format=format,
        encoding=encoding,
        header=not no_header,
        mistakes=mistakes,
    )
    if png_path:
        draw_png(png_path, evaluation, classifier.history)
    if html_path:
        write_html(html_path, evaluation, classifier.history, title=f"{Path(model).name} on {Path(data).name}")
    if json_path == "-":
        sys.stdout.buffer.write(to_json(evaluation))
        return
    if json_path:
        with replacing(json_path) as file:
            file.write(to_json(evaluation))
    click.echo(to_text(evaluation))
