"""Models of several parts: what the n-grams learn, how parts are weighed, what is kept."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

import textrnn
from textrnn.config import TrainingConfig
from textrnn.runtime import softmax
from textrnn.runtime.ngram_scores import NgramScores
from textrnn.text.ngrams import NgramRule
from textrnn.training import newton
from textrnn.training.effort import TOKENS, DataSize, settings_for
from textrnn.training.ngram_weights import STRENGTHS, fit_ngrams
from textrnn.training.parts import fit_scales

RNG = np.random.default_rng(5)


def data(texts: int, classes: int) -> tuple[list[str], np.ndarray]:
    """Texts whose class decides which words are frequent."""
    targets = RNG.integers(0, classes, size=texts)
    ids = [
        np.where(RNG.random(n) < 0.3, 2 + target, RNG.integers(10, 30, size=n)).tolist()
        for n, target in zip(RNG.integers(3, 12, size=texts), targets, strict=True)
    ]
    return [" ".join(f"w{id}x" for id in some) for some in ids], targets


@pytest.mark.parametrize(("classes", "weighted"), [(2, False), (4, False), (2, True), (4, True)])
def test_ngrams_learn_what_scikit_learn_does(classes: int, weighted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The matrix and the ratios are made anew here, from scikit-learn's counts of words and of their characters."""
    monkeypatch.setattr(newton, "ENOUGH", 1e-7)
    texts, targets = data(300, classes)
    texts.append("alone")  # what one text holds counts, but is not learned
    targets = np.append(targets, 0)
    rule = NgramRule(1, 2)
    weights = RNG.random(len(texts)) if weighted else np.ones(len(texts))
    given = weights if weighted else None
    part = fit_ngrams(texts, targets, None, None, tokenizer="words", rule=rule, classes=classes, weights=given)
    present, roots = [], []
    for analyzer, lengths in (("word", (1, 1)), ("char_wb", (1, 2))):
        counter = CountVectorizer(analyzer=analyzer, ngram_range=lengths, binary=True)
        matrix = counter.fit_transform(texts).toarray().astype(float)
        matrix = matrix[:, [name != " " for name in counter.get_feature_names_out()]]
        root = np.sqrt(matrix.sum(axis=1))
        present.append(matrix[:, matrix.sum(axis=0) > 1])
        roots.append(root.mean() / root)
    decisions = []
    for k in range(classes):
        inside = targets == k
        scaled = []
        for matrix, root in zip(present, roots, strict=True):
            counted = matrix * weights[:, None]
            p, q = 1 + counted[inside].sum(axis=0), 1 + counted[~inside].sum(axis=0)
            scaled.append(matrix * root[:, None] * (np.log(p / p.sum()) - np.log(q / q.sum())))
        features = np.hstack(scaled)
        model = LogisticRegression(C=part.strength, solver="liblinear", tol=1e-7, max_iter=1000).fit(
            features, inside, sample_weight=weights
        )
        decisions.append(model.decision_function(features))
    scores = NgramScores(part.tensors(), "words", rule).scores(texts)
    if classes == 2:
        np.testing.assert_allclose(scores[:, 1] - scores[:, 0], decisions[1], atol=1e-3)
    else:
        np.testing.assert_allclose(scores, np.stack(decisions, axis=1), atol=1e-3)


def test_the_strength_with_the_least_loss_is_found() -> None:
    texts, targets = data(400, 2)
    half = {"tokenizer": "words", "rule": NgramRule(1), "classes": 2}
    part = fit_ngrams(texts[:200], targets[:200], texts[200:], targets[200:], **half)  # type: ignore[arg-type]

    def loss(some: Any) -> float:
        scores = NgramScores(some.tensors(), "words", NgramRule(1)).scores(texts[200:]).astype(float)
        factors = np.exp(np.linspace(-4, 4, 801))
        return float(min(log_loss(targets[200:], softmax(factor * scores)) for factor in factors))

    found = loss(part)
    assert part.strength in STRENGTHS
    assert found <= loss(fit_ngrams(texts[:200], targets[:200], None, None, **half)) + 1e-9  # type: ignore[arg-type]


def test_scales_have_the_least_log_loss() -> None:
    targets = RNG.integers(0, 3, size=400)
    one, other = (RNG.normal(size=(400, 3)) + np.eye(3)[targets] * strength for strength in (1.5, 0.7))
    scales = fit_scales([one, other], targets)
    found = minimize(
        lambda some: (
            log_loss(targets, softmax(some[0] * one + some[1] * other))
            + 5 / len(targets) * ((some[0] - 0.5) ** 2 + (some[1] - 0.5) ** 2)
        ),
        [0.5, 0.5],
        method="Nelder-Mead",
    )
    np.testing.assert_allclose(scales, found.x, atol=2e-3)
    # What only disturbs gets nothing.
    assert fit_scales([one, -other], targets)[1] == pytest.approx(0, abs=1e-6)


