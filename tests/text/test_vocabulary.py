"""The vocabulary against `Counter.most_common` and scikit-learn's CountVectorizer."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from textrnn.text import UNK_ID, Vocabulary

TEXTS = st.lists(st.lists(st.sampled_from("a b c d e f <PAD> <UNK>".split()), max_size=8), max_size=8)


@given(TEXTS)
def test_order_is_that_of_most_common(texts: list[list[str]]) -> None:
    counts = Counter(token for tokens in texts for token in tokens if not token.startswith("<"))
    assert Vocabulary.build(texts).tokens == ["<PAD>", "<UNK>", *(token for token, _ in counts.most_common())]


def test_ties_stand_in_the_order_of_first_appearance() -> None:
    assert Vocabulary.build([["b", "a"], ["c", "a"]]).tokens == ["<PAD>", "<UNK>", "a", "b", "c"]


@given(TEXTS, st.integers(1, 4), st.integers(2, 8))
def test_limits(texts: list[list[str]], min_count: int, max_size: int) -> None:
    whole = Vocabulary.build(texts).tokens
    counts = Counter(token for tokens in texts for token in tokens)
    expected = whole[:2] + [token for token in whole[2:] if counts[token] >= min_count]
    assert Vocabulary.build(texts, min_count=min_count, max_size=max_size).tokens == expected[:max_size]


def test_same_words_as_scikit_learn() -> None:
    texts = ["the cat sat", "the dog sat on the mat", "a cat"]
    vectorizer = CountVectorizer(token_pattern=r"\S+", max_features=3).fit(texts)
    built = Vocabulary.build([text.split() for text in texts], max_size=5)
    assert set(built.tokens[2:]) == set(vectorizer.vocabulary_)


def test_encode_and_decode() -> None:
    vocabulary = Vocabulary(["<PAD>", "<UNK>", "good", "film"])
    assert vocabulary.encode(["good", "bad", "film"]) == [2, 1, 3]
    assert vocabulary.decode([2, 1, 0]) == ["good", "<UNK>", "<PAD>"]
    assert len(vocabulary) == 4 and "film" in vocabulary and "bad" not in vocabulary
    for index in (4, -1):
        with pytest.raises(IndexError):
            vocabulary.decode([index])


def test_a_text_cannot_write_padding() -> None:
    vocabulary = Vocabulary.build([["<PAD>", "<UNK>", "x", "<PAD>"]])
    assert vocabulary.tokens == ["<PAD>", "<UNK>", "x"]
    assert vocabulary.encode(["<PAD>", "<UNK>"]) == [UNK_ID, UNK_ID]


def test_half_a_surrogate_pair_gets_no_id() -> None:
    assert Vocabulary.build([["\ud83d", "x"]]).tokens == ["<PAD>", "<UNK>", "x"]


@pytest.mark.parametrize("tokens", [[], ["<PAD>"], ["a", "b"], ["<UNK>", "<PAD>"]])
def test_the_first_two_are_special(tokens: list[str]) -> None:
    with pytest.raises(ValueError, match="first two"):
        Vocabulary(tokens)


def test_no_token_twice() -> None:
    with pytest.raises(ValueError, match="'x' occurs twice"):
        Vocabulary(["<PAD>", "<UNK>", "x", "y", "x"])
