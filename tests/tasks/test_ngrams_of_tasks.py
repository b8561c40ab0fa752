"""The n-gram part of every task against scikit-learn on a matrix that is made anew, and the scales of parts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss

import textrnn
from textrnn.runtime.ngram_scores import NgramScores
from textrnn.tasks import MultiLabel, Ordinal, Regression, Task, sigmoid
from textrnn.text.ngrams import NgramRule
from textrnn.training import newton
from textrnn.training.ngram_weights import fit_ngrams
from textrnn.training.parts import fit_scales

RNG = np.random.default_rng(7)
WORDS = [" ".join(RNG.choice([f"w{k}" for k in range(40)], size=int(RNG.integers(3, 9)))) for _ in range(240)]


def test_scales_have_the_least_loss_of_every_task() -> None:
    targets = RNG.random((300, 3)) < 0.4
    one, other = (RNG.normal(size=(300, 3)) + (2 * targets - 1) * strength for strength in (1.0, 0.4))
    start = np.full(2, 0.5)

    def loss(scales: NDArray[np.float64]) -> float:
        answers = sigmoid(scales[0] * one + scales[1] * other)
        nats = np.mean([log_loss(targets[:, k], answers[:, k]) for k in range(3)])
        return float(nats + 5 / 900 * np.square(scales - start).sum())

    found = minimize(loss, start, method="Nelder-Mead").x
    np.testing.assert_allclose(fit_scales([one, other], targets, MultiLabel()), found, atol=2e-3)

    numbers = RNG.normal(10, 3, 300)
    parts = [((numbers - 10) / 3 + RNG.normal(0, noise, 300))[:, np.newaxis] for noise in (0.5, 1.0)]
    # Least squares with a ridge towards the start, in closed form.
    design, wanted = np.hstack(parts), (numbers - 10) / 3
    gram = design.T @ design / 300 + 5 / 300 * np.eye(2)
    expected = np.linalg.solve(gram, design.T @ wanted / 300 + 5 / 300 * start)
    np.testing.assert_allclose(fit_scales(parts, numbers, Regression(mean=10.0, std=3.0)), expected, atol=1e-4)

    levels = RNG.integers(0, 4, 300)
    parts = [levels[:, np.newaxis] - np.arange(3) - 0.5 + RNG.normal(0, noise, (300, 3)) for noise in (1.0, 2.0)]
    by_hand = minimize(
        lambda scales: (
            log_loss(levels, Ordinal().answers(scales[0] * parts[0] + scales[1] * parts[1]), labels=range(4))
            + 5 / 300 * np.square(scales - start).sum()
        ),
        start,
        method="Nelder-Mead",
    ).x
    np.testing.assert_allclose(fit_scales(parts, levels, Ordinal()), by_hand, atol=2e-3)


def test_the_problems_of_every_task() -> None:
    targets = RNG.random((50, 3)) < 0.4
    problems = MultiLabel().problems(targets, 3, balanced=False)
    assert [problem.columns for problem in problems] == [((k, 1.0),) for k in range(3)]
    assert all((problem.values == targets[:, k]).all() for k, problem in enumerate(problems))
    levels = np.array([0, 1, 2, 3, 2, 0])
    asked = [(problem.rows, problem.values) for problem in Ordinal().problems(levels, 3, balanced=False)]
    assert [rows.tolist() for rows, _ in asked if rows is not None] == [[0, 1, 2, 3, 4, 5], [1, 2, 3, 4], [2, 3, 4]]
    assert [further.tolist() for _, further in asked] == [
        [False, True, True, True, True, False],
        [False, True, True, True],
        [False, True, False],
    ]
    [number] = Regression(mean=2.0, std=4.0).problems(np.array([6.0, -2.0]), 1, balanced=False)
    assert number.values.tolist() == [1.0, -1.0]


def features() -> NDArray[np.float64]:
    """1 / root of how many words a text has, times the mean root, where it holds one that another text holds, too."""
    matrix = CountVectorizer(binary=True, token_pattern=r"\S+").fit_transform(WORDS).toarray().astype(float)
    roots = np.sqrt(matrix.sum(axis=1))
    found: NDArray[np.float64] = (matrix * (roots.mean() / roots)[:, np.newaxis])[:, matrix.sum(axis=0) > 1]
    return found


def decisions(inside: NDArray[np.bool_], rows: NDArray[np.int64], c: float) -> NDArray[np.float64]:
    """Of a linear model on features scaled by their log-ratios."""
    matrix = features()
    present = matrix[rows] > 0
    p, q = 1 + present[inside].sum(axis=0), 1 + present[~inside].sum(axis=0)
    scaled = matrix * (np.log(p / p.sum()) - np.log(q / q.sum()))
    model = LogisticRegression(C=c, solver="liblinear", tol=1e-7, max_iter=1000).fit(scaled[rows], inside)
    return np.asarray(model.decision_function(scaled))


def test_ngrams_of_every_task_learn_what_scikit_learn_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newton, "ENOUGH", 1e-7)
    every = np.arange(len(WORDS))

    def scores(task: Task, targets: NDArray[Any], outputs: int) -> tuple[NDArray[np.float32], float]:
        part = fit_ngrams(WORDS, targets, None, None, tokenizer="words", rule=NgramRule(1), classes=outputs, task=task)
        return NgramScores(part.tensors(), "words", NgramRule(1)).scores(WORDS), part.strength

    has = np.array([["w1 " in text, "w2 " in text or "w3 " in text] for text in WORDS]) ^ (RNG.random((240, 2)) < 0.1)
    found, c = scores(MultiLabel(), has, 2)
    np.testing.assert_allclose(found, np.stack([decisions(has[:, k], every, c) for k in range(2)], axis=1), atol=1e-3)
    levels = has.sum(axis=1)
    found, c = scores(Ordinal(), levels, 2)
    asked = [np.flatnonzero(levels >= k) for k in range(2)]
    expected = np.stack([decisions(levels[rows] > k, rows, c) for k, rows in enumerate(asked)], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    numbers = 5 + 2 * levels + RNG.normal(size=240)
    found, c = scores(Regression(mean=5.0, std=2.0), numbers, 1)
    ridge = Ridge(alpha=1 / c).fit(features(), (numbers - 5) / 2)
    np.testing.assert_allclose(found[:, 0], ridge.predict(features()), atol=1e-3)


LABELS: dict[str, list[Any]] = {
    "single_label": ["no", "yes", "perhaps"],
    "multi_label": [[], ["x"], ["x", "y"]],
    "ordinal": [1, 2, 3],
    "regression": [0.5, 2.0, 3.25],
}


@pytest.mark.parametrize("task", LABELS)
def test_texts_without_a_common_ngram(task: str, tmp_path: Path) -> None:
    """They tell nothing, so the odds are all that the n-grams know; the last class is too rare for a sample to hold."""
    texts = [f"t{index}" for index in range(60)]
    labels = [LABELS[task][2 if index > 56 else index % 2] for index in range(60)]
    settings: dict[str, Any] = {"hidden_size": 4, "embedding_size": 4, "epochs": 1, "members": 1, "character_ngrams": 0}
    quiet: dict[str, Any] = {"on_event": lambda event: None}
    trained = textrnn.train(texts, labels, task=task, ngrams=2, **settings, **quiet)
    assert trained.header.ngrams == 0
    trained.save(tmp_path / "one.textrnn")
    logits = textrnn.load(tmp_path / "one.textrnn").logits(["t1", "something else"])
    assert np.isfinite(logits).all()
    np.testing.assert_array_equal(logits, trained.logits(["t1", "something else"]))