REVIEWS = [
    (f"{word} film number {n} of {n % 7}", label)
    for n in range(60)
    for word, label in (("good", "pos"), ("bad", "neg"), ("fine", "pos"), ("poor", "neg"))
]
SMALL: dict[str, Any] = {"embedding_size": 6, "hidden_size": 8, "epochs": 2, "seed": 3, "timings": False}


def test_several_networks_and_ngrams_make_one_model(tmp_path: Path) -> None:
    events: list[Any] = []
    classifier = textrnn.train(
        REVIEWS, effort="plain", members=3, ngrams=2, calibrate=True, r_drop=0.5, on_event=events.append, **SMALL
    )
    parts = classifier.header.provenance.parts  # type: ignore[union-attr]
    assert [part.part for part in parts] == ["network"] * 3 + ["n-grams"]
    assert {event.network for event in events} == {1, 2, 3}
    assert not np.array_equal(classifier.weights["members.0.head.weight"], classifier.weights["members.1.head.weight"])
    path = tmp_path / "m.textrnn"
    classifier.save(path)
    assert textrnn.load(path).predict_proba(["a good film"]) == pytest.approx(classifier.predict_proba(["a good film"]))
    provenance = classifier.header.provenance
    assert provenance is not None
    # The prior holds the scales back where few validation texts are all right: sure, but not surer than its best part.
    best = min(part.validation["loss"] for part in parts if part.validation)
    assert provenance.metrics["accuracy"] == 1 and best < provenance.metrics["loss"] < 0.1


def test_interrupted_and_resumed_training_of_several_networks_is_the_same(tmp_path: Path) -> None:
    settings = SMALL | {"members": 2, "ngrams": 1, "effort": "plain"}
    whole = textrnn.train(REVIEWS, **settings)

    def interrupt(event: object) -> None:
        if getattr(event, "network", 1) == 2 and getattr(event, "index", 0) == 3:
            raise KeyboardInterrupt

    part = textrnn.train(REVIEWS, checkpoint=tmp_path / "c", on_event=interrupt, **settings)
    assert part.header.provenance is not None and part.header.provenance.interrupted and part.header.model.members == 1
    resumed = textrnn.train(REVIEWS, checkpoint=tmp_path / "c", resume=True, **settings)
    assert whole.weights.keys() == resumed.weights.keys()
    for name, tensor in whole.weights.items():
        np.testing.assert_array_equal(tensor, resumed.weights[name], err_msg=name)


def test_in_the_end_the_ngrams_learn_from_all_texts_that_were_given() -> None:
    """Strength and scales are those that the validation texts chose; what is learned with them is learned anew."""
    texts, targets = data(200, 2)
    model = textrnn.train(texts, targets.tolist(), ngrams=1, effort="plain", **SMALL)
    provenance = model.header.provenance
    assert provenance is not None
    part, known = provenance.parts[-1], provenance.data
    assert part.part == "n-grams" and part.learned_from == 200 == known.examples + known.validation_examples
    learn = partial(fit_ngrams, texts, targets, None, None, tokenizer="words", rule=NgramRule(1), classes=2)
    anew = [part.scale * learn(strength=strength).weight for strength in STRENGTHS]
    assert sum(np.allclose(model.weights["ngrams.weight"], weight, atol=1e-5) for weight in anew) == 1


def test_texts_that_were_given_for_validation_are_not_learned_from() -> None:
    texts, targets = data(200, 2)
    settings: dict[str, Any] = SMALL | {"ngrams": 1, "effort": "plain"}
    given = textrnn.train(
        texts[:150],
        targets[:150].tolist(),
        validation=texts[150:],
        validation_labels=targets[150:].tolist(),
        **settings,
    )
    compared = textrnn.train(texts, targets.tolist(), baseline=True, **settings)
    for model in (given, compared):
        assert model.header.provenance is not None and model.header.provenance.parts[-1].learned_from is None


def test_characters_are_read_for_longer_and_triples_of_words_where_they_are_few() -> None:
    lengths = np.full(20_000, 60)
    spelled, read = (
        settings_for("default", DataSize(20_000, 2, lengths, characters=some), {}) for some in (True, False)
    )
    assert spelled["epochs"] > read["epochs"] and spelled["ngrams"] == 5 and spelled["character_ngrams"] == 0
    few, many = (
        settings_for("default", DataSize(20_000, classes, np.full(20_000, 200), characters=False), {})
        for classes in (2, 40)
    )
    assert few["ngrams"] == 3 and many["ngrams"] == 2 and few["character_ngrams"] == many["character_ngrams"] == 0


