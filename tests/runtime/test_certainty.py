"""A classifier that abstains, is compared with another, and meets texts of no class that it knows."""

from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics

import textrnn
from builders import header, random_texts, random_weights
from textrnn.errors import ConfigError, DataError
from textrnn.runtime import Classifier

HEAD = header(["a", "b", "c"])
CLASSIFIER = Classifier(HEAD, random_weights(HEAD))
TEXTS = random_texts(200, seed=3)
LABELS = [["a", "b", "c"][i] for i in np.random.default_rng(1).integers(3, size=200)]


def test_abstains_exactly_below_the_probability() -> None:
    sure = CLASSIFIER.predict(TEXTS)
    threshold = sorted(prediction.probability for prediction in sure)[80]
    unsure = CLASSIFIER.predict(TEXTS, abstain_below=threshold)
    for before, after in zip(sure, unsure, strict=True):
        assert after.label == (before.label if before.probability >= threshold else None)
        assert (after.probability, after.probabilities) == (before.probability, before.probabilities)
    assert 0 < sum(prediction.label is None for prediction in unsure) <= 80
    assert CLASSIFIER.predict("good", abstain_below=1.0).label is None
    assert list(CLASSIFIER.predict_stream(TEXTS, chunk=7, abstain_below=threshold)) == unsure
    assert CLASSIFIER.predict(TEXTS, abstain_below=0.0) == sure


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_abstaining_needs_a_probability(probability: float) -> None:
    with pytest.raises(ConfigError, match="abstain_below: expected a probability from 0 to 1"):
        CLASSIFIER.predict(TEXTS, abstain_below=probability)


def test_a_handover_is_what_abstaining_below_its_threshold_does() -> None:
    evaluation = CLASSIFIER.evaluate(TEXTS, LABELS)
    for row in evaluation.selection.handovers:
        predictions = CLASSIFIER.predict(TEXTS, abstain_below=row.threshold)
        kept = [(p.label, label) for p, label in zip(predictions, LABELS, strict=True) if p.label is not None]
        assert row.examples == 200 - len(kept)
        assert row.errors_left == sum(predicted != label for predicted, label in kept)


def test_accuracy_by_length_counts_the_tokens_that_are_read() -> None:
    evaluation = CLASSIFIER.evaluate(TEXTS, LABELS)
    assert evaluation.by_length is not None
    lengths = np.array([len(CLASSIFIER.encoder.tokens(text)) for text in TEXTS])
    right = np.array([p.label == label for p, label in zip(CLASSIFIER.predict(TEXTS), LABELS, strict=True)])
    for row in evaluation.by_length:
        inside = (lengths >= row.low) & (lengths <= row.high)
        assert (row.examples, row.accuracy.value) == (inside.sum(), right[inside].mean())
    assert sum(row.examples for row in evaluation.by_length) == 200


def test_out_of_scope_texts_count_nowhere_else() -> None:
    strange = random_texts(40, seed=9)
    mixed = [*TEXTS[:50], *strange, *TEXTS[50:]]
    labels = [*LABELS[:50], *["none"] * 40, *LABELS[50:]]
    with pytest.raises(DataError, match="row 50: unknown label 'none'"):
        CLASSIFIER.evaluate(mixed, labels)
    evaluation = CLASSIFIER.evaluate(mixed, labels, out_of_scope="none")
    found = evaluation.out_of_scope
    assert found is not None and (found.label, found.examples) == ("none", 40)
    certainty = CLASSIFIER.predict_proba([*TEXTS, *strange]).max(axis=1)
    assert found.auroc == pytest.approx(sklearn.metrics.roc_auc_score(np.arange(240) < 200, certainty))
    accepted = np.array([p.label is not None for p in CLASSIFIER.predict(strange, abstain_below=found.threshold)])
    assert found.fpr_at_95_tpr == accepted.mean()
    plain = CLASSIFIER.evaluate(TEXTS, LABELS)
    assert plain.out_of_scope is None
    assert (evaluation.confusion, evaluation.log_loss, evaluation.selection) == (
        *(plain.confusion, plain.log_loss),
        plain.selection,
    )
    with pytest.raises(ConfigError, match="expected a label that the model does not know, got its class 'a'"):
        CLASSIFIER.evaluate(mixed, labels, out_of_scope="a")
    with pytest.raises(DataError, match="no text has the label 'other'"):
        CLASSIFIER.evaluate(TEXTS, LABELS, out_of_scope="other")
    with pytest.raises(DataError, match="all texts have the label 'none'"):
        CLASSIFIER.evaluate(strange, ["none"] * 40, out_of_scope="none")


def test_compare_sees_through_another_order_of_labels(tmp_path: Path) -> None:
    other = header(["c", "a", "b"])
    weights = random_weights(HEAD)
    for name in ("head.weight", "head.bias"):
        weights[name] = weights[name][[2, 0, 1]]
    Classifier(other, weights).save(tmp_path / "same.textrnn")
    found = textrnn.compare(CLASSIFIER, tmp_path / "same.textrnn", TEXTS, LABELS)
    assert (found.only_first, found.only_second, found.p_value, found.disagreements) == (0, 0, 1, [])
    assert found.accuracy[0].value == CLASSIFIER.evaluate(TEXTS, LABELS).accuracy.value
    assert found.names == ["A", str(tmp_path / "same.textrnn")]


def test_compare_counts_what_predictions_tell() -> None:
    second = Classifier(HEAD, random_weights(HEAD, seed=5))
    found = textrnn.compare(CLASSIFIER, second, TEXTS, LABELS, disagreements=3)
    right = [
        [p.label == label for p, label in zip(classifier.predict(TEXTS), LABELS, strict=True)]
        for classifier in (CLASSIFIER, second)
    ]
    pairs = list(zip(*right, strict=True))
    assert found.only_first == pairs.count((True, False)) > 0
    assert found.only_second == pairs.count((False, True)) > 0
    assert len(found.disagreements) == 3
    assert all(row.place and row.place.startswith("row ") for row in found.disagreements)


def test_integers_and_their_writing_are_the_same_labels() -> None:
    numbers, words = (
        Classifier(header([0, 1]), random_weights(header())),
        Classifier(header(["0", "1"]), random_weights(header())),
    )
    assert textrnn.compare(numbers, words, TEXTS, [0, 1] * 100).p_value == 1
    with pytest.raises(ConfigError, match="only the second knows 'c'"):
        textrnn.compare(Classifier(header(["a", "b"]), random_weights(header())), CLASSIFIER, TEXTS, LABELS)
