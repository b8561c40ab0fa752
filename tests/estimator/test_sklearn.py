"""The estimator inside scikit-learn's own machinery."""

import inspect
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

import textrnn
from textrnn.config import Recipe
from textrnn.sklearn import RNNClassifier

SMALL: dict[str, Any] = {
    "embedding_size": 16,
    "hidden_size": 16,
    "min_count": 1,
    "dropout": 0.0,
    "learning_rate": 0.01,
    "validation_fraction": 0.0,
}


class NumbersAsWords(RNNClassifier):
    """Each number of a row becomes a word ("f3b-2": feature 3 lies between -2 and -1).

    scikit-learn skips nearly all of its checks for an estimator that takes texts only. With this reading of its
    numeric data everything that can be asked of a text estimator is asked: 50 checks instead of a dozen.
    """

    def fit(self, X: Any, y: Any) -> "NumbersAsWords":
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        X, y = validate_data(self, X, y)
        return super().fit(self._words(X), y)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        if not hasattr(self, "classifier_"):
            raise NotFittedError("call fit first")
        return super().predict_proba(self._words(validate_data(self, X, reset=False)))

    @staticmethod
    def _words(X: NDArray[Any]) -> list[str]:
        return [" ".join(f"f{i}b{int(np.floor(value))}" for i, value in enumerate(row)) for row in X]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.one_d_array, tags.input_tags.two_d_array = False, False, True
        return tags


EXCEPTIONS = {
    "check_class_weight_classifiers": "asks for a weight for each class; `class_weight` knows none and balanced",
}


def _checks() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)  # that most checks are skipped for texts: see NumbersAsWords
        return parametrize_with_checks([RNNClassifier(epochs=1), NumbersAsWords(epochs=20, **SMALL)])


@pytest.mark.filterwarnings("ignore")
@_checks()  # type: ignore[untyped-decorator]
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    name = getattr(check, "func", check).__name__
    if name in EXCEPTIONS:
        with pytest.raises(ValueError, match="class_weight: expected one of none, balanced"):
            check(estimator)
        return
    check(estimator)


TEXTS = [
    "good film",
    "great film",
    "good story",
    "great plot",
    "bad film",
    "boring film",
    "bad story",
    "dull plot",
] * 4
LABELS = ["pos"] * 4 + ["neg"] * 4
LABELS = LABELS * 4


def test_learns_and_keeps_label_names() -> None:
    estimator = RNNClassifier(epochs=15, **SMALL).fit(TEXTS, LABELS)
    assert estimator.classes_.tolist() == ["neg", "pos"]
    assert estimator.score(TEXTS, LABELS) == 1.0
    assert estimator.classifier_.labels == ["neg", "pos"] and len(estimator.history_) == 15
    np.testing.assert_allclose(estimator.predict_proba(TEXTS).sum(axis=1), 1)


@pytest.mark.parametrize(
    "labels", [[10, 9, 100, 2], ["10", "9", "100", "2"], ["b", "B", "a", "C"], [0.0, 1.0, 2.0, 3.0]]
)
def test_columns_are_in_the_order_of_classes(labels: list[Any]) -> None:
    texts = ["one", "two", "three", "four"] * 8
    targets = np.array(labels * 8)
    estimator = RNNClassifier(epochs=40, **SMALL).fit(texts, targets)
    assert estimator.classes_.tolist() == sorted(set(targets.tolist()))
    assert estimator.predict(texts).tolist() == targets.tolist() and estimator.predict(texts).dtype == targets.dtype
    columns = estimator.predict_proba(texts).argmax(axis=1)
    assert estimator.classes_[columns].tolist() == targets.tolist()


def test_pipeline_grid_search_and_cross_validation() -> None:
    pipeline = Pipeline(
        [
            ("shout", FunctionTransformer(lambda texts: [text.upper() for text in texts])),
            ("rnn", RNNClassifier(epochs=8, **SMALL)),
        ]
    )
    search = GridSearchCV(pipeline, {"rnn__hidden_size": [4, 8], "rnn__pooling": ["mean", "last"]}, cv=2)
    search.fit(TEXTS, LABELS)
    assert len(search.cv_results_["params"]) == 4 and search.best_score_ > 0.9
    assert cross_val_score(pipeline, TEXTS, LABELS, cv=3).mean() > 0.9


def test_clone_and_pickle_keep_everything() -> None:
    estimator = RNNClassifier(epochs=3, **SMALL).fit(TEXTS, LABELS)
    copy = pickle.loads(pickle.dumps(estimator))  # noqa: S301  # scikit-learn's users do so with their own objects
    np.testing.assert_array_equal(copy.predict_proba(TEXTS), estimator.predict_proba(TEXTS))
    again = clone(estimator).fit(TEXTS, LABELS)
    np.testing.assert_array_equal(again.predict_proba(TEXTS), estimator.predict_proba(TEXTS))


def test_parameters_are_the_settings_of_the_recipe() -> None:
    signature = inspect.signature(RNNClassifier.__init__)
    defaults = {name: value.default for name, value in signature.parameters.items() if name != "self"}
    assert defaults == Recipe().settings() | {"vectors": None, "effort": "plain"}


def test_effort_trains_what_train_trains() -> None:
    estimator = RNNClassifier(effort="quick", epochs=2, seed=3).fit(TEXTS, LABELS)
    model = textrnn.train(TEXTS, LABELS, effort="quick", epochs=2, seed=3)
    assert estimator.classifier_.header.model == model.header.model
    assert model.header.model.cell == "gru" and model.header.model.ngrams
    np.testing.assert_array_equal(estimator.predict_proba(TEXTS), model.predict_proba(TEXTS))
    with pytest.raises(ValueError, match="effort: expected one of plain, quick, default, best, got 'most'"):
        RNNClassifier(effort="most").fit(TEXTS, LABELS)


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        ("one text", ["a"], "single string"),
        ([["a"], ["b"]], ["a", "b"], r"X\[0\]: expected a string, got list"),
        (np.array([["a"], ["b"]]), ["a", "b"], r"array of shape \(2, 1\)"),
        (["a", None], ["a", "b"], r"X\[1\]: expected a string, got NoneType"),
        (["a", "b"], ["a", "a"], "at least two classes, found 1 class"),
        (["a", "b"], ["a"], "2 texts and 1 labels, expected one label a text"),
        (["a", "b"], None, "requires y"),
    ],
)
def test_wrong_input_gets_a_sentence(texts: Any, labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RNNClassifier(epochs=1).fit(texts, labels)


def test_wrong_settings_are_refused_at_fit() -> None:
    with pytest.raises(ValueError, match="hidden_size: expected `int` >= 1, got 0"):
        RNNClassifier(hidden_size=0).fit(TEXTS, LABELS)


def test_levels_and_what_scikit_learn_has_no_place_for() -> None:
    texts = [f"{word} {thing}" for word in ("bad", "fair", "good") for thing in "film plot cast music".split()] * 5
    stars = [1 + index // 4 % 3 for index in range(len(texts))]
    model = RNNClassifier(task="ordinal", epochs=20, **SMALL).fit(texts, np.array(stars))
    assert model.classes_.tolist() == [1, 2, 3] and model.score(texts, stars) > 0.9
    above = np.cumsum(model.predict_proba(texts), axis=1)
    assert (model.predict(texts) == 1 + (above <= 0.5).sum(axis=1)).all()
    with pytest.raises(ValueError, match="task: expected 'single_label' or 'ordinal' in scikit-learn"):
        RNNClassifier(task="regression", **SMALL).fit(texts, stars)
