"""`textrnn lesson`: the notebook as a program."""

import click

from textrnn.cli.options import FileName
from textrnn.files import check_separate, require


@click.command(
    epilog="""\b
Examples:
  textrnn lesson
  textrnn lesson --notebook lesson.ipynb
"""
)
@click.option(
    "--notebook",
    metavar="FILE",
    type=FileName(),
    help="Write the lesson as a Jupyter notebook instead of running it.",
)
@click.option("--out", "-o", metavar="FILE", type=FileName(), help="Also save the lesson's classifier as a model file.")
def lesson(notebook: str | None, out: str | None) -> None:
    """Recurrent networks, step by step.

    Forty reviews, a vanilla recurrent network, every step explained; takes seconds.
    """
    require("torch", extra="train", purpose="the lesson")
    from textrnn.lesson import lesson as run_lesson
    from textrnn.lesson import write_notebook

    check_separate(filter(None, (notebook, out)))
    if notebook:
        write_notebook(notebook)
        click.echo(f"wrote {notebook}: open it with Jupyter and run its cells from top to bottom")
        return
    result = run_lesson(click.echo)
    if out:
        result.classifier.save(out)
        click.echo(f"saved {out}")
