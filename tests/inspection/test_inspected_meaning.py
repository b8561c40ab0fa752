"""Neighbours, the map, units and behaviour against scikit-learn and by hand."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import cosine_similarity

import textrnn
from inspected import TEXTS, TorchNetwork, classifier
from textrnn.errors import ConfigError, MissingDependencyError
from textrnn.inspection import (
    METHODS,
    deletion,
    embedding_map,
    falls,
    invariance,
    minimum_functionality,
    neighbours,
    suite,
    units,
)
from textrnn.inspection.behaviour import filled, negated, without_last_mark


@pytest.mark.parametrize("members", [1, 3])
def test_neighbours_are_scikit_learns(members: int) -> None:
    made = classifier(members=members)
    words = made.header.vocabulary
    tables = [values for name, values in made.weights.items() if name.endswith("embedding.weight")]
    cosines = np.mean([cosine_similarity(table[[5]], table)[0] for table in tables], axis=0)
    expected = sorted((at for at in range(2, len(words)) if at != 5), key=lambda at: -cosines[at])[:4]
    found = neighbours(made, words[5], count=4)
    assert [word for word, _ in found] == [words[at] for at in expected]
    np.testing.assert_allclose([cosine for _, cosine in found], cosines[expected], atol=1e-6)
    assert len(neighbours(made, words[5], count=99)) == len(words) - 3


def test_words_without_neighbours_are_refused() -> None:
    made = classifier()
    for word in ("unheard", "<UNK>"):
        with pytest.raises(ConfigError, match=f"word: expected one of the 12 words of the vocabulary, got '{word}'"):
            neighbours(made, word)
    made.weights["embedding.weight"][4] = 0
    with pytest.raises(ConfigError, match="the embedding of 'film' is zero"):
        neighbours(made, "film")


def test_the_map_is_scikit_learns() -> None:
    made = classifier(members=2)
    found = embedding_map(made)
    tables = [values[2:] for name, values in made.weights.items() if name.endswith("embedding.weight")]
    oracle = PCA(2, svd_solver="full")
    expected = oracle.fit_transform(np.concatenate(tables, axis=1).astype(np.float64))
    expected *= np.sign(expected[np.abs(expected).argmax(axis=0), [0, 1]])
    np.testing.assert_allclose(found.points, expected, atol=1e-9)
    assert found.explained is not None
    np.testing.assert_allclose(found.explained, oracle.explained_variance_ratio_, atol=1e-9)
    assert embedding_map(made, ["bad", "good", "film"]).words == ("bad", "good", "film")


def test_maps_that_cannot_be_drawn_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = classifier()
    with pytest.raises(ConfigError, match="expected words of the vocabulary, got 'unheard'"):
        embedding_map(made, ["good", "bad", "unheard"])
    with pytest.raises(ConfigError, match="at least three for a map, got 2"):
        embedding_map(made, ["good", "bad"])
    with pytest.raises(ConfigError, match="method: expected pca or umap, got 'tsne'"):
        embedding_map(made, method="tsne")
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingDependencyError, match="this map needs the library umap"):
        embedding_map(made, method="umap")


def test_units_and_their_words_are_those_of_torch_nns_states() -> None:
    made = classifier(cell="gru", bidirectional=True)
    oracle = TorchNetwork(made)
    found = units(made, TEXTS, count=2, around=1)
    assert len(found) == 14
    for unit in found:
        column = unit.unit + 7 * (unit.direction == "right_to_left")
        np.testing.assert_allclose(unit.weight, made.weights["head.weight"][:, column])
        peaks = []
        for number, text in enumerate(TEXTS):
            if len(ids := made.encoder.encode(text)):
                values = oracle.states(oracle.embedded(ids))[0, :, column].detach().numpy()
                peaks.append((values.max(), number, int(values.argmax())))
        expected = sorted(peaks, reverse=True)[:2]
        places = [(one.text, one.token) for one in unit.largest]
        assert places == [(number, token) for _, number, token in expected]
        np.testing.assert_allclose([one.value for one in unit.largest], [peak for peak, *_ in expected], atol=1e-5)
        for moment in unit.largest:
            words = made.encoder.tokens(TEXTS[moment.text])
            assert f"[{words[moment.token]}]" in moment.context
    spreads = [float(np.ptp(unit.weight)) for unit in found]
    assert spreads == sorted(spreads, reverse=True)
    assert len(units(made, TEXTS, most=3)) == 3


def test_templates() -> None:
    assert filled("a {x} {y}", {"x": ["good", "bad"], "y": ["film"]}) == ["a good film", "a bad film"]
    with pytest.raises(ConfigError, match=r"templates: expected words for \{x\} in 'a \{x\}'"):
        filled("a {x}", {})
    made = classifier(labels=["neg", "pos"])
    found = minimum_functionality(made, {"a {x} film": "pos", "bad": "neg"}, {"x": ["good", "great"]})
    assert [case.changed for case in found.cases] == ["a good film", "a great film", "bad"]
    for case in found.cases:
        assert case.passed == (made.predict(case.changed).label == case.label)
        assert case.after == made.predict(case.changed).probabilities[case.label]
    assert found.pass_rate == np.mean([case.passed for case in found.cases])
    with pytest.raises(ConfigError, match="label: expected one of neg, pos, got 'other'"):
        minimum_functionality(made, {"bad": "other"})


def test_variations() -> None:
    assert negated("The film is good.") == "The film is not good."
    assert negated("The film is not good.") is None
    assert negated("Good film") is None
    assert without_last_mark("Good film! ") == "Good film"
    assert without_last_mark("Good film") is None
    assert without_last_mark("...") is None


def test_expectations() -> None:
    made = classifier(labels=["neg", "pos"], cell="gru")
    same = invariance(made, ["good film", "bad"], "nothing", lambda text: text)
    assert same.pass_rate == 1 and same.failures == [] and same.kind == "invariance"
    other = invariance(made, ["good film"], "left out", lambda text: None)
    assert np.isnan(other.pass_rate)
    texts = TEXTS[1:]
    emptied = falls(made, texts, "emptied", lambda text: "")
    for case in emptied.cases:
        first, nothing = made.predict(case.original), made.predict("")
        assert case.before == first.probability and case.after == nothing.probabilities[case.label]
        assert case.passed == (case.after <= case.before + 0.1)


def test_the_suite_of_any_texts() -> None:
    made = classifier(labels=["neg", "pos"], cell="gru")
    found = suite(made, ["The film is good.", "boring", ""])
    assert {test.name: len(test.cases) for test in found} == {
        "distractor behind": 2,
        "distractor before": 2,
        "without the last mark": 1,
        "in capitals": 2,
        "negated": 1,
        "words in another order": 1,
    }
    capitals = next(test for test in found if test.name == "in capitals")
    assert capitals.pass_rate == 1  # the tokenizer makes all letters small
    assert suite(made, ["The film is good."]) == suite(made, ["The film is good."])


@pytest.fixture(scope="module")
def sst2(data_folder: Path) -> tuple[textrnn.Classifier, list[str]]:
    """A small bidirectional minGRU on real sentences, so that every method has something to say, and some others."""
    from textrnn.data import read_examples

    pairs = [(example.text, str(example.label)) for example in read_examples(data_folder / "sst2" / "train.csv.gz")]
    texts = [example.text for example in read_examples(data_folder / "sst2" / "dev.csv.gz")]
    settings: dict[str, Any] = {
        "cell": "mingru",
        "bidirectional": True,
        "pooling": "max",
        "hidden_size": 32,
        "embedding_size": 32,
    }
    made = textrnn.train(pairs[:6000], effort="plain", epochs=4, on_event=lambda event: None, **settings)
    return made, [text for text in texts if len(text.split()) >= 8][:40]


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_deleting_what_is_named_is_worse_than_deleting_at_random(
    sst2: tuple[textrnn.Classifier, list[str]], method: str
) -> None:
    made, texts = sst2
    found = deletion(made, texts, method, repeats=3)
    assert found.texts == len(texts)
    assert found.curve[0] == pytest.approx(found.random[0])
    assert found.area < found.random_area - 0.03, (found.area, found.random_area)


def test_deletion_curves_by_hand() -> None:
    """A model whose scores are a sum over words: the order is known, and so is every point."""
    made = classifier(labels=["neg", "pos"], cell="mingru", ngrams=1)
    for name, values in made.weights.items():
        if not name.startswith("ngrams."):
            values[:] = 0
    made = textrnn.Classifier(made.header, made.weights)
    text = "good bad film story acting the a not very great"
    found = deletion(made, [text, "one", ""], "shares")
    assert found.texts == 1
    weight = {word: made.logits([word])[0] - made.logits([""])[0] for word in text.split()}
    label = int(made.predict_proba([text])[0].argmax())
    order = sorted(text.split(), key=lambda word: weight[word][1 - label] - weight[word][label])
    for count in range(11):
        left = " ".join(word for word in text.split() if word not in order[:count])
        assert found.curve[count] == made.predict_proba([left])[0, label]
    assert found.area == pytest.approx(float(((found.curve[1:] + found.curve[:-1]) / 2).mean()))


def test_curves_that_have_no_meaning_are_refused() -> None:
    from textrnn.errors import DataError
    from textrnn.tasks import Regression

    with pytest.raises(ConfigError, match="this one predicts a number"):
        deletion(classifier(labels=[], task=Regression(mean=0.0, std=1.0)), ["good film"])
    with pytest.raises(DataError, match="expected a text of two tokens"):
        deletion(classifier(), ["good"])


def test_umap_keeps_neighbours_together() -> None:
    pytest.importorskip("umap")
    from sklearn.manifold import trustworthiness

    made = classifier()
    found = embedding_map(made, method="umap", seed=1)
    rows = [made.header.vocabulary.index(word) for word in found.words]
    embeddings = made.weights["embedding.weight"][rows]
    assert trustworthiness(embeddings, found.points, n_neighbors=3) > 0.5
    np.testing.assert_array_equal(found.points, embedding_map(made, method="umap", seed=1).points)
    assert embedding_map(made, list(found.words[:3]), method="umap").points.shape == (3, 2)
