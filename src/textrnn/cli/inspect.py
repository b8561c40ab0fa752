"""`textrnn inspect`: what happens inside a model while it reads a text."""

import sys

import click
import msgspec

import textrnn
from textrnn.cli.options import FileName
from textrnn.errors import ConfigError
from textrnn.files import check_separate, replacing, require
from textrnn.labels import Label

METHODS = ("shares", "integrated_gradients", "gradient_input", "occlusion", "recurrence")


@click.command(
    epilog="""\b
Examples:
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
    default="shares",
    show_default=True,
    help="How words get their scores; see docs/inspection.md.",
)
@click.option("--label", metavar="LABEL", help="For which label words speak.  [default: the predicted one]")
@click.option(
    "--json",
    "json_path",
    metavar="FILE",
    type=FileName(dash=True),
    help="Write all states, gates, answers, scores and half-lives as JSON; - prints them instead of text.",
)
@click.option("--neighbours", "word", metavar="WORD", help="Show the words whose embeddings are nearest to this one's.")
def inspect(
    model: str, text: str | None, method: str, label: str | None, json_path: str | None, word: str | None
) -> None:
    """Look inside MODEL while it reads TEXT.

    Each word is coloured by how much it speaks for or against the label; beside it stands the answer to the text up to
    this word. Below, what each part of the model says, what it did not read, and how long it remembers a word.
    """
    if (text is None) == (word is None):
        raise click.UsageError("expected a TEXT to read, or --neighbours WORD")
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
    attribution = attribute(double, text, method)
    memories = memory(double, text, curves=False)
    if json_path:
        _write_json(inspection_record(text, traced, attribution, memories), json_path)
    if json_path != "-":
        from textrnn.inspection.view import view

        _print(*view(traced, attribution, memories, traced.predicted if place is None else place))


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
