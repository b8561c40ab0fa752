"""The linear model that every network has to beat: tf-idf and logistic regression, from scikit-learn.

Words and word pairs, or for `characters` runs of one to four characters; counts enter by 1 + ln(count). The inverse
strength of regularisation C is chosen among powers of 4 by log loss on the validation texts, and nothing else is, so
that the whole takes seconds to minutes. How hard such models are to beat: S. Wang, C. Manning, Baselines and Bigrams:
Simple, Good Sentiment and Topic Classification, ACL 2012.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.errors import DataError
from textrnn.evaluation.calibration import calibrate
from textrnn.evaluation.metrics import score
from textrnn.files import require
from textrnn.history import SideFigures
from textrnn.tasks.checks import checked
from textrnn.tasks.classes import CLASS_METRICS, class_score

Tokenize = Callable[[str], list[str]]

WORD_NGRAMS, CHARACTER_NGRAMS = (1, 2), (1, 4)
FIRST_C, FACTOR, SMALLEST_C, LARGEST_C = 4.0, 4.0, 4.0**-4, 4.0**6
ITERATIONS = 500
TOLERANCE = 1e-5
"""Of the mean gradient. With scikit-learn's 1e-4 a weak regularisation ends long before the minimum."""

MOST_TEXTS = 200_000
MOST_CHARACTERS = 50_000_000
"""Of all texts together; imdb has 33 million. Counting pairs takes about 12 s and 1 GB for as many."""
LONGEST_TEXT = 100_000
"""Characters of one text that are read."""
MOST_FEATURES = 500_000
MOST_WEIGHTS = 5_000_000
"""Features times classes: the solver keeps 20 vectors of that size, 800 MB."""


