"""`textrnn threshold`: from which probability on should a text get a label?"""

import sys

import click
import msgspec

import textrnn
from textrnn.cli.options import FileName, as_source, reading_options
from textrnn.data import as_examples, collect
from textrnn.evaluation.lines import one_line
from textrnn.evaluation.results import Estimate
from textrnn.files import check_separate, require
from textrnn.runtime.choosing import Threshold, check_wanted, choose_on, with_threshold


@click.command(
    epilog="""\b
Examples:
  textrnn threshold mail.textrnn validation.csv --label spam --precision 0.98
  textrnn threshold mail.textrnn validation.csv --label spam --recall 0.95 --out careful.textrnn
"""
)
@click.argument("model", metavar="MODEL", type=FileName())
@click.argument("data", metavar="DATA", type=FileName(dash=True))
@click.option("--label", "target", metavar="LABEL", required=True, help="The label that the threshold is for.")
@click.option("--precision", metavar="P", type=float, help="Least share of the texts with the label that are right.")
@click.option("--recall", metavar="R", type=float, help="Least share of the texts of this label that are found.")
@click.option(
    "--out", "-o", metavar="FILE", type=FileName(), help="Model file to write, which predicts with the threshold."
)
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
@click.option("--text", metavar="COLUMN", help="Column of the texts, if not obvious.")
@click.option("--label-column", metavar="COLUMN", help="Column of the labels, if not obvious.")
@reading_options
def threshold(
    model: str,
    data: str,
    target: str,
    precision: float | None,
    recall: float | None,
    out: str | None,
    as_json: bool,
    text: str | None,
    label_column: str | None,
    format: str | None,
    encoding: str,
    no_header: bool,
) -> None:
    """Choose from which probability on MODEL gives a text a label.

    DATA is a file or folder as 'textrnn train' takes it, or - for standard input, on which MODEL was
    not trained.

    Of all thresholds with the wanted precision that with the highest recall, or the other way round. With --out the
    new model gives the label to a text if and only if its probability reaches the threshold; else a text with one
    label gets the most probable of the others.
    """
    if (precision is None) == (recall is None):
        raise click.UsageError("expected either --precision or --recall")
    require("scipy", extra="evaluate", purpose="an interval")
    if out:
        check_separate([out], [data] if data != "-" else [])
    classifier = textrnn.load(model)
    check_wanted(classifier, target, precision, recall)
    examples = as_examples(
        as_source(data),
        text=text,
        label=label_column,
        format=format,
        encoding=encoding,
        header=not no_header,
        read_label=classifier.task.read_label,
    )
    dataset = collect(examples, labels=classifier.labels, task=classifier.task)
    chosen = choose_on(classifier, dataset, target, precision=precision, recall=recall)
    if out:
        with_threshold(classifier, chosen).save(out)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(chosen), indent=2) + b"\n")
        return
    for line in _lines(chosen):
        click.echo(line)
    if out:
        click.echo(f"saved {out}")


def _lines(chosen: Threshold) -> list[str]:
    def share(estimate: Estimate, hits: str) -> str:
        return f"{estimate.value:.4f}   95 % interval {estimate.low:.4f} to {estimate.high:.4f}   {hits}"

    hits = round(chosen.recall.value * chosen.support)
    return [
        f"{one_line(chosen.label, 60)}: from the probability {chosen.value:.6f} on",
        f"precision   {share(chosen.precision, f'{hits:,} of the {chosen.predicted:,} texts that get the label')}",
        f"recall      {share(chosen.recall, f'{hits:,} of the {chosen.support:,} texts that have it')}",
    ]
