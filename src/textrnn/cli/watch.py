"""The options with which `textrnn train` is watched: a page while it trains, and logs."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
Reader = Callable[[Any], None]
"""Of the events of a training."""


class Watching(NamedTuple):
    """What the options ask for."""

    live: bool
    live_port: int | None
    live_stay: bool
    watch: tuple[str, ...]
    log: tuple[str, ...]

    @property
    def asked_for(self) -> bool | tuple[str, ...]:
        """As `textrnn.train` takes `watch`."""
        return (self.watch or True) if self.live or self.log else False

    def check(self) -> None:
        """Refuse what means nothing, before anything is read."""
        for name in ("live_port", "live_stay"):
            if getattr(self, name) and not self.live:
                raise click.UsageError(f"--{name.replace('_', '-')} says how --live works, which is not given")
        if self.watch and not self.asked_for:
            raise click.UsageError("--watch says what --live and --log show, of which none is given")
        if self.log:
            from textrnn.logs import check_log

            for where in self.log:
                check_log(where)


def watch_options(command: Command) -> Command:
    """Page and logs."""
    for option in (
        click.option(
            "--log",
            metavar="FORM:PLACE",
            multiple=True,
            help="Also keep all numbers in a log: tensorboard:FOLDER, or mlflow:URI such as mlflow:sqlite:///runs.db; "
            "may be given several times.",
        ),
        click.option(
            "--watch",
            metavar="TEXT",
            multiple=True,
            help="Show what is said of this text; may be given several times.  [default: a few validation texts, wrong "
            "and right]",
        ),
        click.option("--live-stay", is_flag=True, help="Keep the page after the training until Ctrl-C."),
        click.option(
            "--live-port",
            metavar="PORT",
            type=click.IntRange(1, 65535),
            help="Port of the page.  [default: a free one]",
        ),
        click.option(
            "--live",
            is_flag=True,
            help="Show the training on a web page, on this machine only; its address is told on standard error.",
        ),
    ):
        command = option(command)
    return command


@contextmanager
def page(watching: Watching, title: str) -> Iterator[tuple[list[Reader], Callable[[], None]]]:
    """The page, if it is asked for, as a reader of events, and what to call when all is done and told."""
    if not watching.live:
        yield [], _nothing
        return
    from textrnn.live import live_page

    with live_page(title, watching.live_port or 0) as served:
        click.echo(f"note: watch the training at {served.url}", err=True)
        yield [served.state], partial(_until_interrupted, served.url) if watching.live_stay else _nothing


@contextmanager
def logs(watching: Watching, title: str) -> Iterator[list[Reader]]:
    """The logs that are asked for."""
    with ExitStack() as stack:
        if watching.log:
            from textrnn.logs import open_log

            yield [stack.enter_context(open_log(where, title)) for where in watching.log]
        else:
            yield []


def all_of(*readers: Reader) -> Reader:
    """Tells every event to each of them."""

    def on_event(event: Any) -> None:
        for read in readers:
            read(event)

    return on_event


def _nothing() -> None:
    """There is no page that would stay."""


def _until_interrupted(url: str) -> None:
    click.echo(f"note: the training is done; {url} stays until Ctrl-C", err=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return
