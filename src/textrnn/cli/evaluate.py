"""`textrnn evaluate`: how good is a model on labelled data?"""

import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import click

import textrnn
from textrnn.cli.options import FileName, as_source, column_options, compress_option, json_option, reading_options
from textrnn.data import Example, as_examples, collect, set_apart
from textrnn.evaluation import AnyEvaluation, draw_png, headline, to_json, to_text, write_html
from textrnn.files import check_separate, replacing, require
from textrnn.runtime import Classifier, Compression
from textrnn.runtime.baseline import evaluation_with_baseline


@click.command(
    epilog="""\b
Examples:
  textrnn evaluate reviews.textrnn test.csv
  textrnn evaluate reviews.textrnn test.csv --html report.html --png report.png
  textrnn evaluate reviews.textrnn test.csv --baseline train.csv
  textrnn evaluate reviews.textrnn test.csv --json - | jq .macro_f1.value
"""
)
@click.argument("model", metavar="MODEL", type=FileName())
@click.argument("data", metavar="DATA", type=FileName(dash=True))
@column_options
@json_option("all figures")
@click.option(
    "--html",
    "html_path",
    metavar="FILE",
    type=FileName(),
    help="Write one page with learning curves, confusion matrix and reliability diagram.",
)
@click.option("--png", "png_path", metavar="FILE", type=FileName(), help="Draw the same figures.")
@click.option(
    "--mistakes",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Confidently wrong texts to show.",
)
@click.option(
    "--out-of-scope",
    metavar="LABEL",
    help="Texts labelled so belong to no class of MODEL: measure how well its certainty tells them apart.",
)
@click.option(
    "--baseline",
    metavar="FILE",
    type=FileName(dash=True),
    help="The data that MODEL was trained on: a tuned linear model learns from them and is shown beside MODEL.",
)
@compress_option
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
    out_of_scope: str | None,
    baseline: str | None,
    compress: Compression | None,
    format: str | None,
    encoding: str,
    no_header: bool,
) -> None:
    """Measure MODEL on labelled texts.

    DATA is a file or folder as `textrnn train` takes it, or - for standard input.

    Accuracy, F1, log loss, ROC-AUC with intervals, scores per class, the confusion matrix and the most confidently
    wrong texts; whether the probabilities can be believed (calibration), the accuracy by length of the text, and what
    errors are left when the least certain texts are handed to a human ('textrnn predict --abstain-below'). A model with
    several labels a text is measured label by label, and one that predicts a number by how far off it is.

    With --compress all figures are the compressed network's, and a line before them says what changed.

    With --baseline also how a linear model does on DATA: tf-idf over words and word pairs (or runs of characters) and
    logistic regression, tuned on a part of FILE that is split off as the training of MODEL did.
    """
    require("sklearn", extra="evaluate", purpose="evaluating")
    outputs = [path for path in (json_path, html_path, png_path) if path and path != "-"]
    if data == baseline == "-":
        raise click.UsageError("DATA and --baseline cannot both be standard input")
    check_separate(outputs, [path for path in (model, data, baseline) if path and path != "-"])
    classifier = textrnn.load(model, compress=compress)
    for option, given in (("--out-of-scope", out_of_scope), ("--baseline", baseline)):
        if given is not None:
            classifier.require_one_label(option)
    read = partial(
        as_examples,
        text=text,
        label=label,
        format=format,
        encoding=encoding,
        header=not no_header,
        read_label=classifier.task.read_label,
    )
    examples: Iterable[Example] = read(as_source(data))
    unknown = None
    if out_of_scope is not None:
        examples, unknown = set_apart(examples, out_of_scope, classifier.labels)
    gather = partial(collect, labels=classifier.labels, task=classifier.task)
    dataset = gather(examples)
    learned = gather(read(as_source(baseline))) if baseline else None
    evaluation = classifier.evaluate_on(dataset, mistakes=mistakes, out_of_scope=out_of_scope, unknown=unknown)
    if learned:
        evaluation = evaluation_with_baseline(evaluation, classifier, dataset, learned)
    if compress:
        whole = Classifier(classifier.header, classifier.weights)
        change = compression_change(evaluation, whole.evaluate_on(dataset, mistakes=0))
        click.echo(f"{compress}: {change}", err=json_path == "-")
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


def compression_change(compressed: AnyEvaluation, whole: AnyEvaluation) -> str:
    """What compression changed, in one line."""
    one, other = headline(compressed), headline(whole)
    figures = [(name, one[name], other[name]) for name in one]
    return ", ".join(
        f"{name} {after:.4f} instead of {before:.4f} ({after - before:+.4f})" for name, after, before in figures
    )
