"""`textrnn tune`: a labelled file to the settings that suit it best, and their model."""

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from textrnn.cli.options import (
    FileName,
    as_source,
    column_options,
    default_output,
    effort_option,
    reading_options,
    recipe_options,
)
from textrnn.config import Recipe
from textrnn.files import check_separate, require

if TYPE_CHECKING:
    from textrnn.tuning import TrialRecord


@click.command(
    epilog="""\b
Examples:
  textrnn tune reviews.csv --budget 10m
  textrnn tune reviews.csv --budget 2h --workers 4 --metric macro_f1 --plot search.png
  textrnn tune reviews.csv --budget 30m --cell gru --bidirectional
The same command goes on with the study that it finds, for another budget.
"""
)
@click.argument("data", metavar="DATA", type=FileName())
@click.option("--budget", metavar="TIME", default="10m", show_default=True, help="How long: 30s, 10m, 2h.")
@click.option(
    "--out", "-o", metavar="FILE", type=FileName(), help="Model file to write.  [default: DATA's name with .textrnn]"
)
@click.option(
    "--study",
    metavar="FILE",
    type=FileName(),
    help="SQLite file that keeps all trials; the best model is kept beside it.  [default: --out with .study]",
)
@click.option(
    "--workers", type=click.IntRange(1, 1024), default=1, show_default=True, help="Processes that try settings at once."
)
@click.option("--plot", metavar="FILE", type=FileName(), help="Draw importances and the course of the search (PNG).")
@click.option("--validation", metavar="FILE", type=FileName(), help="Validation data.  [default: split off from DATA]")
@click.option("--vectors", metavar="FILE", type=FileName(), help="Begin with these word vectors, as 'textrnn train'.")
@effort_option
@column_options
@click.option(
    "--progress",
    type=click.Choice(["auto", "text", "json", "none"]),
    default="auto",
    show_default=True,
    help="A line a trial on standard error, a JSON line on standard output; auto: text in a terminal, else JSON.",
)
@reading_options
@recipe_options
def tune(
    data: str,
    budget: str,
    out: str | None,
    study: str | None,
    workers: int,
    plot: str | None,
    validation: str | None,
    vectors: str | None,
    effort: str,
    text: str | None,
    label: str | None,
    progress: str,
    format: str | None,
    encoding: str,
    no_header: bool,
    **settings: Any,
) -> None:
    """Search the settings that suit DATA best and save their model.

    DATA is a file or folder as 'textrnn train' takes it. Single networks are tried, the default recipe's first, so the
    best is at least as good on the validation texts; with its settings the whole model is trained then. Settings that
    are given are kept, all others of docs/tuning.md are searched. Ctrl-C ends the search early.
    """
    chosen = {name: value for name, value in settings.items() if value is not None}
    Recipe.from_settings(**chosen)
    path = Path(out) if out else default_output(data)
    kept = Path(study) if study else path.with_name(path.name + ".study")
    read = [name for name in (data, validation, vectors) if name]
    check_separate([path, kept, *([plot] if plot else [])], read)
    require("torch", extra="train", purpose="training")
    from textrnn.tuning import draw_tuning, tuning_to_text
    from textrnn.tuning import tune as search
    from textrnn.tuning.report import options_of, trial_to_text

    started = time.monotonic()
    as_json = progress == "json" or (progress == "auto" and not sys.stdout.isatty())
    metric = Recipe.from_settings(**chosen).training.metric

    def show(record: "TrialRecord") -> None:
        if as_json:
            event = {"event": "trial", "metric": metric} | msgspec.to_builtins(record)
            click.echo(msgspec.json.encode(event).decode())
        elif progress != "none":
            click.echo(f"{time.monotonic() - started:6.0f} s  {trial_to_text(record, metric)}", err=True)

    tuning = search(
        as_source(data),
        budget=budget,
        study=kept,
        workers=workers,
        effort=effort,
        text=text,
        label=label,
        format=format,
        encoding=encoding,
        header=not no_header,
        validation=as_source(validation) if validation else None,
        vectors=vectors,
        on_trial=show,
        **chosen,
    )
    tuning.classifier.save(path)
    if plot:
        draw_tuning(plot, tuning)
    named = {"text": text, "label": label, "format": format, "validation": validation, "vectors": vectors}
    options = [part for name, value in named.items() if value for part in (f"--{name}", value)]
    options += ["--encoding", encoding] * (encoding != "utf-8") + ["--no-header"] * no_header
    command = shlex.join(
        ["textrnn", "train", data, "--out", str(path), "--effort", "plain", *options, *options_of(tuning.settings)]
    )
    if as_json:
        event = {
            "event": "saved",
            "path": str(path).encode(errors="backslashreplace").decode(),  # a name need not be text
            "metric": metric,
            "best": msgspec.to_builtins(tuning.best),
            "whole": tuning.whole,
            "default": msgspec.to_builtins(tuning.first),
            "importances": tuning.importances,
            "command": command.encode(errors="backslashreplace").decode(),
        }
        click.echo(msgspec.json.encode(event).decode())
        return
    click.echo(tuning_to_text(tuning))
    click.echo(f"saved {path}; {kept} keeps the trials, and the same command goes on")
    click.echo(f"to train it anew: {command}")
