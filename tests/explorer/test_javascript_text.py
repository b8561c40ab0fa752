"""The text rules in JavaScript against those in Python, on every code point and on drawn texts."""

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from javascript import needs_node, run_javascript
from textrnn.explorer import unicode_kinds
from textrnn.text import TOKENIZERS, truncate
from textrnn.text.ngrams import NgramRule, hash_of, keys_of_tokens
from texts import TEXTS

pytestmark = needs_node

TOKENS = "answer(input.texts.map((text) => new Tokenizer(input.rule, kinds).tokens(text)));"


def as_javascript_has_it(text: str) -> str:
    """Two halves of a pair beside each other are one character there."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


@pytest.mark.parametrize("rule", TOKENIZERS)
def test_every_code_point(rule: str) -> None:
    """Alone between letters, and after a letter that it may compose with."""
    letters, tags = range(unicode_kinds.LAST_LETTER), range(0xDFF00, 0xE0300)
    others = [0x40000, 0x9ABCD, 0xEFFFF, 0xF0000, 0x100000, 0x10FFFF]
    unknown_to_node = set(
        run_javascript(
            "const found = []; for (let code = 0; code < 0x40000; code++)"
            " if (/\\p{Cn}/u.test(String.fromCodePoint(code))) found.push(code); answer(found);"
        )
    )
    codes = [
        code
        for code in (*letters, *tags, *others)
        if unicodedata.category(chr(code)) == "Cn" or code not in unknown_to_node
    ]
    assert len(codes) > 250_000
    texts = [
        " ".join(f"x{chr(code)}y Q{chr(code)} {chr(code)}" for code in codes[begin : begin + 512])
        for begin in range(0, len(codes), 512)
    ]
    found = run_javascript(TOKENS, rule=rule, texts=texts)
    for text, tokens in zip(texts, found, strict=True):
        assert tokens == TOKENIZERS[rule](text)


@pytest.mark.parametrize("rule", TOKENIZERS)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(TEXTS, min_size=30, max_size=60))
def test_drawn_texts(rule: str, texts: list[str]) -> None:
    texts = [as_javascript_has_it(text) for text in texts]
    assert run_javascript(TOKENS, rule=rule, texts=texts) == [TOKENIZERS[rule](text) for text in texts]


@pytest.mark.parametrize("rule", TOKENIZERS)
def test_marks_without_end_and_sigmas(rule: str) -> None:
    texts = [
        *("a" + "\u0301\u0316" * count for count in (14, 15, 16, 31, 500)),
        *("a" + "\u0301" * count + "\u0316" for count in (29, 30, 31, 59, 60, 61)),
        *("ΟΔΥΣΣΕΥΣ", "ΑΣ. ΣΑ", "Σ", "ΑΣ\u0301Β", "A\u00adΣ", "İI", "Å K Ω", "가\u11a8", "a\u200db", "\ufeffa b\ufeff"),
        *("\x1ca\x1db\x85c", "  很好 看 ", "\u2003x\u2003\u2003y\u3000", "<PAD> <UNK>", "don’t o'clock"),
    ]
    assert run_javascript(TOKENS, rule=rule, texts=texts) == [TOKENIZERS[rule](text) for text in texts]


@pytest.mark.parametrize("keep", ["head", "tail", "both"])
def test_cutting(keep: str) -> None:
    counts = list(range(14))
    for max_length in (1, 2, 5, 12):
        found = run_javascript(
            "answer(input.counts.map((count) => keptPlaces(count, input.most, input.keep)));",
            counts=counts,
            most=max_length,
            keep=keep,
        )
        expected = [truncate([str(at) for at in range(count)], max_length, keep) for count in counts]
        assert [[str(at) for at in row] for row in found] == expected


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(TEXTS, min_size=10, max_size=20), tokens=st.integers(0, 5), characters=st.integers(0, 5))
def test_keys_of_ngrams(texts: list[str], tokens: int, characters: int) -> None:
    """The same different keys in all, and the same hashes."""
    cut = [TOKENIZERS["words"](as_javascript_has_it(text)) for text in texts]
    code = """
    answer(input.texts.map((tokens) => {
      const tensors = { "ngrams.key": [], "ngrams.weight": [], "ngrams.bias": [0] };
      const part = new Ngrams(tensors, input.longest[0], input.longest[1]);
      part.placeOf = (key) => key;
      return [tokens.map((token) => hashOf(token).join(" ")), part.read(tokens).grams.map((gram) => gram.place)];
    }));
    """
    for row, (hashes, keys) in zip(cut, run_javascript(code, texts=cut, longest=[tokens, characters]), strict=True):
        assert hashes == [f"{hash_of(token) >> 32} {hash_of(token) & 0xFFFFFFFF}" for token in row]
        assert sorted(keys) == sorted(keys_of_tokens(row, NgramRule(tokens, characters)).tolist())


def test_kinds_of_code_points_are_short_and_whole() -> None:
    runs = unicode_kinds.code_point_runs().split(" ")
    assert sum(int(run[:-1], 36) for run in runs) == unicode_kinds.TAGS.stop
    assert len(" ".join(runs)) < 10_000  # what every page carries
