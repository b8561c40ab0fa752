"""The two linear models that are hard to beat: tf-idf with logistic regression, and NB-SVM.

Words and word pairs, for `characters` character 1- to 4-grams; C is chosen by the row's metric on the validation texts,
of equal ones the smallest.
"""

import pickle
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.sets import Classes, Row, Task
from benchmarks.accuracy.side import Fitted, Side

REGRESSION_GRID = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
SVM_GRID = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
SMOOTHING = 1.0
INTERPOLATIONS = (0.25, 0.5, 1.0)
"""NB-SVM's alpha and beta. Wang and Manning give 1 and 0.25; other betas cost no training, so they are tried."""


def features_of(row: Row, **settings: Any) -> dict[str, Any]:
    """Arguments of scikit-learn's vectorizers."""
    return {
        "tokenizer": row.tokenize,
        "token_pattern": None,
        "lowercase": False,
        "ngram_range": (1, 4) if row.characters else (1, 2),
        **settings,
    }


class BestC:
    """The model of the C whose metric on the validation texts is highest."""

    def __init__(self, grid: Iterable[float], fit: Callable[[float], Any], value: Callable[[Any], float]) -> None:
        self.values: dict[float, float] = {}
        self.unconverged: list[float] = []
        self.model: Any = None
        for c in grid:
            model, converged = converging(fit, c)
            self.unconverged += [] if converged else [c]
            value_of_c = value(model)
            if not self.values or value_of_c > max(self.values.values()):
                self.c, self.model = c, model
            self.values[c] = value_of_c

    @property
    def chosen(self) -> dict[str, Any]:
        grid = {f"{c:g}": value for c, value in self.values.items()}
        return {"C": self.c, "validation by C": grid, "not converged": self.unconverged}


def converging(fit: Callable[[float], Any], c: float) -> tuple[Any, bool]:
    """A fit, and whether it converged."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = fit(c)
    return model, not any(issubclass(warning.category, ConvergenceWarning) for warning in caught)


def fit_regression(task: Task, seed: int) -> Fitted:
    """Nothing in it is drawn: the seed has no effect."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    def vectorizer() -> Any:
        return TfidfVectorizer(**features_of(task.row, sublinear_tf=True))

    def regression(c: float) -> Any:
        return LogisticRegression(C=c, max_iter=1000)

    vectors = vectorizer()
    train = vectors.fit_transform(task.train.texts)
    validation = vectors.transform(task.validation.texts)
    best = BestC(
        REGRESSION_GRID,
        lambda c: regression(c).fit(train, task.train.targets),
        lambda model: task.value(task.validation.targets, model.predict(validation)),
    )
    model = best.model
    if task.everything is not task.train:
        vectors = vectorizer()
        everything = vectors.fit_transform(task.everything.texts)
        model, _ = converging(lambda c: regression(c).fit(everything, task.everything.targets), best.c)
    return Fitted(
        predict=lambda texts: model.predict(vectors.transform(texts)),
        size=lambda: len(pickle.dumps((vectors.vocabulary_, vectors.idf_, model))),
        validation=best.values[best.c],
        chosen=best.chosen,
    )


class NBSVM:
    """Wang and Manning, Baselines and Bigrams: Simple, Good Sentiment and Topic Classification, ACL 2012.

    A support vector machine (squared hinge loss) on binary features, each multiplied by the logarithm of how much
    more often it occurs in the one class than in the others; its weights are drawn towards their mean magnitude, the
    more the smaller beta. With more than two classes one machine for each class against all others.
    """

    def __init__(self, c: float, beta: float = INTERPOLATIONS[0]) -> None:
        self.c, self.beta = c, beta

    def fit(self, features: Any, targets: Classes) -> "NBSVM":
        """features: binary, sparse [texts, features]; targets: [texts]"""
        from sklearn.svm import LinearSVC

        self.classes = int(targets.max()) + 1
        ratios, weights, biases = [], [], []
        for target in [1] if self.classes == 2 else range(self.classes):
            positive = targets == target
            ratio = log_count_ratio(features, positive)
            machine = LinearSVC(C=self.c, random_state=0).fit(features.multiply(ratio).tocsr(), positive)
            ratios.append(ratio)
            weights.append(machine.coef_[0])
            biases.append(machine.intercept_[0])
        self.ratios, self.raw, self.biases = np.array(ratios), np.array(weights), np.array(biases)
        self.interpolate(self.beta)
        return self

    def interpolate(self, beta: float) -> None:
        """Use another beta, without training."""
        self.beta = beta
        magnitude = np.abs(self.raw).mean(axis=1, keepdims=True)
        self.weights = self.ratios * ((1 - beta) * magnitude + beta * self.raw)

    def predict(self, features: Any) -> Classes:
        scores = np.asarray(features @ self.weights.T) + self.biases
        predicted = scores[:, 0] > 0 if self.classes == 2 else scores.argmax(axis=1)
        return np.asarray(predicted, dtype=np.int64)


def log_count_ratio(features: Any, positive: Any) -> Any:
    """r = log((p / |p|) / (q / |q|)) with smoothed counts p of the one class and q of all others. [features]"""
    ours, others = (SMOOTHING + np.asarray(features[some].sum(axis=0)).ravel() for some in (positive, ~positive))
    return np.log(ours / ours.sum()) - np.log(others / others.sum())


def fit_nbsvm(task: Task, seed: int) -> Fitted:
    """The solver draws with a fixed seed: this one has no effect."""
    from sklearn.feature_extraction.text import CountVectorizer

    def vectorizer() -> Any:
        return CountVectorizer(**features_of(task.row, binary=True, dtype=np.float64))

    vectors = vectorizer()
    train = vectors.fit_transform(task.train.texts)
    validation = vectors.transform(task.validation.texts)

    def value(model: NBSVM) -> float:
        """With the best beta, which the model keeps; of equal ones the smallest."""
        values = {}
        for beta in INTERPOLATIONS:
            model.interpolate(beta)
            values[beta] = task.value(task.validation.targets, model.predict(validation))
        model.interpolate(max(values, key=lambda beta: values[beta]))
        return values[model.beta]

    best = BestC(SVM_GRID, lambda c: NBSVM(c).fit(train, task.train.targets), value)
    model = best.model
    if task.everything is not task.train:
        vectors = vectorizer()
        everything = vectors.fit_transform(task.everything.texts)
        model, _ = converging(lambda c: NBSVM(c, best.model.beta).fit(everything, task.everything.targets), best.c)
    return Fitted(
        predict=lambda texts: model.predict(vectors.transform(texts)),
        size=lambda: len(pickle.dumps((vectors.vocabulary_, model.weights, model.biases))),
        validation=best.values[best.c],
        chosen=best.chosen | {"beta": model.beta},
    )


SIDES = (
    Side(
        "tf-idf + LR",
        fit_regression,
        {"C": REGRESSION_GRID, "sublinear_tf": True, "ngrams": (1, 2), "character ngrams": (1, 4)},
        (Path(__file__),),
        ("scikit-learn",),
    ),
    Side(
        "NB-SVM",
        fit_nbsvm,
        {"C": SVM_GRID, "alpha": SMOOTHING, "beta": INTERPOLATIONS, "ngrams": (1, 2), "character ngrams": (1, 4)},
        (Path(__file__),),
        ("scikit-learn",),
    ),
)
