"""`textrnn inspect`: look inside a model."""

import click

from textrnn.cli.explore import explore, write_page
from textrnn.cli.options import FileName


@click.command(
    epilog="""\b
Examples:
  textrnn inspect reviews.textrnn
  textrnn inspect reviews.textrnn --html reviews.html
  textrnn inspect gru.textrnn --compare lstm.textrnn
"""
)
@click.argument("model", metavar="MODEL", type=FileName())
@click.option("--html", metavar="FILE", type=FileName(), help="Write the page as one file instead of opening it.")
@click.option("--compare", metavar="OTHER", type=FileName(), help="A model to stand beside it.")
@click.option(
    "--port", metavar="N", type=click.IntRange(0, 65535), default=0, help="Port of the page.  [default: a free one]"
)
@click.option("--no-open", is_flag=True, help="Only print the page's address.")
def inspect(model: str, html: str | None, compare: str | None, port: int, no_open: bool) -> None:
    """Open a page on which MODEL reads what you type.

    At each keystroke it shows what every word adds, the probabilities after each word, the hidden states and the
    equation of every step with its numbers. The page is served to this machine only; with --html it is one file that
    computes without network access, with the model inside it.
    """
    if html is None:
        explore(model, compare=compare, port=port, open_browser=not no_open)
    elif port or no_open:
        raise click.UsageError("--port and --no-open have no meaning beside --html, which opens no page")
    else:
        write_page(model, html, compare=compare)
