"""`textrnn suspects`: which labels are probably wrong?"""

import sys
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from textrnn.cli.options import FileName, as_source, column_options, effort_option, reading_options, recipe_options
from textrnn.cli.writers import csv_rows
from textrnn.config import Recipe
from textrnn.files import check_separate, replacing, require

if TYPE_CHECKING:
    from textrnn.studies.label_noise import Fold


@click.command(
    epilog="""\b
Examples:
  textrnn suspects reviews.csv --out suspects.csv
  textrnn suspects reviews.csv --folds 10 --cell gru --epochs 5
  textrnn suspects new.csv --model reviews.textrnn
"""
)
@click.argument("data", metavar="DATA", type=FileName(dash=True))
@click.option(
    "--out",
    "-o",
    metavar="FILE",
    type=FileName(dash=True),
    default="-",
    help="CSV file to write.  [default: standard output]",
)
@click.option(
    "--model",
    metavar="FILE",
    type=FileName(),
    help="Judge by this model, which must not have been trained on DATA; nothing is trained then.",
)
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    help="Train this many times on all but one part of DATA, and judge that part.  [default: 5]",
)
@effort_option
@column_options
@reading_options
@recipe_options
def suspects(
    data: str,
    out: str,
    model: str | None,
    folds: int | None,
    effort: str,
    text: str | None,
    label: str | None,
    format: str | None,
    encoding: str,
    no_header: bool,
    **settings: Any,
) -> None:
    """List the texts of DATA whose labels are probably wrong.

    DATA is a file or folder as 'textrnn train' takes it, or - for standard input.

    By confident learning: every text is judged by a model that was not trained on it. The CSV file has the columns
    place, text, label, suggested and score, the probability of the given label; the most suspicious come first.
    """
    chosen = {name: value for name, value in settings.items() if value is not None}
    effort_given = click.get_current_context().get_parameter_source("effort") is ParameterSource.COMMANDLINE
    if model and (folds or chosen or effort_given):
        option = "folds" if folds else "effort" if effort_given else next(iter(chosen)).replace("_", "-")
        raise click.UsageError(f"--model and --{option} cannot go together: with a model nothing is trained")
    Recipe.from_settings(**chosen)
    if out != "-":
        check_separate([out], [path for path in (data, model) if path and path != "-"])
    require("cleanlab", extra="suspects", purpose="looking for suspects")
    from textrnn.studies import suspects as find

    found = find(
        as_source(data),
        model=model,
        folds=folds or 5,
        effort=effort,
        text=text,
        label=label,
        format=format,
        encoding=encoding,
        header=not no_header,
        on_fold=_tell,
        **chosen,
    )
    rows = [["place", "text", "label", "suggested", "score"]]
    rows += [[row.place or "", row.text or "", str(row.label), str(row.suggested), f"{row.score:.6f}"] for row in found]
    if out == "-":
        sys.stdout.buffer.write(csv_rows(rows))
    else:
        with replacing(out) as file:
            file.write(csv_rows(rows))
        click.echo(f"saved {out}: {len(found):,} suspects")


def _tell(fold: "Fold") -> None:
    click.echo(
        f"fold {fold.number} of {fold.folds}: accuracy {fold.accuracy:.4f} on the texts held out, "
        f"trained on {fold.examples:,} in {fold.seconds:.1f} s",
        err=True,
    )
