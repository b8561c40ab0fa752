"""`textrnn learning-curve`: what would more texts bring?"""

import sys
from typing import Any

import click

from textrnn.cli.options import (
    FileName,
    as_source,
    column_options,
    effort_option,
    json_option,
    reading_options,
    recipe_options,
)
from textrnn.config import Recipe
from textrnn.evaluation import CurvePoint, curve_json, curve_text, draw_curve_png
from textrnn.files import check_separate, replacing, require


class Fractions(click.ParamType):  # type: ignore[type-arg]  # not yet generic in click 8.1
    """Numbers with commas between them, each above 0 and at most 1."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """The numbers."""
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(float(number) for number in str(value).split(","))
        except ValueError:
            numbers = ()
        if not numbers or not all(0 < number <= 1 for number in numbers):
            self.fail(f"expected numbers above 0 and at most 1 with commas between them, got {value!r}", param, ctx)
        return numbers


@click.command(
    name="learning-curve",
    epilog="""\b
Examples:
  textrnn learning-curve reviews.csv
  textrnn learning-curve train.csv --test test.csv --fractions 0.1,0.5,1 --png curve.png
""",
)
@click.argument("data", metavar="DATA", type=FileName(dash=True))
@click.option("--test", metavar="FILE", type=FileName(dash=True), help="Test data.  [default: a fifth of DATA]")
@click.option(
    "--fractions",
    type=Fractions(),
    default="0.1,0.25,0.5,1",
    show_default=True,
    help="Parts of DATA to train on, each with every class in its share.",
)
@json_option("all figures")
@click.option("--png", "png_path", metavar="FILE", type=FileName(), help="Draw the curve.")
@effort_option
@column_options
@reading_options
@recipe_options
def learning_curve(
    data: str,
    test: str | None,
    fractions: tuple[float, ...],
    json_path: str | None,
    png_path: str | None,
    effort: str,
    text: str | None,
    label: str | None,
    format: str | None,
    encoding: str,
    no_header: bool,
    **settings: Any,
) -> None:
    """Train on growing parts of DATA and print the accuracy after each.

    DATA is a file or folder as 'textrnn train' takes it, or - for standard input. Where the curve still rises, more
    texts are worth their labelling.
    """
    chosen = {name: value for name, value in settings.items() if value is not None}
    Recipe.from_settings(**chosen)
    if data == test == "-":
        raise click.UsageError("DATA and --test cannot both be standard input")
    outputs = [path for path in (json_path, png_path) if path and path != "-"]
    check_separate(outputs, [path for path in (data, test) if path and path != "-"])
    require("torch", extra="train", purpose="training")
    if png_path:
        require("matplotlib", extra="evaluate", purpose="a figure")
    from textrnn.studies import learning_curve as measure

    curve = measure(
        as_source(data),
        test=as_source(test) if test else None,
        fractions=fractions,
        effort=effort,
        text=text,
        label=label,
        format=format,
        encoding=encoding,
        header=not no_header,
        on_point=_tell,
        **chosen,
    )
    if png_path:
        draw_curve_png(png_path, curve)
    if json_path == "-":
        sys.stdout.buffer.write(curve_json(curve))
        return
    if json_path:
        with replacing(json_path) as file:
            file.write(curve_json(curve))
    click.echo(curve_text(curve), nl=False)


def _tell(point: CurvePoint) -> None:
    click.echo(
        f"{point.examples:,} texts: accuracy {point.accuracy.value:.4f}, trained in {point.seconds:.1f} s", err=True
    )
