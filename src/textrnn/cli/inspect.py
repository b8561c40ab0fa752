"""`textrnn inspect`: what happens inside a model while it reads a text, in the terminal or on a page."""

import sys
from collections.abc import Mapping

import click
import msgspec

import textrnn
from textrnn.cli.explore import explore, write_page
from textrnn.cli.options import FileName, json_option
from textrnn.errors import ConfigError
from textrnn.files import check_separate, replacing, require
from textrnn.labels import Label

METHODS = ("shares", "integrated_gradients", "gradient_input", "occlusion", "recurrence")


@click.command(
    epilog="""\b
Examples:
  textrnn inspect reviews.textrnn
  textrnn inspect gru.textrnn --compare lstm.textrnn --html page.html
  textrnn inspect reviews.textrnn "not bad at all"
  textrnn inspect reviews.textrnn "not bad at all" --method integrated_gradients --label pos
  textrnn inspect reviews.textrnn "not bad at all" --json - | jq .running
  textrnn inspect reviews.textrnn --neighbours boring
"""
)
@click.argument("model", metavar="MODEL", type=FileName())
@click.argument("text", metavar="[TEXT]", required=False)
@click.option(
    "--method",
    type=click.Choice(METHODS),
    help="How words get their scores; see docs/inspection.md.  [default: shares]",
)
@click.option("--label", metavar="LABEL", help="For which label words speak.  [default: the predicted one]")
@json_option("all states, gates, answers, scores and half-lives")
@click.option("--neighbours", "word", metavar="WORD", help="Show the words whose embeddings are nearest to this one's.")
@click.option("--html", metavar="FILE", type=FileName(), help="Write the page as one file instead of opening it.")
@click.option("--compare", metavar="OTHER", type=FileName(), help="A model to stand beside it on the page.")
@click.option("--port", metavar="N", type=click.IntRange(0, 65535), help="Port of the page.  [default: a free one]")
@click.option("--no-open", is_flag=True, help="Only print the page's address.")
def inspect(
    model: str,
    text: str | None,
    method: str | None,
    label: str | None,
    json_path: str | None,
    word: str | None,
    html: str | None,
    compare: str | None,
    port: int | None,
    no_open: bool,
) -> None:
    """Look inside MODEL while it reads.

    Without TEXT a page opens on which MODEL reads what you type: at each keystroke it shows what every word adds, the
    probabilities after each word, the states and the equation of every step with its numbers. The page is served to
    this machine only; with --html it is one file that computes without network access, with the model inside it, and
    may begin with TEXT.

    With TEXT the same is told in the terminal. Each word is coloured by how much it speaks for or against the label;
    beside it stands the answer to the text up to this word. Below, what each part of the model says, what it did not
    read, and how long it remembers a word.
    """
    told = {"--method": method, "--label": label, "--json": json_path}
    on_page = {"--html": html, "--compare": compare, "--port": port, "--no-open": no_open or None}
    if text is not None and word is not None:
        raise click.UsageError("expected a TEXT to read, or --neighbours WORD, got both")
    if html is not None or (text is None and word is None):
        _refuse_beside("a page", {"--method": method, "--label": label, "--neighbours": word, "--json": json_path})
        if html is None:
            explore(model, compare=compare, port=port or 0, open_browser=not no_open)
        else:
            _refuse_beside("--html", {"--port": port, "--no-open": no_open or None})
            write_page(model, html, compare=compare, text=text)
        return
    _refuse_beside("what is told in the terminal", on_page)
    if word is not None:
        _refuse_beside("--neighbours", {name: value for name, value in told.items() if name != "--json"})
    require("torch", extra="train", purpose="inspection")
    if json_path and json_path != "-":
        check_separate([json_path], [model])
    classifier = textrnn.load(model)
    if word is not None:
        _show_neighbours(classifier, word, json_path)
        return
    assert text is not None
    place = None if label is None else _place(classifier.labels, label)

    from textrnn.inspection.networks import in_double
    from textrnn.inspection.records import inspection_record
    from textrnn.inspection.remembering import memory
    from textrnn.inspection.tracing import trace
    from textrnn.inspection.why import attribute

    traced = trace(classifier, text)
    double = in_double(classifier)
    attribution = attribute(double, text, method or METHODS[0])
    memories = memory(double, text, curves=False)
    if json_path:
        _write_json(inspection_record(text, traced, attribution, memories), json_path)
    if json_path != "-":
        from textrnn.inspection.view import view

        _print(*view(traced, attribution, memories, traced.predicted if place is None else place))


def _refuse_beside(what: str, options: Mapping[str, object]) -> None:
    """A usage error where one of these options was given."""
    if given := [name for name, value in options.items() if value is not None]:
        raise click.UsageError(f"{given[0]} has no meaning beside {what}")


def _show_neighbours(classifier: "textrnn.Classifier", word: str, json_path: str | None) -> None:
    from textrnn.inspection.embeddings import neighbours

    found = neighbours(classifier, word)
    if json_path:
        _write_json([{"word": near, "cosine": cosine} for near, cosine in found], json_path)
    if json_path != "-":
        for near, cosine in found:
            click.echo(f"{cosine:.3f}  {near}")


def _place(labels: list[Label], label: str) -> int:
    written = [str(known) for known in labels]
    if label not in written:
        known = ", ".join(written[:10]) + (f", … ({len(written)} in all)" if len(written) > 10 else "")
        expected = f"one of {known}" if written else "none, since this model predicts a number"
        raise ConfigError(f"--label: expected {expected}, got {label!r}")
    return written.index(label)


def _write_json(record: object, path: str) -> None:
    data = msgspec.json.encode(record) + b"\n"
    if path == "-":
        sys.stdout.buffer.write(data)
        return
    with replacing(path) as file:
        file.write(data)


def _print(*things: object) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=False, markup=False)
    for thing in things:
        console.print(thing)
