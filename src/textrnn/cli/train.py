"""`textrnn train`: a labelled file to a model file."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from textrnn.cli.options import (
    Duration,
    FileName,
    as_source,
    column_options,
    default_output,
    effort_option,
    reading_options,
    recipe_options,
)
from textrnn.cli.pipe import discard
from textrnn.cli.watch import Watching, all_of, logs, page, watch_options
from textrnn.config import MOST_MEMBERS, Recipe
from textrnn.errors import ConfigError
from textrnn.evaluation.baseline_lines import baseline_lines
from textrnn.files import check_separate, checkpoint_paths, generation_path, remove_partial, require

if TYPE_CHECKING:
    from textrnn.runtime import Classifier
    from textrnn.training import Event


@click.command(
    epilog="""\b
Examples:
  textrnn train reviews.csv
  textrnn train reviews.csv --text review --label stars --out stars.textrnn
  textrnn train train.jsonl --validation dev.jsonl --metric macro_f1
  textrnn train reviews.csv --baseline
  textrnn train reviews.csv --live --watch 'not bad at all'
  textrnn train reviews.csv --log tensorboard:runs/a --log mlflow:sqlite:///runs.db
  textrnn train aclImdb/train --out imdb.textrnn --epochs 5
  textrnn train tweets.csv --class-weight balanced --resume
  textrnn train reviews.csv --base base.textrnn
  textrnn train reviews.csv --unlabelled more.txt.gz --budget 20m
  textrnn train reviews.csv --vectors glove.6B.100d.txt --vectors-training frozen
  zcat big.csv.gz | textrnn train - --format csv --out big.textrnn
