"""Readers of the training's events: a bar in a terminal, a JSON line an epoch in a pipe."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, Protocol, cast, runtime_checkable

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from textrnn.history import EpochRecord
from textrnn.training.fit import Event
from textrnn.training.loop import Step


@runtime_checkable
class TextStream(Protocol):
    """Whatever takes text: a terminal, a pipe, a notebook's cell, a `StringIO`."""

    def write(self, text: str, /) -> Any:
        """Append text."""

    def flush(self) -> Any:
        """Send it on now."""


def describe(record: EpochRecord) -> str:
    """One line for one epoch."""
    parts = [
        *([f"network {record.network}"] if record.network > 1 else []),
        f"epoch {record.epoch:3d}",
        f"loss {record.loss:.4f}",
        *([] if record.accuracy is None else [f"accuracy {100 * record.accuracy:6.2f} %"]),
    ]
    if record.validation is not None:
        parts.append("validation:")
        for name, value in record.validation.items():
            parts.append(f"{name} {100 * value:6.2f} %" if name == "accuracy" else f"{name} {value:.4f}")
    if record.tokens_per_second is not None:
        parts.append(f"{record.tokens_per_second / 1000:.0f}k tokens/s")
    return "  ".join(parts)


@contextmanager
def progress_bar(epochs: int | None, stream: TextStream | None = None) -> Iterator[Callable[[Event], None]]:
    """A bar for the running epoch and one line for each that is done, on standard error by default.

    epochs: how many there are at most, where that is known.
    """
    console = Console(file=cast(IO[str], stream or sys.stderr))
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} steps  loss {task.fields[loss]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None, loss="-")

        def show(event: Event) -> None:
            if isinstance(event, Step):
                description = f"network {event.network}, " if event.network > 1 else ""
                description += f"epoch {event.epoch}" + (f" of at most {epochs}" if epochs else "")
                bar.update(
                    task,
                    description=description,
                    total=event.steps,
                    completed=event.index,
                    loss=f"{event.loss:.4f}",
                )
            elif isinstance(event, EpochRecord):
                bar.console.print(describe(event), highlight=False, markup=False, soft_wrap=True)

        yield show


@contextmanager
def progress_bar_or_nothing(epochs: int | None) -> Iterator[Callable[[Event], None]]:
    """The bar where standard error is a terminal, a line an epoch in a Jupyter notebook, nothing elsewhere."""
    if sys.stderr is not None and sys.stderr.isatty():
        with progress_bar(epochs) as show:
            yield show
    elif "ipykernel" in sys.modules:
        yield lambda event: print_epoch(event, sys.stdout)
    else:
        yield lambda event: None


def print_epoch(event: Event, stream: TextStream) -> None:
    """One line for an epoch, nothing for a step."""
    if isinstance(event, EpochRecord):
        stream.write(describe(event) + "\n")


def json_lines(stream: TextStream) -> Callable[[Event], None]:
    """One JSON object a line for each epoch, written at once."""

    def show(event: Event) -> None:
        if isinstance(event, EpochRecord):
            stream.write(msgspec.json.encode({"event": "epoch"} | msgspec.structs.asdict(event)).decode() + "\n")
            stream.flush()

    return show
