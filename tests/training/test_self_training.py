"""Self-training: labels and weights by hand, what a student learns from, interrupts, and that it helps."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import roc_auc_score

import textrnn
from textrnn.cli.main import main
from textrnn.config import Recipe
from textrnn.data import read_labelled
from textrnn.errors import ConfigError
from textrnn.history import EpochRecord
from textrnn.runtime import Classifier
from textrnn.training import pretrain
from textrnn.training.self_training import labelled_by, student_recipe, teacher_recipe

GOOD, BAD = ("fine", "great", "lovely", "warm", "bright"), ("dull", "poor", "weak", "cold", "grey")


def reviews(count: int, seed: int, known: int) -> tuple[list[str], list[str]]:
    """Texts of words of one opinion among others; only the first `known` words of an opinion occur."""
    rng = random.Random(seed)
    texts, labels = [], []
    for index in range(count):
        words = (GOOD if index % 2 else BAD)[:known]
        texts.append(
            " ".join(rng.choice(words) if rng.random() < 0.5 else f"thing{rng.randrange(8)}" for _ in range(9))
        )
        labels.append("good" if index % 2 else "bad")
    return texts, labels


LABELLED, LABELS = reviews(40, 0, known=2)
UNLABELLED, _ = reviews(400, 1, known=5)
SETTINGS: dict[str, Any] = {
    "effort": "plain", "epochs": 4, "ngrams": 1, "calibrate": True, "timings": False, "batch_size": 8, "pooling": "max",
    "patience": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def base() -> Any:
    return pretrain(
        UNLABELLED, LABELLED, bidirectional=False, hidden_size=8, embedding_size=6, min_count=1, epochs=1, timings=False
    )


def train(base: Any, **more: Any) -> Classifier:
    given = {"base": base, "unlabelled": UNLABELLED} | SETTINGS | more
    return textrnn.train(LABELLED, LABELS, **given)


def test_labels_and_weights_of_a_teacher() -> None:
    like = read_labelled(["a", "b", "c"], ["x", "y", "z"])
    answers = np.array([[0.5, 0.3, 0.2], [1 / 3, 1 / 3, 1 / 3], [0.0, 0.0, 1.0]])
    own = labelled_by(answers, ["one", "two", "three"], like)
    assert own.texts == ["one", "two", "three"] and own.targets.tolist() == [0, 0, 2]
    assert own.weights is not None
    np.testing.assert_allclose(own.weights, [0.25, 0, 1], atol=1e-12)
    both = like.followed_by(own)
    assert len(both) == 6 and both.weights is not None
    np.testing.assert_allclose(both.weights, [1, 1, 1, 0.25, 0, 1], atol=1e-12)
    assert both.targets.tolist() == [0, 1, 2, 0, 0, 2] and both.fingerprint() != like.fingerprint()
    assert both.subset(np.array([3, 0])).weights.tolist() == pytest.approx([0.25, 1])  # type: ignore[union-attr]


def test_steps_of_teacher_and_student() -> None:
    recipe = Recipe.from_settings(epochs=3, members=4, self_training=1)
    assert teacher_recipe(recipe).model.members == 1 and teacher_recipe(recipe).training.epochs == 3
    assert student_recipe(recipe, 100, 200).training.epochs == 1
    assert student_recipe(recipe, 100, 201).training.epochs == 1
    assert student_recipe(recipe, 200, 100).training.epochs == 2
    assert student_recipe(recipe, 200, 100).model.members == 4


def test_a_student_learns_words_that_no_labelled_text_holds(base: Any, tmp_path: Path) -> None:
    """Words of an opinion go together, so the teacher can tell texts that hold known and unknown ones."""
    texts, labels = reviews(200, 2, known=5)
    new = [" ".join(word for word in text.split() if word not in GOOD[:2] + BAD[:2]) for text in texts]

    def area(classifier: Classifier) -> float:
        """Under the ROC curve: how often a good text is told from a bad one."""
        good = classifier.labels.index("good")
        return float(roc_auc_score([label == "good" for label in labels], classifier.predict_proba(new)[:, good]))

    plain, student = train(base), train(base, self_training=1)
    assert area(student) > 0.9 and area(plain) < 0.75
    provenance = student.header.provenance
    assert provenance is not None and provenance.data.examples == 36 and provenance.training.epochs == 4
    assert provenance.unlabelled_examples == 400 and provenance.base is not None
    assert provenance.base == base.header.provenance.data
    assert plain.header.provenance is not None and plain.header.provenance.unlabelled_examples == 0
    student.save(tmp_path / "student.textrnn")
    told = CliRunner().invoke(main, ["info", str(tmp_path / "student.textrnn")]).output
    assert "\nunlabelled    400 texts\n" in told and f"\nbase          {provenance.base.texts} texts, " in told
    again = train(base, self_training=1)
    assert all((again.weights[name] == value).all() for name, value in student.weights.items())


def test_networks_are_counted_on_and_a_resumed_training_is_the_same(base: Any, tmp_path: Path) -> None:
    whole = train(base, self_training=2, members=2)
    networks: list[int] = []

    class Stop(Exception):
        pass

    def stop(event: Any) -> None:
        if isinstance(event, EpochRecord):
            networks.append(event.network)
            if event.network == 4:
                raise Stop

    with pytest.raises(Stop):
        train(base, self_training=2, members=2, checkpoint=tmp_path / "c", on_event=stop)
    assert list(dict.fromkeys(networks)) == [1, 2, 3, 4]  # two teachers and two students
    resumed = train(base, self_training=2, members=2, checkpoint=tmp_path / "c", resume=True)
    for name, value in whole.weights.items():
        np.testing.assert_array_equal(resumed.weights[name], value, err_msg=name)


def test_an_interrupted_student_leaves_the_teacher(base: Any) -> None:
    def stop(event: Any) -> None:
        if event.network == 2:
            raise KeyboardInterrupt

    left = train(base, self_training=1, on_event=stop)
    provenance = left.header.provenance
    assert provenance is not None and provenance.interrupted
    teacher = train(base, validation_fraction=0.1)
    assert left.predict_proba(UNLABELLED[:20]) == pytest.approx(teacher.predict_proba(UNLABELLED[:20]), abs=0.2)


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"unlabelled": None}, "self_training: expected texts without labels"),
        ({"task": "multi_label"}, "self_training: expected 0, since the task 'multi_label' has not one label a text"),
    ],
)
def test_what_is_refused(base: Any, settings: dict[str, Any], part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        train(base, self_training=1, **settings)
