"""Readers of a pre-training's events: a bar in a terminal, a JSON line a round in a pipe."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, cast

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from textrnn.history import PretrainingRecord
from textrnn.training.pretraining.run import PretrainingEvent
from textrnn.training.progress import TextStream

Show = Callable[[PretrainingEvent], None]


def describe(record: PretrainingRecord) -> str:
    """One line for one round."""
    parts = [f"round {record.round:3d}", f"{record.epochs:.2f} epochs", f"loss {record.loss:.4f}"]
    if record.perplexity is not None:
        parts.append(f"validation perplexity {record.perplexity:.2f}")
    if record.tokens_per_second is not None:
        parts.append(f"{record.tokens_per_second / 1000:.1f}k tokens/s")
    return "  ".join(parts)


@contextmanager
def bar(stream: TextStream | None = None) -> Iterator[Show]:
    """A bar for the whole pre-training and one line for each round, on standard error by default."""
    console = Console(file=cast(IO[str], stream or sys.stderr))
    columns = (
        TextColumn("pre-training"),
        BarColumn(),
        TextColumn("{task.percentage:.1f} %  loss {task.fields[loss]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("", total=1.0, loss="-")

        def show(event: PretrainingEvent) -> None:
            if isinstance(event, PretrainingRecord):
                shown.console.print(describe(event), highlight=False, markup=False, soft_wrap=True)
            else:
                shown.update(task, completed=event.done, loss=f"{event.loss:.4f}")

        yield show


@contextmanager
def bar_or_nothing() -> Iterator[Show]:
    """The bar where standard error is a terminal, a line a round in a Jupyter notebook, nothing elsewhere."""
    if sys.stderr is not None and sys.stderr.isatty():
        with bar() as show:
            yield show
    elif "ipykernel" in sys.modules:
        yield lambda event: print_round(event, sys.stdout)
    else:
        yield lambda event: None


def print_round(event: PretrainingEvent, stream: TextStream) -> None:
    """One line for a round, nothing for a step."""
    if isinstance(event, PretrainingRecord):
        stream.write(describe(event) + "\n")


def json_rounds(stream: TextStream) -> Show:
    """One JSON object a line for each round, written at once."""

    def show(event: PretrainingEvent) -> None:
        if isinstance(event, PretrainingRecord):
            stream.write(msgspec.json.encode({"event": "round"} | msgspec.structs.asdict(event)).decode() + "\n")
            stream.flush()

    return show
