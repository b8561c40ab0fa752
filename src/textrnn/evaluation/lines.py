"""Any text on one line: for a terminal, a figure or a page."""

import unicodedata
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

JOINERS = "\u200c\u200d"  # invisible, but part of the spelling in Persian, Hindi and emoji
REMOVED = {"Cf", "Cs"}  # among them the signs that turn the writing direction of all that follows
SPACES = {"Cc", "Zl", "Zp"}


def one_line(text: object, width: int | None = None) -> str:
    """`text` without line breaks, control characters and invisible signs, cut to `width` terminal columns."""
    line = " ".join("".join(map(_shown, str(text))).split())
    if width is None or cell_len(line) <= width:
        return line
    return set_cell_size(line, width - 1).rstrip() + "…"


def padded(text: str, width: int, *, right: bool = False) -> str:
    """`text` filled up with spaces to `width` terminal columns, of which a Chinese sign takes two."""
    fill = " " * (width - cell_len(text))
    return fill + text if right else text + fill


def aligned(rows: Sequence[Sequence[str]], *, gap: int, left: int = 1) -> list[str]:
    """A table, its first `left` columns to the left and all others to the right."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return [
        (" " * gap).join(
            padded(cell, width, right=i >= left) for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _shown(sign: str) -> str:
    if sign in JOINERS:
        return sign
    category = unicodedata.category(sign)
    return "" if category in REMOVED else " " if category in SPACES else sign
