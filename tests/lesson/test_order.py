"""The generator of reviews: what a bag of words can know, and what a network learns."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import textrnn
from textrnn.lesson import OrderReview, order_reviews
from textrnn.lesson.order import NEUTRAL, OPPOSITE, WORDS


def texts_and_labels(reviews: list[OrderReview]) -> tuple[list[str], list[str]]:
    return [review.text for review in reviews], [review.label for review in reviews]


@pytest.mark.parametrize("kinds", [("contrast",), ("negation",), ("contrast", "negation")])
def test_twins_have_the_same_words_and_other_labels(kinds: tuple[str, ...]) -> None:
    reviews = order_reviews(200, gaps=(0, 3, 9), kinds=kinds, seed=1)  # type: ignore[arg-type]
    assert {review.kind for review in reviews} == set(kinds) and {review.gap for review in reviews} == {0, 3, 9}
    for positive, negative in zip(reviews[::2], reviews[1::2], strict=True):
        assert (positive.label, negative.label) == ("positive", "negative")
        assert Counter(positive.text.split()) == Counter(negative.text.split()) and positive.text != negative.text
        assert positive[2:] == negative[2:]
        assert sum(word in NEUTRAL for word in positive.text.split()) == positive.gap


@pytest.mark.parametrize("part", ["order", "agree"])
def test_the_writers_clause_says_the_label(part: str) -> None:
    """Read out of the text again."""
    kind_of = {word: label for label, words in WORDS.items() for word in words}
    for review in order_reviews(200, part=part, gaps=(0, 2), seed=2):  # type: ignore[arg-type]
        clauses = {}
        for who, beginning in (("writer", "i found it "), ("critics", "the critics found it ")):
            place = review.text.index(beginning) + len(beginning)
            words = review.text[place:].split()
            found = kind_of[words[1] if words[0] == "not" else words[0]]
            clauses[who] = OPPOSITE[found] if words[0] == "not" else found
        assert clauses["writer"] == review.label and (clauses["critics"] == review.label) == (part == "agree")
        assert review.text.startswith("i found it") == review.writer_first
        assert ("not" in review.text.split()) == (review.kind == "negation")


@pytest.mark.parametrize("model", [LogisticRegression(), LinearSVC(), LogisticRegression(C=100)])
def test_a_bag_of_words_is_right_on_exactly_half(model: object) -> None:
    learn = order_reviews(300, gaps=(0, 5), seed=3) + order_reviews(300, part="agree", gaps=(0, 5), seed=4)
    bag = make_pipeline(CountVectorizer(token_pattern=r"\S+"), model).fit(*texts_and_labels(learn))
    texts, labels = texts_and_labels(order_reviews(250, gaps=(0, 5), seed=5))
    assert np.mean(bag.predict(texts) == np.array(labels)) == 0.5


def test_words_are_enough_where_both_agree() -> None:
    learn = order_reviews(200, part="agree", kinds=("contrast",), seed=6)
    bag = make_pipeline(CountVectorizer(), LogisticRegression()).fit(*texts_and_labels(learn))
    assert bag.score(*texts_and_labels(order_reviews(200, part="agree", kinds=("contrast",), seed=7))) == 1.0


def test_a_recurrent_network_reads_the_order() -> None:
    learn = order_reviews(500, gaps=(0, 5), seed=1) + order_reviews(500, part="agree", gaps=(0, 5), seed=2)
    settings: dict[str, Any] = {
        "effort": "plain",
        "cell": "gru",
        "pooling": "last",
        "hidden_size": 32,
        "embedding_size": 16,
    }
    model = textrnn.train(*texts_and_labels(learn), **settings, epochs=12, learning_rate=0.003, dropout=0.0, patience=0)
    assert model.evaluate(*texts_and_labels(order_reviews(200, gaps=(0, 5), seed=3))).accuracy.value > 0.95


def test_seeds_and_refusals() -> None:
    assert order_reviews(20, gaps=(4,), seed=1) == order_reviews(20, gaps=(4,), seed=1)
    assert order_reviews(20, gaps=(4,), seed=1) != order_reviews(20, gaps=(4,), seed=2)
    assert order_reviews(0, seed=1) == []
    for wrong, message in (
        ({"part": "words"}, "part: expected 'order' or 'agree', got 'words'"),
        ({"kinds": ()}, "kinds: expected some of"),
        ({"kinds": ("irony",)}, "kinds: expected some of"),
        ({"gaps": ()}, "at least one gap"),
        ({"gaps": (-1,)}, "no negative number"),
    ):
        with pytest.raises(ValueError, match=message):
            order_reviews(3, seed=1, **wrong)