"""
)
@click.argument("data", metavar="DATA", type=FileName(dash=True))
@click.option(
    "--out",
    "-o",
    metavar="FILE",
    type=FileName(),
    help="Model file to write.  [default: DATA's name with .textrnn]",
)
@effort_option
@click.option(
    "--validation",
    metavar="FILE",
    type=FileName(dash=True),
    help="Validation data.  [default: split off from DATA]",
)
@click.option(
    "--base",
    metavar="FILE",
    type=FileName(),
    help="Base to start from, made by 'textrnn pretrain': its vocabulary, embedding and first layer.",
)
@click.option(
    "--unlabelled",
    metavar="FILE",
    type=FileName(),
    multiple=True,
    help="Texts without labels, one a line or in any format of DATA; may be given several times. Without --base a base "
    "is pre-trained on them and on DATA first; --virtual-adversarial and --self-training learn from them.",
)
@click.option(
    "--budget",
    metavar="TIME",
    type=Duration(),
    help="Time for that pre-training, such as 90s or 20m.  [default: what its passes take]",
)
@click.option(
    "--vectors",
    metavar="FILE",
    type=FileName(),
    help="Begin with these word vectors: GloVe, word2vec or fastText, text or binary, also .gz or .zst.",
)
@column_options
@click.option(
    "--resume",
    is_flag=True,
    help="Go on from the last complete epoch of an interrupted training, if there is one.",
)
@click.option(
    "--baseline",
    is_flag=True,
    help="Train a tuned linear model, too, and show how both do on the validation texts.",
)
@click.option(
    "--progress",
    type=click.Choice(["auto", "bar", "json", "none"]),
    default="auto",
    show_default=True,
    help="A bar on standard error, a JSON line an epoch on standard output; auto: a bar in a terminal, else JSON.",
)
@watch_options
@reading_options
@recipe_options
def train(
    data: str,
    out: str | None,
    validation: str | None,
    base: str | None,
    unlabelled: tuple[str, ...],
    budget: float | None,
    vectors: str | None,
    text: str | None,
    label: str | None,
    resume: bool,
    baseline: bool,
    effort: str,
    progress: str,
    live: bool,
    live_port: int | None,
    live_stay: bool,
    watch: tuple[str, ...],
    log: tuple[str, ...],
    format: str | None,
    encoding: str,
    no_header: bool,
    **settings: Any,
) -> None:
    """Train a classifier on DATA and save it.

    DATA is a CSV, TSV, JSON Lines or Parquet file (also .gz or .zst), a folder with one folder of .txt files per
    class, or - for standard input.

    The state after every epoch is kept beside the model file until the training is complete; Ctrl-C keeps the best
    model so far, and --resume goes on from there.
    """
    chosen = {name: value for name, value in settings.items() if value is not None}
    recipe = Recipe.from_settings(**chosen)
    path = Path(out) if out else default_output(data)
    checkpoint = path.with_name(path.name + ".checkpoint")
    if data == validation == "-":
        raise click.UsageError("DATA and --validation cannot both be standard input")
    given = (data, validation, vectors, base, *unlabelled)
    check_separate([path, checkpoint], [name for name in given if name and name != "-"])
    remove_partial(path)
    watching = Watching(live, live_port, live_stay, watch, log)
    require("torch", extra="train", purpose="training")
    watching.check()
    from textrnn.training import train as train_classifier

    as_json = progress == "json" or (progress == "auto" and not sys.stdout.isatty())
    epochs = recipe.training.epochs if effort == "plain" or "epochs" in chosen else None
    with page(watching, path.name) as (pages, stay):
        with logs(watching, path.name) as others, _shown(progress, as_json, epochs) as show:
            classifier = train_classifier(
                as_source(data),
                text=text,
                label=label,
                format=format,
                encoding=encoding,
                header=not no_header,
                validation=as_source(validation) if validation else None,
                vectors=vectors,
                checkpoint=checkpoint,
                resume=resume,
                on_event=all_of(show, *pages, *others),
                watch=watching.asked_for,
                base=base,
                unlabelled=[Path(name) for name in unlabelled] or None,
                budget_seconds=budget,
                on_pretraining=_rounds(progress, as_json),
                baseline=baseline,
                effort=effort,
                **chosen,
            )
            classifier.save(path)
        _report(classifier, path, checkpoint, as_json=as_json)
        stay()


@contextmanager
def _shown(progress: str, as_json: bool, epochs: int | None) -> "Iterator[Callable[[Event], None]]":
    from textrnn.training.progress import json_lines, progress_bar, progress_bar_or_nothing

    if as_json:
        yield while_somebody_reads(json_lines(sys.stdout))
    elif progress == "none":
        yield lambda event: None
    else:
        with (progress_bar if progress == "bar" else progress_bar_or_nothing)(epochs) as show:
            yield show


def _rounds(progress: str, as_json: bool) -> Callable[[Any], None]:
    """A line for each round of a pre-training: in a terminal above the bar, which there can be one of only."""
    from textrnn.training.pretraining.progress import json_rounds, print_round

    if as_json:
        return while_somebody_reads(json_rounds(sys.stdout))
    if progress == "none":
        return lambda event: None
    return lambda event: print_round(event, sys.stderr)


def while_somebody_reads(show: Callable[[Any], None]) -> Callable[[Any], None]:
    """A reader that goes away (`| head -3`) ends the report, not the training."""

    def on_event(event: Any) -> None:
        try:
            show(event)
        except BrokenPipeError:
            discard(sys.stdout)

    return on_event


def _report(classifier: "Classifier", path: Path, checkpoint: Path, *, as_json: bool) -> None:
    provenance = classifier.header.provenance
    if provenance is None:
        raise ConfigError("a freshly trained classifier must tell how it was trained")
    if not provenance.interrupted:
        for generation in range(provenance.training.self_training + 1):
            for state in checkpoint_paths(generation_path(checkpoint, generation), MOST_MEMBERS):
                state.unlink(missing_ok=True)
        Path(f"{checkpoint}.base").unlink(missing_ok=True)
    if as_json:
        event: dict[str, Any] = {
            "event": "saved",
            "path": str(path).encode(errors="backslashreplace").decode(),  # a name need not be text
            "best_epoch": provenance.best_epoch,
            "interrupted": provenance.interrupted,
            "validation": provenance.metrics or None,
        }
        if provenance.baseline:
            event["baseline"] = msgspec.to_builtins(provenance.baseline)
        click.echo(msgspec.json.encode(event).decode())
        return
    if provenance.interrupted:
        click.echo(f"interrupted after epoch {len(provenance.history)}; --resume goes on from {checkpoint}")
    metrics = ", ".join(f"{name} {value:.4f}" for name, value in provenance.metrics.items())
    click.echo(f"saved {path}: epoch {provenance.best_epoch}" + (f", validation {metrics}" if metrics else ""))
    for line in baseline_lines(provenance.baseline, "validation") if provenance.baseline else []:
        click.echo(line)
    click.echo(f"next: textrnn evaluate {path} TEST_FILE   or   echo 'some text' | textrnn predict {path}")
