"""The rules against published examples, the Unicode database and linear time."""

import gzip
import re
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textrnn.text import TOKENIZERS, characters, looks_unspaced, whitespace, words
from textrnn.text.tokenizer import nfc


def test_whitespace_is_the_lessons_rule() -> None:
    assert whitespace("This movie  is GREAT,\tand\nfantastic ") == [
        "this",
        "movie",
        "is",
        "great,",
        "and",
        "fantastic",
    ]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't stop.", ["don't", "stop", "."]),
        ("It's 9/10!!", ["it's", "9", "/", "10", "!", "!"]),
        ("a_b", ["a", "_", "b"]),
        ("state-of-the-art", ["state", "-", "of", "-", "the", "-", "art"]),
        ("caf\u00e9 cafe\u0301", ["café", "café"]),  # composed and decomposed are one word
        ("हिन्दी में", ["हिन्दी", "में"]),  # combining marks hold a word together
        ("co\u00adop", ["coop"]),  # a soft hyphen is no character of the word
        ("\u200bzero\u200bwidth", ["zero", "width"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),  # Persian joins with the zero-width non-joiner
        ("❤\ufe0f👍", ["❤", "👍"]),
        ("İstanbul", ["i̇stanbul"]),
        ("\x00\x1f", []),
        ("", []),
    ],
)
def test_words(text: str, tokens: list[str]) -> None:
    assert words(text) == tokens


def test_characters_keep_one_space() -> None:
    assert characters(" 这部 \n 电影 Good ") == ["这", "部", " ", "电", "影", " ", "g", "o", "o", "d"]
    assert characters("ดีมาก") == ["ด", "ี", "ม", "า", "ก"]


@given(st.text())
def test_words_are_maximal_runs_or_single_marks(text: str) -> None:
    def joins(character: str) -> bool:
        return unicodedata.category(character)[0] in "LMN" or character in "'’\u200c\u200d"

    for token in words(text):
        assert all(map(joins, token)) or len(token) == 1
    kept = "".join(words(text))
    expected = [
        character
        for character in unicodedata.normalize("NFC", text).lower()
        if (unicodedata.category(character)[0] not in "ZC" and not 0xFE00 <= ord(character) <= 0xFE0F)
        or character in "\u200c\u200d"
    ]
    assert kept == "".join(expected)


@given(st.text(alphabet=st.characters(codec="ascii")))
def test_words_on_ascii_match_a_regular_expression(text: str) -> None:
    assert words(text) == re.findall(r"[a-z0-9']+|[!-/:-@\[-`{-~]", text.lower())


@given(st.text())
def test_characters_are_the_text_without_spaces(text: str) -> None:
    tokens = characters(text)
    assert all(len(token) == 1 for token in tokens)
    assert "".join(tokens).split() == unicodedata.normalize("NFC", text).lower().split()


@given(st.text())
def test_nfc_is_the_standards_form_where_no_run_of_marks_is_absurd(text: str) -> None:
    assert nfc(text) == unicodedata.normalize("NFC", text)


def test_long_runs_of_marks_are_cut_as_the_stream_safe_text_process_does() -> None:
    assert nfc("a" + "\u0327" * 61) == "a" + "\u0327" * 30 + "\u034f" + "\u0327" * 30 + "\u034f" + "\u0327"
    assert not any(unicodedata.combining(chr(code)) for code in range(0x1F000, sys.maxunicode + 1))


@pytest.mark.parametrize("rule", TOKENIZERS)
def test_time_is_linear(rule: str) -> None:
    # Sorting the marks of one letter is the only step that is not linear: 200,000 marks take it 40 seconds.
    hostile = "a" + "\u0301" * 100_000 + "\u0327" * 100_000
    sorted_runs = re.findall("[\u0301\u0327]+", nfc(hostile))
    assert max(map(len, sorted_runs)) <= 30
    assert TOKENIZERS[rule](hostile)


def test_unspaced_scripts_are_recognised(data_folder: Path) -> None:
    with gzip.open(data_folder / "th_wisesight" / "train.csv.gz", "rt", encoding="utf-8") as thai:
        assert looks_unspaced(thai.read(5000))
    assert looks_unspaced("这部电影很好看") and looks_unspaced("この映画は面白い")
    assert not looks_unspaced("This movie is great") and not looks_unspaced("좋은 영화") and not looks_unspaced("12 !")
