"""N-grams as keys, against sets of tuples; native code against Python."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textrnn.text.ngram_reader import NgramReader
from textrnn.text.ngrams import NgramRule, hash_of, keys_of_tokens, places_of
from textrnn.text.tokenizer import TOKENIZERS, characters, words

TOKENS = st.lists(st.text("abé你👍", min_size=1, max_size=6), max_size=9)
RULES = [NgramRule(1), NgramRule(3), NgramRule(0, 4), NgramRule(2, 5)]


def test_hash_of_published_values() -> None:
    # Landon Curt Noll's test vectors of FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
    assert hash_of("") == 0xCBF29CE484222325
    assert hash_of("a") == 0xAF63DC4C8601EC8C
    assert hash_of("foobar") == 0x85944171F73967E8


def key(parts: tuple[int, ...], kind: int = 0) -> int:
    """The formula once more, in Python's whole numbers."""
    value = 0
    for part in parts:
        value = (value + part + 1) * 0x9E3779B97F4A7C15 % 2**64
    return kind * 2**30 + (value >> 34)


def expected(tokens: list[str], rule: NgramRule) -> set[int]:
    """By slices of every length."""
    marked = [hash_of(""), *map(hash_of, tokens)]
    found = {
        key(tuple(marked[first : first + length]))
        for length in range(1, rule.tokens + 1)
        for first in range(len(marked) - length + 1)
        if (first, length) != (0, 1)
    }
    for token in tokens:
        signs = (0x110000, *(ord(sign) for sign in token), 0x110001)
        found |= {
            key(signs[first : first + length], 1)
            for length in range(1, rule.characters + 1)
            for first in range(len(signs) - length + 1)
            if length > 1 or 0 < first < len(signs) - 1
        }
    return found


@given(TOKENS, st.sampled_from(RULES))
def test_a_text_has_the_keys_of_its_different_ngrams(tokens: list[str], rule: NgramRule) -> None:
    keys = keys_of_tokens(tokens, rule)
    assert keys.dtype == np.int32 and len(set(keys.tolist())) == len(keys)
    assert set(keys.tolist()) == expected(tokens, rule)
    kinds = keys >= 2**30
    assert not (kinds[:-1] & ~kinds[1:]).any()  # those of tokens come first


ODD = [
    "",
    " ",
    "Good, GOOD film!!",
    "Ünïcode ß ΣΑΣ İstanbul",  # what is left to Python: final sigma, a lower case of two characters
    "e\u0301tude caf\u00e9 \u1e9b\u0323",  # composed by normal form C
    "a👍🏽b \ud83d half",  # half a surrogate pair
    "ไทย ภาษา 很好看",
    "x" * 5000 + " y " * 300,
]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_native_code_reads_what_python_reads(tokenizer: str, rule: NgramRule) -> None:
    texts = ODD * 20
    native, python = (NgramReader(tokenizer, rule, native=native).keys(texts) for native in (True, False))
    np.testing.assert_array_equal(native.offsets, python.offsets)
    np.testing.assert_array_equal(native.ids, python.ids)
    for text, (begin, end) in zip(texts, pairwise(native.offsets.tolist()), strict=True):
        assert set(native.ids[begin:end].tolist()) == expected(TOKENIZERS[tokenizer](text), rule)


@given(st.lists(st.text(max_size=40), max_size=8))
def test_native_code_reads_drawn_texts_as_python_does(texts: list[str]) -> None:
    rule = NgramRule(2, 3)
    native, python = (NgramReader("words", rule, native=native).keys(texts) for native in (True, False))
    np.testing.assert_array_equal(native.offsets, python.offsets)
    np.testing.assert_array_equal(native.ids, python.ids)


def test_no_texts() -> None:
    for native in (True, False):
        keys, offsets = NgramReader("words", NgramRule(2, 3), native=native).keys([])
        assert len(keys) == 0 and offsets.tolist() == [0]


def test_a_text_is_read_from_its_beginning_only_where_it_begins() -> None:
    rule = NgramRule(2)
    whole, first, rest = (set(keys_of_tokens(tokens, rule).tolist()) for tokens in (["a", "b"], ["a"], ["b"]))
    continued = set(keys_of_tokens(["a", "b"], rule, begins=False).tolist())
    assert whole == continued | first and not rest <= whole


def test_hundred_thousand_pairs_hardly_collide() -> None:
    texts = [[f"left{a}", f"right{b}"] for a in range(316) for b in range(316)]
    rule = NgramRule(2)
    different = len(np.unique(np.concatenate([keys_of_tokens(text, rule) for text in texts])))
    grams = 316**2 + 3 * 316  # pairs, both words, and the left one at the beginning
    # n^2 / 2^31 pairs are expected to share a key, as of random numbers: about 5.
    assert grams - 25 < different <= grams


def test_places_of_unknown_keys() -> None:
    known = np.array([3, 5, 9], dtype=np.int32)
    assert places_of(np.array([5, 4, 9, 3, 10], dtype=np.int32), known).tolist() == [1, -1, 2, 0, -1]
    assert places_of(np.array([1], dtype=np.int32), known[:0]).tolist() == [-1]


def test_characters_are_tokens_of_their_own() -> None:
    read = NgramReader("characters", NgramRule(2)).keys(["ab b"])
    assert set(read.ids.tolist()) == expected(characters("ab b"), NgramRule(2)) != expected(words("ab b"), NgramRule(2))
