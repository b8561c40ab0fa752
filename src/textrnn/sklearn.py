"""textrnn as a scikit-learn estimator: for `Pipeline`, `GridSearchCV`, `cross_val_score`, `clone`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from textrnn.config import Recipe
from textrnn.data import as_examples, collect
from textrnn.labels import Label, as_label
from textrnn.runtime import Classifier
from textrnn.tasks import task_of

DEFAULTS = Recipe().settings()


class RNNClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """A recurrent text classifier with scikit-learn's interface.

    X is a list, array or series of strings. Every parameter but the last two is a setting of `textrnn.config.Recipe`,
    where it is described and checked (at `fit`); `task` may be "single_label" or "ordinal". `vectors` is a file of word
    vectors to begin with. With another `effort` than "plain", parameters that stand at their default values follow from
    the size of the data, as in `textrnn.train`: the accurate choice, while "plain" does what the parameters say. Early
    stopping uses a part of the training texts, `validation_fraction`.

    After `fit`:
        classes_: the labels in sorted order, [classes].
        classifier_: the `textrnn.Classifier`, which can be saved as a model file.
        history_: one record an epoch.
    """

    def __init__(
        self,
        *,
        tokenizer: str = "words",
        max_length: int = 256,
        keep: str = "both",
        max_size: int = 30_000,
        min_count: int = 2,
        task: str = "single_label",
        label_separator: str = "|",
        label_order: str = "",
        decisions: str = "most_probable",
        cell: str = "elman",
        layers: int = 1,
        bidirectional: bool = False,
        embedding_size: int = 100,
        hidden_size: int = 128,
        pooling: str = "mean",
        padding: str = "masked",
        members: int = 1,
        ngrams: int = 0,
        character_ngrams: int = 0,
        epochs: int = 20,
        batch_size: int = 32,
        training_length: int = 0,
        batching: str = "bucketed",
        optimizer: str = "adamw",
        learning_rate: float = 0.002,
        schedule: str = "constant",
        weight_decay: float = 0.01,
        max_gradient_norm: float = 1.0,
        dropout: float = 0.5,
        word_dropout: float = 0.0,
        variational: bool = False,
        dropout_by_word: bool = False,
        recurrent_dropout: float = 0.0,
        adversarial: float = 0.0,
        virtual_adversarial: float = 0.0,
        base_rate: float = 1.0,
        frozen_epochs: int = 0,
        r_drop: float = 0.0,
        self_training: int = 0,
        calibrate: bool = False,
        initialization: str = "orthogonal",
        vectors_training: str = "tuned",
        class_weight: str = "none",
        focal: float = 0.0,
        metric: str = "loss",
        patience: int = 3,
        validation_fraction: float = 0.1,
        seed: int = 42,
        threads: int = 0,
        backend: str = "auto",
        timings: bool = True,
        vectors: str | Path | None = None,
        effort: str = "plain",
    ) -> None:
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.keep = keep
        self.max_size = max_size
        self.min_count = min_count
        self.task = task
        self.label_separator = label_separator
        self.label_order = label_order
        self.decisions = decisions
        self.cell = cell
        self.layers = layers
        self.bidirectional = bidirectional
        self.embedding_size = embedding_size
        self.hidden_size = hidden_size
        self.pooling = pooling
        self.padding = padding
        self.members = members
        self.ngrams = ngrams
        self.character_ngrams = character_ngrams
        self.epochs = epochs
        self.batch_size = batch_size
        self.training_length = training_length
        self.batching = batching
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.max_gradient_norm = max_gradient_norm
        self.dropout = dropout
        self.word_dropout = word_dropout
        self.variational = variational
        self.dropout_by_word = dropout_by_word
        self.recurrent_dropout = recurrent_dropout
        self.adversarial = adversarial
        self.virtual_adversarial = virtual_adversarial
        self.base_rate = base_rate
        self.frozen_epochs = frozen_epochs
        self.r_drop = r_drop
        self.self_training = self_training
        self.calibrate = calibrate
        self.initialization = initialization
        self.vectors_training = vectors_training
        self.class_weight = class_weight
        self.focal = focal
        self.metric = metric
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.seed = seed
        self.threads = threads
        self.backend = backend
        self.timings = timings
        self.vectors = vectors
        self.effort = effort

    def fit(self, X: Any, y: Any) -> Self:
        """Train on texts and their labels.

        Args:
            X: texts, [texts].
            y: labels, [texts], of at least two classes. Strings and integers are kept as the model file's label
                names, other kinds (booleans, whole floats) are written as text there.

        Raises:
            ValueError: X is not a list of strings, y does not fit it, or a setting's value cannot be used.
        """
        from textrnn.training.effort import DataSize, check_effort, settings_for
        from textrnn.training.recipe import train_on
        from textrnn.training.texts import split_off
        from textrnn.training.vectors import with_vector_size

        texts = as_texts(X)
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None: expected one label a text")
        targets = column_or_1d(y, warn=True)
        if len(targets) != len(texts):
            raise ValueError(f"found {len(texts)} texts and {len(targets)} labels, expected one label a text")
        check_classification_targets(targets)
        classes = np.unique(targets)
        if len(classes) < 2:
            raise ValueError(f"expected at least two classes, found 1 class: {classes.tolist()}")
        settings = self.get_params()
        vectors, effort = settings.pop("vectors"), settings.pop("effort")
        check_effort(effort)
        if vectors is not None and self.embedding_size == Recipe().model.embedding_size:  # nobody chose it
            settings.pop("embedding_size")
        recipe = Recipe.from_settings(**with_vector_size(settings, vectors))
        task = task_of(recipe.task)
        if not task.one_label:
            raise ValueError(f"task: expected 'single_label' or 'ordinal' in scikit-learn, got {self.task!r}")
        dataset = collect(as_examples(texts, [_name(label) for label in targets]), task=task)
        training, held_out = split_off(dataset, recipe)
        if effort != "plain":
            given = {name: value for name, value in settings.items() if value != DEFAULTS[name]}
            size = DataSize.of(training, recipe.text)
            recipe = Recipe.from_settings(**settings_for(effort, size, with_vector_size(given, vectors)))
        self.classifier_ = train_on(training, held_out, recipe, vectors=vectors, refit=True)
        self.classes_ = classes
        self.history_ = self.classifier_.history
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities, [texts, classes], the columns in the order of `classes_`.

        Raises:
            NotFittedError: `fit` was not called.
            ValueError: X is not a list of strings.
        """
        check_is_fitted(self)
        classifier: Classifier = self.classifier_
        columns = [classifier.labels.index(_name(label)) for label in self.classes_]
        return classifier.predict_proba(as_texts(X))[:, columns]

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable label of each text, or of levels the median one, [texts], of the same kind as in `fit`.

        Raises:
            NotFittedError: `fit` was not called.
            ValueError: X is not a list of strings.
        """
        probabilities = self.predict_proba(X)
        classifier: Classifier = self.classifier_
        columns = np.array([classifier.labels.index(_name(label)) for label in self.classes_])
        decided = classifier.task.decided(probabilities[:, np.argsort(columns)])
        predicted: NDArray[Any] = self.classes_[np.argsort(columns)[decided]]
        return predicted

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags


def as_texts(X: Any) -> Sequence[str]:
    """X as a list of strings.

    Raises:
        ValueError: X is a single string, not one-dimensional, or holds something else than strings.
    """
    if isinstance(X, str | bytes):
        raise ValueError("expected a list of texts, got a single string: put it into a list")
    shape = getattr(X, "shape", (0,))
    if len(shape) != 1:
        raise ValueError(
            f"expected a one-dimensional list of texts, got an array of shape {tuple(shape)}; "
            "in a ColumnTransformer name the column as a string, not as a list"
        )
    texts = list(X)
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"X[{row}]: expected a string, got {type(text).__name__}")
    return texts


def _name(label: Any) -> Label:
    """The label as the model file names it."""
    value = label.item() if isinstance(label, np.generic) else label
    return as_label(value) if type(value) in (str, int) else str(value)
