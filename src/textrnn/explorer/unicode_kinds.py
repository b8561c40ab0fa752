"""What the text rules do with each code point, by Python's Unicode tables, for a browser whose tables are others."""

import functools
import unicodedata
from itertools import groupby

from textrnn.text.tokenizer import replacement

UNASSIGNED, JOINS, CUTS, ALONE, VANISHES, MARK = range(6)
"""As runtime/text.js names them. A mark joins, too, and has a combining class."""

LAST_LETTER = 0x40000
TAGS = range(0xE0000, 0xE0200)
"""Beyond LAST_LETTER only these are neither private nor unassigned; both kinds only cut."""


@functools.cache
def code_point_runs() -> str:
    """The kinds of all code points as runs "length kind", the length in base 36; what comes after is unassigned."""
    gap = range(LAST_LETTER, TAGS.start)
    kinds = [*map(_kind, range(LAST_LETTER)), *(UNASSIGNED for _ in gap), *map(_kind, TAGS)]
    return " ".join(f"{_base_36(len(list(run)))}{kind}" for kind, run in groupby(kinds))


def _kind(code_point: int) -> int:
    character = chr(code_point)
    if unicodedata.category(character) == "Cn":
        return UNASSIGNED
    becomes = replacement(code_point)
    if not becomes:
        return VANISHES
    if becomes == " ":
        return CUTS
    if becomes != character:
        return ALONE
    return MARK if unicodedata.combining(character) else JOINS


def _base_36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits
