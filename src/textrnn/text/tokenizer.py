"""Text to tokens: a table of rules, each linear in the length of the text.

A rule is named in the model file, so its meaning never changes: a better rule gets a new name.
"""

import functools
import re
import unicodedata
from collections.abc import Callable
from itertools import groupby

Tokenizer = Callable[[str], list[str]]


def whitespace(text: str) -> list[str]:
    """The lesson's rule: lower-case, cut at white space; punctuation stays on its word.

    >>> whitespace("Loved it, truly!")
    ['loved', 'it,', 'truly!']
    """
    return text.lower().split()


def words(text: str) -> list[str]:
    """Unicode NFC, lower-case; a token is a run of letters, digits and apostrophes, or one punctuation mark or symbol.

    >>> words("Don't miss it: 9/10!!")
    ["don't", 'miss', 'it', ':', '9', '/', '10', '!', '!']

    By Unicode general category: letters (L), numbers (N), combining marks (M: without them Hindi or Thai words would
    fall apart) and the apostrophes ' and ’ join; the joiners U+200C and U+200D join; soft hyphens and variation
    selectors vanish; separators (Z) and the other control characters (C) only cut; whatever remains (P, S) stands
    alone.
    """
    return nfc(text).lower().translate(_WORD_TABLE).split()


def characters(text: str) -> list[str]:
    """Unicode NFC, lower-case; every character is a token, a run of white space is the one token " ".

    For scripts that do not put spaces between words (Chinese, Japanese, Thai, …).

    >>> characters("  很好 看")
    ['很', '好', ' ', '看']
    """
    tokens: list[str] = []
    for is_space, run in groupby(nfc(text).lower().strip(), str.isspace):
        tokens.extend(" " if is_space else run)
    return tokens


def nfc(text: str) -> str:
    """Unicode normal form C, in linear time.

    Sorting the combining marks on one letter is quadratic in their number: 200,000 marks in a row take
    `unicodedata.normalize` 20 seconds. So runs beyond 30 are cut with U+034F first, which is the Stream-Safe Text
    Process of Unicode Standard Annex 15, section 13; no language comes near that number.
    """
    if text.isascii():
        return text
    long_run = _long_run_of_marks()
    if long_run.search(text):
        text = long_run.sub("\\g<0>\u034f", text)
    return unicodedata.normalize("NFC", text)


@functools.cache
def _long_run_of_marks() -> re.Pattern[str]:
    # Combining marks end before U+1F000; looking through these 127,000 code points once takes about 10 ms.
    marks = "".join(chr(code) for code in range(0x300, 0x1F000) if unicodedata.combining(chr(code)))
    return re.compile(f"[{marks}]{{30}}(?=[{marks}])")


def replacement(code_point: int) -> str:
    """What `words` puts in the place of a code point: nothing, a space, itself, or itself between spaces."""
    character = chr(code_point)
    category = unicodedata.category(character)
    if character == "\u00ad" or 0xFE00 <= code_point <= 0xFE0F:
        return ""
    if category[0] in "LMN" or character in "'’\u200c\u200d":
        return character
    return " " if category[0] in "ZC" else f" {character} "


class _WordTable(dict[int, str]):
    """The replacements, filled as code points are met, for there are a million."""

    def __missing__(self, code_point: int) -> str:
        self[code_point] = replacement(code_point)
        return self[code_point]


_WORD_TABLE = _WordTable()

TOKENIZERS: dict[str, Tokenizer] = {"words": words, "whitespace": whitespace, "characters": characters}
"""Every rule by the name it has in a model file."""


def looks_unspaced(text: str) -> bool:
    """Whether most letters belong to scripts written without spaces, for which `characters` is the rule to use.

    Han, Hiragana, Katakana, Thai, Lao, Myanmar and Khmer letters have names that begin so in the Unicode database.
    """
    letters = [character for character in text[:2000] if character.isalpha()]
    unspaced = sum(unicodedata.name(character, "").startswith(_UNSPACED_SCRIPTS) for character in letters)
    return 2 * unspaced > len(letters)


_UNSPACED_SCRIPTS = ("CJK ", "HIRAGANA ", "KATAKANA ", "THAI ", "LAO ", "MYANMAR ", "KHMER ")
