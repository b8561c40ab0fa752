"""The command `textrnn`: parse, call, print. Nothing is computed here."""

import logging
import os
import sys
from importlib import import_module

import click

from textrnn.errors import TextRNNError
from textrnn.version import __version__

COMMANDS = ("train", "evaluate", "predict", "info", "lesson")


class LazyCommands(click.Group):
    """Imports a command's module when it is called, so that `predict` never waits for PyTorch."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"textrnn.cli.{name}"), name)
        return command


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="textrnn")
def main() -> None:
    """Train a text classifier that you can see through: recurrent networks at bag-of-words speed.

    \b
    textrnn train reviews.csv                        learn from a file with texts and labels
    textrnn evaluate reviews.textrnn test.csv        how good is it?
    textrnn predict reviews.textrnn < lines.txt      label every line
    """


def entry() -> None:
    """Run the command line: exit code 0, or 2 with one sentence for a user's mistake, or 130 after Ctrl-C."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("note: %(message)s"))
    logging.getLogger("textrnn").addHandler(handler)
    try:
        sys.exit(main(standalone_mode=False, prog_name="textrnn"))
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except TextRNNError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        # The reader went away (`| head`): not an error. Python must not find out again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
