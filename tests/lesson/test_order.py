"""The reviews whose order matters: by construction no bag of words can tell them, and a recurrent network can."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

import textrnn
from textrnn.lesson.order import BAD, GAPS, GOOD, KINDS, OrderText, order_free, order_matters


def columns(texts: list[OrderText]) -> tuple[list[str], list[str]]:
    return [one.text for one in texts], [one.label for one in texts]


@pytest.mark.parametrize("kind", KINDS)
def test_twins_have_the_same_words_and_other_labels(kind: str) -> None:
    found = order_matters(200, seed=3, kinds=[kind])
    assert len(found) == 400
    for one, other in zip(found[::2], found[1::2], strict=True):
        assert one.pair == other.pair and (one.kind, one.gap) == (other.kind, other.gap) == (kind, other.gap)
        assert Counter(one.text.split()) == Counter(other.text.split()) and one.text != other.text
        assert {one.label, other.label} == {"neg", "pos"}


def meant(text: OrderText) -> str:
    """The label, read off the text by another rule than the one it was written by."""
    words = text.text.split()
    qualities = [(place, word) for place, word in enumerate(words) if word in GOOD or word in BAD]
    (first, one), (second, other) = qualities
    if text.kind == "reference":
        counting = one if words.index("film") < words.index("trailer") else other
    else:
        cue = words.index("not" if text.kind == "negation" else "although")
        counting = other if cue < first else one
        assert cue < first or first < cue < second
    return "pos" if counting in GOOD else "neg"


def test_labels_are_what_the_texts_say() -> None:
    for text in order_matters(300, seed=5):
        assert meant(text) == text.label, text


@pytest.mark.parametrize("gap", [0, 1, 7, 40])
def test_the_gap_lies_between_cue_and_quality(gap: int) -> None:
    for text in order_matters(60, seed=1, gaps=[gap]):
        words = text.text.split()
        first = next(place for place, word in enumerate(words) if word in GOOD or word in BAD)
        if text.kind == "reference":
            assert first - 5 == gap + 1  # five words of the names, then the gap and "are"
        elif (text.kind == "negation" and words[2] == "not") or (text.kind == "contrast" and words[0] == "although"):
            assert first - 3 == gap
        assert text.gap == gap


def test_neither_the_first_nor_the_last_quality_tells_the_label() -> None:
    found = order_matters(3000, seed=2)
    for at in (0, -1):
        sides = [[word for word in one.text.split() if word in GOOD or word in BAD][at] in GOOD for one in found]
        right = sum(side == (one.label == "pos") for side, one in zip(sides, found, strict=True))
        # Whole pairs are right or wrong.
        assert binom.cdf(right // 2, 3000, 0.5) > 1e-4 and binom.sf(right // 2 - 1, 3000, 0.5) > 1e-4


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(CountVectorizer(), LogisticRegression(max_iter=1000)),
        make_pipeline(CountVectorizer(), MultinomialNB()),
        make_pipeline(TfidfVectorizer(), RandomForestClassifier(50, random_state=0)),
    ],
    ids=["logistic regression", "naive Bayes", "random forest"],
)
def test_bags_of_words_are_at_chance(model: object) -> None:
    train, test = order_matters(1500, seed=1), order_matters(1000, seed=2)
    model.fit(*columns(train))  # type: ignore[attr-defined]
    texts, labels = columns(test)
    right = model.predict(texts) == np.array(labels)  # type: ignore[attr-defined]
    assert right.reshape(-1, 2).sum(axis=1).tolist() == [1] * 1000  # of every pair exactly one
    ones = np.random.default_rng(0).integers(0, 2, 1000)  # and on one text of each pair: within binomial bounds
    count = int(right.reshape(-1, 2)[np.arange(1000), ones].sum())
    assert binom.ppf(1e-4, 1000, 0.5) <= count <= binom.ppf(1 - 1e-4, 1000, 0.5)


def test_bags_of_words_tell_the_part_without_order() -> None:
    train, test = order_free(1000, seed=1), order_free(500, seed=2)
    model = make_pipeline(CountVectorizer(), LogisticRegression(max_iter=1000)).fit(*columns(train))
    assert model.score(*columns(test)) == 1.0
    assert Counter(one.label for one in test) == {"neg": 250, "pos": 250}
    assert {one.gap for one in test} == set(GAPS)


def test_the_same_seed_gives_the_same_texts() -> None:
    assert order_matters(50, seed=7) == order_matters(50, seed=7) != order_matters(50, seed=8)
    assert order_free(50, seed=7) == order_free(50, seed=7) != order_free(50, seed=8)


@pytest.mark.parametrize(
    ("how", "told"), [({"gaps": []}, "gaps"), ({"gaps": [-1]}, "gaps"), ({"kinds": ["irony"]}, "irony")]
)
def test_what_cannot_be_made_is_refused(how: dict[str, list[str]], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        order_matters(10, seed=1, **how)  # type: ignore[arg-type]


def test_a_recurrent_network_is_far_above_chance() -> None:
    train, test = order_matters(1000, seed=1, gaps=[0, 3]), order_matters(300, seed=2, gaps=[0, 3])
    texts, labels = columns(train)
    held_out = order_matters(100, seed=3, gaps=[0, 3])
    classifier = textrnn.train(
        [*zip(texts, labels, strict=True)],
        validation=[*zip(*columns(held_out), strict=True)],
        effort="plain",
        cell="gru",
        pooling="last",
        hidden_size=32,
        embedding_size=32,
        dropout=0.0,
        learning_rate=0.01,
        epochs=10,
        metric="accuracy",
    )
    accuracy = classifier.evaluate([*zip(*columns(test), strict=True)]).accuracy.value
    assert accuracy > 0.9
