"""Thresholds against brute force, and the classifiers that use them."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import f1_score, precision_score, recall_score

import textrnn
from builders import header, random_texts, random_weights
from commands import assert_refused, run_here
from textrnn.tasks import MultiLabel
from textrnn.tasks.multi_label import RARE
from textrnn.tasks.thresholds import best_for_f1, cuts, for_precision, for_recall


def drawn(seed: int, texts: int = 60) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """With ties, as short texts make them."""
    rng = np.random.default_rng(seed)
    probabilities = rng.choice(np.linspace(0.05, 0.95, 15), texts)
    return rng.random(texts) < probabilities, probabilities


def every(probabilities: NDArray[np.float64]) -> list[float]:
    """Thresholds enough to hold one of each kind."""
    values = np.unique(probabilities)
    return [*((values[1:] + values[:-1]) / 2), values[0] / 2]


@pytest.mark.parametrize("seed", range(8))
def test_against_brute_force(seed: int) -> None:
    has, probabilities = drawn(seed)
    tried = [(f1_score(has, probabilities >= t), -abs(t - 0.5)) for t in every(probabilities)]
    best = best_for_f1(has, probabilities)
    assert (f1_score(has, probabilities >= best), -abs(best - 0.5)) == pytest.approx(max(tried), rel=1e-12)
    found = cuts(has, probabilities)
    for wanted in (0.3, 0.6, 0.8, 0.95, 1.0):
        for choose, first, second in (
            (for_precision, precision_score, recall_score),
            (for_recall, recall_score, precision_score),
        ):
            reached = [
                (second(has, probabilities >= t), first(has, probabilities >= t))
                for t in every(probabilities)
                if first(has, probabilities >= t) >= wanted
            ]
            cut = choose(found, wanted)
            if cut is None:
                assert not reached
                continue
            threshold = found.thresholds[cut]
            ours = second(has, probabilities >= threshold), first(has, probabilities >= threshold)
            assert ours == pytest.approx(max(reached), rel=1e-12)
            assert (found.hits[cut], found.predicted[cut]) == (
                (has & (probabilities >= threshold)).sum(),
                (probabilities >= threshold).sum(),
            )


def test_neighbouring_numbers_and_zeros_are_told_apart() -> None:
    low, high = 0.5, float(np.nextafter(0.5, 1))
    found = cuts(np.array([True, False, True]), np.array([high, low, 0.0]))
    assert [(np.array([high, low, 0.0]) >= t).sum() for t in found.thresholds] == [1, 2, 3]
    assert best_for_f1(np.array([False, False]), np.array([0.1, 0.9])) == 0.5


def test_rare_labels_share_a_threshold() -> None:
    rng = np.random.default_rng(3)
    targets = rng.random((200, 3)) < np.array([0.5, 0.3, 0.02])
    targets[:, 2] = np.arange(200) < RARE - 1
    answers = np.clip(0.4 * targets + 0.6 * rng.random((200, 3)), 0, 1)
    tuned = MultiLabel().tuned(targets, answers)
    assert isinstance(tuned, MultiLabel)
    assert tuned.thresholds[:2] == [best_for_f1(targets[:, k], answers[:, k]) for k in range(2)]
    assert tuned.thresholds[2] == best_for_f1(targets.ravel(), answers.ravel())
    assert (tuned.decided(answers) == (answers >= np.array(tuned.thresholds))).all()


def classifier(task: str) -> textrnn.Classifier:
    names: list[str | int] = ["ham", "spam", "other"]
    head = msgspec.structs.replace(header(names), task=MultiLabel() if task == "multi_label" else header().task)
    return textrnn.Classifier(head, random_weights(head, seed=4, scale=1.5))


@pytest.mark.parametrize("task", ["single_label", "multi_label"])
def test_a_wanted_precision_and_recall(task: str, tmp_path: Path) -> None:
    model = classifier(task)
    texts = [text for text in random_texts(300, seed=1) if text]
    probability = model.predict_proba(texts)[:, 1]
    rng = np.random.default_rng(2)
    has = rng.random(len(texts)) < probability
    labels: list[object] = ["spam" if yes else "ham" for yes in has]
    if task == "multi_label":
        labels = [[label] for label in labels]
    for wanted in ({"precision": 0.6}, {"recall": 0.7}):
        chosen = textrnn.choose_threshold(model, texts, labels, target="spam", **wanted)  # type: ignore[arg-type]
        given = probability >= chosen.value
        assert chosen.precision.value == pytest.approx(precision_score(has, given))
        assert chosen.recall.value == pytest.approx(recall_score(has, given))
        assert getattr(chosen, next(iter(wanted))).value >= next(iter(wanted.values()))
        interval = binomtest(int((has & given).sum()), int(given.sum())).proportion_ci(method="wilson")
        assert (chosen.precision.low, chosen.precision.high) == pytest.approx((interval.low, interval.high))
        model_file = tmp_path / "m.textrnn"
        textrnn.with_threshold(model, chosen).save(model_file)
        loaded = textrnn.load(model_file)
        predictions = loaded.predict(texts)
        if task == "multi_label":
            assert [("spam" in (found.labels or [])) for found in predictions] == given.tolist()
            continue
        assert [found.label == "spam" for found in predictions] == given.tolist()
        others = model.predict_proba(texts).copy()
        others[:, 1] = -1
        expected = [model.labels[k] for k in others.argmax(axis=1)]
        for found, yes, other in zip(predictions, given, expected, strict=True):
            assert found.label == ("spam" if yes else other)
            assert found.label is not None and found.probability == found.probabilities[found.label]
        evaluation = loaded.evaluate(texts, labels)
        assert evaluation.per_class[1].precision == pytest.approx(chosen.precision.value)
        assert evaluation.per_class[1].recall == pytest.approx(chosen.recall.value)


def test_what_cannot_be_reached_is_said() -> None:
    model = classifier("single_label")
    texts = ["good film", "good film", "bad story"]
    with pytest.raises(textrnn.ConfigError, match=r"precision: 0.98 cannot be reached .* the most is 0\.\d+ \(1 of \d"):
        textrnn.choose_threshold(model, texts, ["spam", "ham", "ham"], target="spam", precision=0.98)
    for settings, sentence in (
        ({"target": "spam"}, "expected one of them"),
        ({"target": "spam", "precision": 1.5}, "above 0 and at most 1"),
        ({"target": "egg", "precision": 0.5}, "expected one of ham, spam, other, got 'egg'"),
        ({"target": "other", "precision": 0.5}, "none of the 3 texts has the label"),
    ):
        with pytest.raises(textrnn.ConfigError, match=sentence):
            textrnn.choose_threshold(model, texts, ["spam", "ham", "ham"], **settings)


def test_the_command(tmp_path: Path) -> None:
    model, data = tmp_path / "m.textrnn", tmp_path / "d.csv"
    classifier("single_label").save(model)
    texts = random_texts(200, seed=1)
    rows = [f'"{text}",{["spam", "ham"][k % 2]}' for k, text in enumerate(texts)]
    data.write_text("\n".join(["words,kind", *rows]) + "\n")
    named = ("--label", "spam", "--text", "words", "--label-column", "kind")
    result = run_here("threshold", model, data, *named, "--recall", "0.8", "--out", tmp_path / "t.textrnn")
    assert result.code == 0, result.err
    assert result.out.startswith("spam: from the probability 0.") and "95 % interval" in result.out
    predicted = run_here("predict", tmp_path / "t.textrnn", data, "--text", "words")
    given = [line.split(",")[0] == "spam" for line in predicted.out.splitlines()[1:]]
    assert sum(given[::2]) >= 80 and f"of the {sum(given):,} texts that get the label" in result.out
    before = run_here("threshold", model, data, *named, "--recall", "0.8", "--json")
    assert msgspec.json.decode(before.out)["predicted"] == sum(given)
    assert "threshold" in run_here("info", tmp_path / "t.textrnn").out
    assert_refused(run_here("threshold", model, data, *named), "either --precision or --recall")
    egg = ("--label", "egg", *named[2:], "--precision", "1")
    assert_refused(run_here("threshold", model, data, *egg), "expected one of ham, spam, other, got 'egg'")
