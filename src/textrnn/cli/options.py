"""Options that several commands share; those of the recipe are derived from `textrnn.config`."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from textrnn.config import Recipe, setting_sections
from textrnn.runtime import COMPRESSIONS
from textrnn.settings import Config, Sections, choices, kinds

Command = TypeVar("Command", bound=Callable[..., Any])


class FileName(click.ParamType):  # type: ignore[type-arg]  # not yet generic in click 8.1
    """A file name. An empty one comes from an unset variable of the shell and must not mean the default."""

    name = "file"

    def __init__(self, *, dash: bool = False) -> None:
        """`dash`: whether - may stand for standard input or output."""
        self.dash = dash

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as it is."""
        if not value:
            self.fail("expected a file name, found an empty one", param, ctx)
        if value == "-" and not self.dash:
            self.fail("expected a file name, found -", param, ctx)
        return str(value)


def as_source(data: str) -> str | Path:
    """A command's DATA for `textrnn.data`: - is standard input, everything else a path."""
    return data if data == "-" else Path(data)


def default_output(data: str) -> Path:
    """The model file beside which nobody named another one."""
    if data == "-":
        raise click.UsageError("pass --out FILE: standard input has no name to derive one from")
    name = Path(data).resolve().name
    stem = name if Path(data).is_dir() else name.partition(".")[0] or name
    return Path(f"{stem}.textrnn")


def reading_options(command: Command) -> Command:
    """How a data file is read."""
    for option in (
        click.option("--no-header", is_flag=True, help="The file has no header line; columns are named 1, 2, …."),
        click.option("--encoding", default="utf-8", show_default=True, help="Encoding of the data file."),
        click.option(
            "--format",
            type=click.Choice(["csv", "tsv", "jsonl", "parquet", "txt"]),
            help="Format of the data, where the file name does not tell.",
        ),
    ):
        command = option(command)
    return command


def json_option(what: str) -> Callable[[Command], Command]:
    """`--json FILE`, as the parameter `json_path`."""
    return click.option(
        "--json",
        "json_path",
        metavar="FILE",
        type=FileName(dash=True),
        help=f"Write {what} as JSON; - prints them instead of text.",
    )


def compress_option(command: Command) -> Command:
    """In how many bits the network's table is kept."""
    return click.option(
        "--compress",
        type=click.Choice(list(COMPRESSIONS)),
        help="Keep the table of tokens, most of the network's memory, in 16-bit floats or in 8 bits a number.",
    )(command)


def column_options(command: Command) -> Command:
    """Which columns hold texts and labels."""
    command = click.option("--label", metavar="COLUMN", help="Column of the labels, if not obvious.")(command)
    return click.option("--text", metavar="COLUMN", help="Column of the texts, if not obvious.")(command)


def effort_option(command: Command) -> Command:
    """How much time accuracy is worth."""
    return click.option(
        "--effort",
        type=click.Choice(["plain", "quick", "default", "best"]),
        default="default",
        show_default=True,
        help="How much time accuracy is worth. All but 'plain' choose the settings that are not given by the size of "
        "the data; 'plain' takes them as they are shown below, which is one vanilla network.",
    )(command)


class Duration(click.ParamType):  # type: ignore[type-arg]  # not yet generic in click 8.1
    """A time: 90s, 20m, 1.5h, or a number of seconds. The value is in seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """In seconds."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", value)
        seconds = float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]] if found else 0.0
        if not 0 < seconds < 1e9:
            self.fail(f"expected a time such as 90s, 20m or 1.5h, got {value!r}", param, ctx)
        return seconds


def recipe_options(command: Command, recipe: type[Sections] = Recipe) -> Command:
    """One option for every setting. An option that is not given is None and keeps the recipe's default."""
    defaults = recipe().settings()
    for name, section in reversed(setting_sections(recipe).items()):
        config: type[Config] = type(getattr(recipe(), section))
        kind = kinds(config)[name]
        base, meta = get_args(kind)
        flag = "--" + name.replace("_", "-")
        help_text = meta.description.replace("`", "'") + f"  [default: {_shown(defaults[name])}]"
        if base is bool:
            option = click.option(f"{flag}/--no-{flag[2:]}", name, default=None, help=help_text)
        else:
            kind_of_value = click.Choice(choices(kind)) if choices(kind) else base
            option = click.option(flag, name, type=kind_of_value, help=help_text)
        command = option(command)
    return command


def _shown(value: object) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