def test_effort_never_changes_what_the_user_chose_and_costs_more() -> None:
    size = DataSize(8000, 2, np.full(8000, 20), characters=False)
    chosen = {"cell": "elman", "epochs": 1, "members": 2}
    for effort in ("plain", "quick", "default", "best"):
        assert settings_for(effort, size, chosen).items() >= chosen.items()
    cost = []
    for effort in ("quick", "default", "best"):
        found = settings_for(effort, size, {})
        cost.append(found["members"] * found["epochs"] * (2 if found["r_drop"] else 1))
    assert cost == sorted(cost) and len(set(cost)) == 3


@pytest.mark.parametrize(("losses", "readings"), [(("adversarial",), 2), (("adversarial", "virtual_adversarial"), 4)])
def test_adversarial_losses_count_as_readings(losses: tuple[str, ...], readings: int) -> None:
    size = DataSize(300_000, 2, np.full(300_000, 20), characters=False)
    found = settings_for("best", size, dict.fromkeys(losses, 1.0) | {"epochs": 3})
    tokens = 3 * 28 * 300_000
    assert found["r_drop"] == 0
    assert found["members"] * readings * tokens <= TOKENS["best"] < (found["members"] + 1) * readings * tokens


def test_networks_from_a_base_are_noised_less_and_may_read_more() -> None:
    size = DataSize(22_500, 2, np.full(22_500, 210), characters=False)
    alone, begun = (settings_for("default", size, {"hidden_size": 256}, base=base) for base in (False, True))
    assert begun["word_dropout"] < alone["word_dropout"]
    assert begun["dropout"] == alone["dropout"] < TrainingConfig().dropout
    assert begun["epochs"] < alone["epochs"] and begun["members"] > alone["members"] == 1
    assert settings_for("best", size, {"dropout": 0.4, "word_dropout": 0.5}, base=True).items() >= {
        ("dropout", 0.4),
        ("word_dropout", 0.5),
    }


def test_variational_dropout_that_the_user_asks_for_is_not_replaced() -> None:
    size = DataSize(8000, 2, np.full(8000, 20), characters=False)
    assert settings_for("default", size, {})["dropout_by_word"]
    assert not settings_for("default", size, {"variational": True})["dropout_by_word"]
    both = {"variational": True, "dropout_by_word": True}
    assert settings_for("default", size, both).items() >= both.items()


def test_long_texts_cost_members_not_epochs() -> None:
    short = settings_for("default", DataSize(25_000, 2, np.full(25_000, 20), characters=False), {})
    long = settings_for("default", DataSize(25_000, 2, np.full(25_000, 300), characters=False), {})
    assert long["members"] < short["members"] and long["epochs"] == short["epochs"]
    assert long["training_length"] == 256 and short["training_length"] == 32
    assert long["max_length"] == 1024 and short["max_length"] == 128
    chosen = settings_for("default", DataSize(9, 2, np.full(9, 20), characters=False), {"max_length": 50})
    assert (chosen["max_length"], chosen["training_length"]) == (50, 0)


def test_a_reading_that_the_user_does_without_leaves_room_for_networks() -> None:
    size = DataSize(25_000, 2, np.full(25_000, 200), characters=False)
    twice, once = (settings_for("default", size, {"epochs": 2, "r_drop": weight}) for weight in (1.0, 0.0))
    assert twice["members"] == 2 and once["members"] == 3


def test_wide_networks_only_where_two_are_affordable() -> None:
    few, many, long = (
        settings_for("default", DataSize(examples, classes, np.full(examples, length), characters=False), {})
        for examples, classes, length in ((7_000, 2, 20), (70_000, 2, 30), (25_000, 2, 300))
    )
    assert few["hidden_size"] == 2 * many["hidden_size"] == 2 * long["hidden_size"]
    assert few["r_drop"] > 0 == many["r_drop"] == long["r_drop"] and few["members"] >= 2
    assert few["character_ngrams"] > 0 == long["character_ngrams"]


def test_few_validation_texts_neither_silence_a_part_nor_make_it_sure() -> None:
    wrong, right = np.array([[2.0, -2.0]]), np.tile([[3.0, -3.0]], (8, 1))
    assert fit_scales([wrong], np.array([1]))[0] > 0.5
    assert fit_scales([right], np.zeros(8, dtype=np.int64))[0] < 1.5