@dataclass(frozen=True)
class LinearModel:
    """Fitted, with what was chosen."""

    vectorizer: Any
    regression: Any
    classes: int
    learned_from: int
    c: float
    converged: bool
    seconds: float

    @property
    def features(self) -> int:
        return len(self.vectorizer.vocabulary_)

    def predict_proba(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Probabilities [texts, classes]; 0 for a class that it saw no text of."""
        return _all_classes(self.regression, self.vectorizer.transform(_cut(texts)), self.classes)


def fit_linear_model(
    texts: Sequence[str],
    targets: NDArray[np.int64],
    validation_texts: Sequence[str],
    validation_targets: NDArray[np.int64],
    *,
    classes: int,
    tokenize: Tokenize,
    characters: bool = False,
    with_validation: bool = False,
) -> LinearModel:
    """Choose C on the validation texts and fit the model; the same inputs give the same model.

    Args:
        texts, targets: what to learn from; class indices [texts], of two classes at least.
        validation_texts, validation_targets: what C is chosen on.
        classes: how many there are.
        tokenize: cuts a text as the network's own rule does.
        characters: whether tokens are characters, so that features are runs of them.
        with_validation: whether the final fit, with the chosen C, learns from the validation texts too.

    Raises:
        DataError: no text has a token.
        MissingDependencyError: scikit-learn is not installed.
    """
    require("sklearn", extra="evaluate", purpose="a linear model beside the network")
    started = time.perf_counter()
    chosen = bounded(texts, targets)
    texts, targets = [texts[index] for index in chosen.tolist()], targets[chosen]
    vectorizer, vectors = _vectors(texts, tokenize, characters, classes)
    regression = _regression()
    validation = vectorizer.transform(_cut(validation_texts))
    fitted: dict[float, tuple[Any, Any, bool]] = {}

    def loss(c: float) -> float:
        fitted[c] = _fit(regression, c, vectors, targets)
        return score("loss", validation_targets, _all_classes(regression, validation, classes))

    c = climb(loss)
    regression.coef_, regression.intercept_, converged = fitted[c]
    if with_validation:
        texts = [*texts, *validation_texts]
        vectorizer, vectors = _vectors(texts, tokenize, characters, classes)
        regression = _regression()
        *_, converged = _fit(regression, c, vectors, np.concatenate([targets, validation_targets]))
    seconds = time.perf_counter() - started
    return LinearModel(vectorizer, regression, classes, len(texts), c, converged, seconds)


def climb(loss: Callable[[float], float]) -> float:
    """The C of the least loss, tried upwards from the first as long as it gets better, then downwards likewise."""
    losses = {FIRST_C: loss(FIRST_C)}
    for factor in (FACTOR, 1 / FACTOR):
        c = FIRST_C
        while SMALLEST_C <= c * factor <= LARGEST_C:
            c *= factor
            losses[c] = loss(c)
            if losses[c] >= losses[c / factor]:
                break
        if losses[FIRST_C * FACTOR] < losses[FIRST_C]:
            break  # it falls upwards, so it rises downwards
    return min(losses, key=lambda c: (losses[c], c))


def bounded(texts: Sequence[str], targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which texts are learned from: all, or where these are too many a random part with every class in it. [chosen]"""
    lengths = np.array([min(len(text), LONGEST_TEXT) for text in texts], dtype=np.int64)
    if len(texts) <= MOST_TEXTS and lengths.sum() <= MOST_CHARACTERS:
        return np.arange(len(texts))
    order = np.random.default_rng(0).permutation(len(texts))
    _, first = np.unique(targets[order], return_index=True)
    order = np.concatenate([order[first], np.delete(order, first)])  # one of each class before all others
    fits = (np.cumsum(lengths[order]) <= MOST_CHARACTERS) & (np.arange(len(order)) < MOST_TEXTS)
    fits[: len(first)] = True
    return np.sort(order[fits])


def figures(targets: NDArray[Any], probabilities: NDArray[Any], predicted: NDArray[Any] | None = None) -> SideFigures:
    """What is compared. targets [texts], probabilities [texts, classes], predicted [texts]; None: the likeliest.

    Raises:
        ValueError: the arrays do not fit each other.
    """
    targets, probabilities = checked(targets, probabilities)
    decided = probabilities.argmax(axis=1) if predicted is None else predicted
    found = {
        name: class_score(name, CLASS_METRICS, targets, probabilities, lambda _: decided)
        for name in ("accuracy", "macro_f1", "loss")
    }
    return SideFigures(
        **found,
        calibration_error=calibrate(targets, probabilities, predicted=decided).error,
    )


def _all_classes(regression: Any, vectors: Any, classes: int) -> NDArray[np.float64]:
    """[texts, classes]"""
    probabilities = np.zeros((vectors.shape[0], classes))
    probabilities[:, regression.classes_] = regression.predict_proba(vectors)
    probabilities /= probabilities.sum(axis=1, keepdims=True)  # those of 32-bit floats add up to 1 roughly
    return probabilities


def _vectors(texts: Sequence[str], tokenize: Tokenize, characters: bool, classes: int) -> tuple[Any, Any]:
    """The vectorizer and the texts' vectors, sparse [texts, features]."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    settings: dict[str, Any] = {"tokenizer": tokenize, "token_pattern": None, "ngram_range": WORD_NGRAMS}
    if characters:
        settings = {"analyzer": "char", "preprocessor": _joined(tokenize), "ngram_range": CHARACTER_NGRAMS}
    vectorizer = TfidfVectorizer(
        **settings,
        lowercase=False,
        sublinear_tf=True,
        dtype=np.float32,
        max_features=min(MOST_FEATURES, MOST_WEIGHTS // (1 if classes == 2 else classes)),
    )
    try:
        return vectorizer, vectorizer.fit_transform(_cut(texts))
    except ValueError as error:  # all texts are empty
        raise DataError("no text has a token, expected something that a linear model can learn from") from error


def _joined(tokenize: Tokenize) -> Callable[[str], str]:
    return lambda text: "".join(tokenize(text))


def _cut(texts: Sequence[str]) -> list[str]:
    return [text[:LONGEST_TEXT] for text in texts]


def _regression() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=ITERATIONS, tol=TOLERANCE, warm_start=True)


def _fit(regression: Any, c: float, vectors: Any, targets: NDArray[np.int64]) -> tuple[Any, Any, bool]:
    """Weights, biases and whether it converged; it begins where the fit before ended."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # told by what is returned
        regression.set_params(C=c).fit(vectors, targets)
    return regression.coef_.copy(), regression.intercept_.copy(), bool(regression.n_iter_.max() < ITERATIONS)
