"""Writes docs/cli.md from the commands' own help; `--check` tells whether it is fresh."""

import sys
from pathlib import Path

import click

from textrnn.cli.main import COMMANDS, main

TARGET = Path(__file__).with_name("cli.md")


def help_of(command: click.Command, name: str) -> str:
    context = click.Context(
        command, info_name=name, max_content_width=100, terminal_width=100, help_option_names=["-h", "--help"]
    )
    return f"```\n{command.get_help(context).rstrip()}\n```\n"


def generate() -> str:
    parts = ["# The command line\n", "Written by `make docs` from the commands' own help.\n", help_of(main, "textrnn")]
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        parts += [f"## textrnn {name}\n", help_of(command, f"textrnn {name}")]
    parts += [
        "## Exit codes\n",
        "0: done. 2: a mistake in the command line, the data or the model file; one sentence on standard error says "
        "which. 130: interrupted by Ctrl-C\nbefore there was anything to keep.\n",
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    text = generate()
    if "--check" in sys.argv:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
            sys.exit(f"{TARGET} is out of date: run `make docs`")
    else:
        TARGET.write_text(text, encoding="utf-8")
