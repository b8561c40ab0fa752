"""`textrnn pretrain`: texts without labels to a base."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from textrnn.cli.options import Duration, FileName, as_source, reading_options, recipe_options
from textrnn.cli.train import while_somebody_reads
from textrnn.files import check_separate, remove_partial, require
from textrnn.pretraining_config import PretrainingRecipe

if TYPE_CHECKING:
    from textrnn.training import Base
    from textrnn.training.pretraining import PretrainingEvent


@click.command(
    epilog="""\b
Examples:
  textrnn pretrain reviews.txt.gz --out base.textrnn --budget 20m
  textrnn pretrain old.csv new.jsonl --text review --out base.textrnn
  textrnn train reviews.csv --base base.textrnn
"""
)
@click.argument("texts", metavar="TEXTS...", type=FileName(dash=True), nargs=-1, required=True)
@click.option("--out", "-o", metavar="FILE", type=FileName(), required=True, help="File of the base to write.")
@click.option(
    "--budget",
    metavar="TIME",
    type=Duration(),
    help="Stop after this time, such as 90s, 20m or 1.5h; the learning rate is 0 by then.",
)
@click.option("--text", metavar="COLUMN", help="Column of the texts, if not obvious.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on from the last complete round of an interrupted pre-training, if there is one.",
)
@click.option(
    "--progress",
    type=click.Choice(["auto", "bar", "json", "none"]),
    default="auto",
    show_default=True,
    help="A bar on standard error, a JSON line a round on standard output; auto: a bar in a terminal, else JSON.",
)
@reading_options
@partial(recipe_options, recipe=PretrainingRecipe)
def pretrain(
    texts: tuple[str, ...],
    out: str,
    budget: float | None,
    text: str | None,
    resume: bool,
    progress: str,
    format: str | None,
    encoding: str,
    no_header: bool,
    **settings: Any,
) -> None:
    """Learn a language from TEXTS without labels and save it as a base, from which 'textrnn train --base' starts.

    TEXTS are .txt files with one text a line, CSV, TSV, JSON Lines or Parquet files (also .gz or .zst), folders, or -
    for standard input. Labels are not looked at.

    The state after every round is kept beside the base until it is complete; Ctrl-C keeps the best one so far, and
    --resume goes on from there.
    """
    chosen = {name: value for name, value in settings.items() if value is not None}
    PretrainingRecipe.from_settings(**chosen)
    path = Path(out)
    checkpoint = path.with_name(path.name + ".checkpoint")
    check_separate([path, checkpoint], [name for name in texts if name != "-"])
    remove_partial(path)
    require("torch", extra="train", purpose="pre-training")
    from textrnn.training import pretrain as pretrain_base

    as_json = progress == "json" or (progress == "auto" and not sys.stdout.isatty())
    with _shown(progress, as_json) as on_event:
        base = pretrain_base(
            *map(as_source, texts),
            text=text,
            format=format,
            encoding=encoding,
            header=not no_header,
            budget_seconds=budget,
            checkpoint=checkpoint,
            resume=resume,
            on_event=on_event,
            **chosen,
        )
        base.save(path)
    _report(base, path, checkpoint, as_json=as_json)


@contextmanager
def _shown(progress: str, as_json: bool) -> "Iterator[Callable[[PretrainingEvent], None]]":
    from textrnn.training.pretraining.progress import bar, bar_or_nothing, json_rounds

    if as_json:
        yield while_somebody_reads(json_rounds(sys.stdout))
    elif progress == "none":
        yield lambda event: None
    else:
        with (bar if progress == "bar" else bar_or_nothing)() as show:
            yield show


def _report(base: "Base", path: Path, checkpoint: Path, *, as_json: bool) -> None:
    provenance = base.header.provenance
    assert provenance is not None
    if not provenance.interrupted:
        checkpoint.unlink(missing_ok=True)
    best = provenance.history[provenance.best_round - 1]
    if as_json:
        event = {
            "event": "saved",
            "path": str(path).encode(errors="backslashreplace").decode(),  # a name need not be text
            "best_round": provenance.best_round,
            "interrupted": provenance.interrupted,
            "perplexity": best.perplexity,
        }
        click.echo(msgspec.json.encode(event).decode())
        return
    if provenance.interrupted:
        click.echo(f"interrupted after round {len(provenance.history)}; --resume goes on from {checkpoint}")
    perplexity = "" if best.perplexity is None else f", validation perplexity {best.perplexity:.2f}"
    click.echo(f"saved {path}: round {provenance.best_round}{perplexity}")
    click.echo(f"next: textrnn train DATA --base {path}")
