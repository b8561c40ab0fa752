"""The linear model beside the network, against scikit-learn used directly."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss

from textrnn.errors import DataError
from textrnn.evaluation import baseline
from textrnn.evaluation.baseline import LinearModel, bounded, climb, figures, fit_linear_model
from textrnn.evaluation.baseline_lines import baseline_lines, linear_is_better, verdict
from textrnn.history import BaselineRecord, SideFigures

Split = tuple[list[str], NDArray[np.int64]]
GRID = [4.0**power for power in range(-4, 7)]


@pytest.fixture
def drawn() -> Callable[..., tuple[Split, Split]]:
    """Training and validation texts whose words and pairs tell their class, more or less."""

    def draw(classes: int, train: int = 240, validation: int = 120) -> tuple[Split, Split]:
        rng = np.random.default_rng(classes)
        targets = rng.integers(classes, size=train + validation)
        texts = []
        for target in targets.tolist():
            common = rng.choice([f"word{i}" for i in range(60)], size=rng.integers(0, 12))
            telling = rng.choice([f"tells{(target + shift) % classes}" for shift in (0, 0, 1)], size=2)
            texts.append(" ".join(rng.permutation([*common, *telling])) + rng.choice([" !", "", " ?"]))
        return (texts[:train], targets[:train]), (texts[train:], targets[train:])

    return draw


def tokens(text: str) -> list[str]:
    return text.split()


def signs(text: str) -> list[str]:
    return list(text.lower())


def fitted(training: Split, validation: Split, classes: int, **settings: Any) -> LinearModel:
    return fit_linear_model(*training, *validation, classes=classes, **{"tokenize": tokens, **settings})


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("characters", [False, True])
def test_c_and_probabilities_are_those_of_a_full_search_by_hand(
    drawn: Callable[..., tuple[Split, Split]], classes: int, characters: bool
) -> None:
    training, validation = drawn(classes)
    if characters:
        ours = fitted(training, validation, classes, tokenize=signs, characters=True)
        vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True)
    else:
        ours = fitted(training, validation, classes)
        vectorizer = TfidfVectorizer(token_pattern=r"\S+", lowercase=False, ngram_range=(1, 2), sublinear_tf=True)
    vectors = vectorizer.fit_transform(training[0])
    losses, models = {}, {}
    for c in GRID:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            models[c] = LogisticRegression(C=c, max_iter=5000, tol=1e-7).fit(vectors, training[1])
        losses[c] = log_loss(validation[1], models[c].predict_proba(vectorizer.transform(validation[0])))
    best = min(GRID, key=lambda c: losses[c])
    assert GRID[0] < best < GRID[-1]
    assert ours.c == best
    assert ours.converged and ours.features == len(vectorizer.vocabulary_) and ours.learned_from == len(training[0])
    theirs = models[best].predict_proba(vectorizer.transform(validation[0]))
    np.testing.assert_allclose(ours.predict_proba(validation[0]), theirs, atol=8e-3)


def test_the_final_fit_may_learn_from_the_validation_texts_too(drawn: Callable[..., tuple[Split, Split]]) -> None:
    training, validation = drawn(3)
    ours = fitted(training, validation, 3, with_validation=True)
    assert ours.learned_from == 360
    vectorizer = TfidfVectorizer(token_pattern=r"\S+", lowercase=False, ngram_range=(1, 2), sublinear_tf=True)
    vectors = vectorizer.fit_transform(training[0] + validation[0])
    theirs = LogisticRegression(C=ours.c, max_iter=5000, tol=1e-7).fit(
        vectors, np.concatenate([training[1], validation[1]])
    )
    unseen, _ = drawn(4)
    np.testing.assert_allclose(
        ours.predict_proba(unseen[0]), theirs.predict_proba(vectorizer.transform(unseen[0])), atol=8e-3
    )


@pytest.mark.parametrize("best", [GRID[0], 1.0, 4.0, 16.0, GRID[-1]])
def test_the_climb_finds_the_bottom_of_every_valley(best: float) -> None:
    tried = []

    def loss(c: float) -> float:
        tried.append(c)
        return abs(float(np.log(c / best)))

    assert climb(loss) == best
    assert len(set(tried)) == len(tried) <= 9
    assert all(GRID[0] <= c <= GRID[-1] for c in tried)


def test_of_equal_losses_the_smallest_c_is_taken() -> None:
    assert climb(lambda c: 0.5) == 1.0


@pytest.mark.parametrize("classes", [2, 4])
def test_figures_are_scikit_learns(classes: int) -> None:
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.full(classes, 0.5), size=300)
    targets = rng.integers(classes, size=300)
    predicted = probabilities.argmax(axis=1)
    found = figures(targets, probabilities)
    assert found.accuracy == pytest.approx(accuracy_score(targets, predicted))
    assert found.macro_f1 == pytest.approx(f1_score(targets, predicted, average="macro"))
    assert found.loss == pytest.approx(log_loss(targets, probabilities))


def test_calibration_error_by_hand() -> None:
    """Fifteen bins: 0.61 and 0.65 share (0.6, 0.667], 0.9 stands alone; a border belongs to the bin below."""
    certainty = np.array([0.61, 0.65, 0.9, 10 / 15])
    probabilities = np.stack([certainty, 1 - certainty], axis=1)
    targets = np.array([0, 1, 0, 0])
    expected = (abs((1 + 0 + 1) - (0.61 + 0.65 + 10 / 15)) + abs(1 - 0.9)) / 4
    assert figures(targets, probabilities).calibration_error == pytest.approx(expected)


def test_a_class_without_training_texts_has_probability_0() -> None:
    texts = ["good film", "bad film"] * 20
    training = texts, np.array([0, 2] * 20)
    probabilities = fitted(training, (["good", "bad"], np.array([0, 1])), 3).predict_proba(["good", "", "unseen"])
    assert (probabilities[:, 1] == 0).all()
    assert probabilities[0, 0] > 0.5
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_texts_without_a_token_are_refused_with_a_sentence() -> None:
    with pytest.raises(DataError, match="no text has a token"):
        fitted((["", " "], np.array([0, 1])), (["a"], np.array([0])), 2)


def test_a_fit_that_does_not_converge_says_so_and_does_not_warn(
    drawn: Callable[..., tuple[Split, Split]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(baseline, "ITERATIONS", 2)
    model = fitted(*drawn(3), 3)
    assert not model.converged
    assert "it did not converge" in baseline_lines(record(converged=False), "test")[-2]


def test_what_is_learned_from_has_bounds_and_every_class(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = np.zeros(1000, dtype=np.int64)
    targets[[500, 990]] = 1, 2
    texts = ["x" * 10] * 1000
    assert bounded(texts, targets).tolist() == list(range(1000))
    monkeypatch.setattr(baseline, "MOST_TEXTS", 100)
    chosen = bounded(texts, targets)
    assert len(chosen) == 100 and {500, 990} <= set(chosen.tolist()) and (np.diff(chosen) > 0).all()
    assert chosen.max() - chosen.min() > 800  # from the whole file, not its beginning
    monkeypatch.setattr(baseline, "MOST_CHARACTERS", 300)
    assert len(bounded(texts, targets)) == 30
    monkeypatch.setattr(baseline, "LONGEST_TEXT", 5)
    assert len(bounded(texts, targets)) == 60


def test_features_have_bounds(drawn: Callable[..., tuple[Split, Split]], monkeypatch: pytest.MonkeyPatch) -> None:
    assert fitted(*drawn(5), 5).features > 200
    monkeypatch.setattr(baseline, "MOST_WEIGHTS", 500)
    assert fitted(*drawn(5), 5).features == 100
    assert fitted(*drawn(2), 2).features == 500
    monkeypatch.setattr(baseline, "MOST_FEATURES", 50)
    assert fitted(*drawn(2), 2).features == 50


def record(*, network: float = 0.8, linear: float = 0.9, loss: float = 0.3, converged: bool = True) -> BaselineRecord:
    def side(accuracy: float, loss: float) -> SideFigures:
        return SideFigures(accuracy=accuracy, macro_f1=accuracy, loss=loss, calibration_error=0.02)

    return BaselineRecord(
        network=side(network, 0.4),
        linear=side(linear, loss),
        texts=1200,
        learned_from=9000,
        features=81000,
        c=16.0,
        converged=converged,
        seconds=1.26,
    )


def test_the_report_says_which_is_better() -> None:
    lines = baseline_lines(record(), "validation")
    assert lines[0].split() == ["1,200", "validation", "texts", "network", "linear", "model"]
    assert lines[1].split() == ["accuracy", "0.8000", "0.9000"]
    assert lines[4].split() == ["ECE", "0.0200", "0.0200"]
    assert lines[5] == ("linear model: tf-idf and logistic regression, C 16, 81,000 features, 9,000 texts, 1.3 s")
    assert lines[6] == "the linear model is better by accuracy, macro F1 and log loss"
    assert all(len(line) <= 100 for line in lines)


@pytest.mark.parametrize(
    ("linear", "loss", "said", "better"),
    [
        (0.7, 0.5, "the network is better by accuracy, macro F1 and log loss", False),
        (0.9, 0.5, "the linear model is better by accuracy and macro F1; the network is better by log loss", False),
        (0.8, 0.3, "the linear model is better by log loss; neither is better by accuracy and macro F1", False),
        (0.9, 0.3, "the linear model is better by accuracy, macro F1 and log loss", True),
    ],
)
def test_verdicts(linear: float, loss: float, said: str, better: bool) -> None:
    assert verdict(record(linear=linear, loss=loss)) == said
    assert linear_is_better(record(linear=linear, loss=loss)) is better
