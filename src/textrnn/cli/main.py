"""The command `textrnn`: parse, call, print. Nothing is computed here."""

import io
import logging
import sys
from importlib import import_module

import click

from textrnn.cli.pipe import discard, terminate_as_interrupt
from textrnn.errors import TextRNNError
from textrnn.version import __version__

COMMANDS = (
    "train",
    "pretrain",
    "tune",
    "evaluate",
    "predict",
    "threshold",
    "compare",
    "doctor",
    "suspects",
    "learning-curve",
    "inspect",
    "info",
    "lesson",
)


class LazyCommands(click.Group):
    """Imports a command's module when it is called, so that `predict` never waits for PyTorch."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = name.replace("-", "_")
        command: click.Command = getattr(import_module(f"textrnn.cli.{module}"), module)
        return command

    def invoke(self, context: click.Context) -> None:
        """Run the command. A reader that goes away (`| head`) is not an error, as which click would take it."""
        try:
            super().invoke(context)
            sys.stdout.flush()  # what fails here would be told by a traceback later
        except BrokenPipeError:
            discard(sys.stdout)


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="textrnn")
def main() -> None:
    """Train a text classifier that you can see through: recurrent networks at bag-of-words speed.

    \b
    textrnn train reviews.csv                        learn from a file with texts and labels
    textrnn tune reviews.csv --budget 10m            search the settings that suit it best
    textrnn evaluate reviews.textrnn test.csv        how good is it?
    textrnn predict reviews.textrnn < lines.txt      label every line
    textrnn compare a.textrnn b.textrnn test.csv     which is better?
    textrnn inspect reviews.textrnn "not bad"        why?
    """


def entry() -> None:
    """Run the command line: exit code 0, or 2 with one sentence for a user's mistake, or 130 after Ctrl-C."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("note: %(message)s"))
    logger = logging.getLogger("textrnn")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        sys.exit(_run())
    finally:
        logger.removeHandler(handler)


def _run() -> int:
    if sys.stdout is None:
        return _refuse("standard output is closed, expected an open one")
    try:
        with terminate_as_interrupt():
            if isinstance(sys.stdout, io.TextIOWrapper) and isinstance(sys.stdout.buffer, io.RawIOBase):
                # PYTHONUNBUFFERED, as in many containers: the bare file takes a part of what is written when the
                # disk is full, and Python does not look at how much.
                sys.stdout = io.TextIOWrapper(
                    io.BufferedWriter(sys.stdout.buffer), encoding=sys.stdout.encoding, line_buffering=True
                )
            if isinstance(sys.stdout, io.TextIOWrapper):  # a sign that the terminal cannot show is no reason to stop
                sys.stdout.reconfigure(errors="backslashreplace")
            return int(main(standalone_mode=False, prog_name="textrnn") or 0)
    except click.ClickException as error:
        error.show()
        return 2
    except TextRNNError as error:
        return _refuse(str(error))
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except OSError as error:  # those of files are told by `TextRNNError`s
        discard(sys.stdout)
        return _refuse(f"{error.filename or 'standard output'}: {error.strerror or error}")
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        return _refuse(f"out of memory: {str(error) or 'smaller settings need less'}")


def _refuse(message: str) -> int:
    """One line, whatever a file or its name holds; the exit code."""
    line = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in message)
    click.echo(f"error: {line}", err=True)
    return 2


def _is_out_of_memory(error: Exception) -> bool:
    """PyTorch has no exception of its own for it on CPUs."""
    return isinstance(error, MemoryError) or "can't allocate memory" in str(error)
