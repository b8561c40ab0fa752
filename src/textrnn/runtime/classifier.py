"""A trained classifier: the one object that users hold. It runs without PyTorch."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from textrnn.data import LabelledTexts, as_examples, collect
from textrnn.errors import ConfigError
from textrnn.evaluation import Evaluation, evaluate
from textrnn.history import BaselineRecord, EpochRecord
from textrnn.labels import Label
from textrnn.modelfile import Header, Weights, read_model, write_model
from textrnn.runtime.engines import build_network
from textrnn.runtime.scores import finite, softmax
from textrnn.runtime.stream import Stream
from textrnn.runtime.tables import Compression
from textrnn.text import TextEncoder, Vocabulary

CHUNK_TEXTS = 1024
"""Texts that are held in memory at once when a stream is predicted."""


@dataclass(frozen=True)
class Prediction:
    """The most probable label of one text."""

    label: Label
    probability: float
    """Of that label, 0 to 1."""
    probabilities: dict[Label, float] = field(repr=False)
    """Of every label, in the order of `Classifier.labels`."""


class Classifier:
    """Text in, label and probabilities out. Made by `textrnn.train` or `textrnn.load`."""

    def __init__(self, header: Header, weights: Weights, *, compress: Compression | None = None) -> None:
        """`compress`: see `load`."""
        self.header = header
        self.weights = weights
        self.encoder = TextEncoder(header.text, Vocabulary(header.vocabulary))
        self._compress = compress
        self._network = build_network(header.model, weights, max_length=header.text.max_length, compress=compress)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies are made anew: the network holds addresses, and tables that fill up as tokens are met."""
        return _rebuilt, (self.header, self.weights, self._compress)

    @property
    def labels(self) -> list[Label]:
        """Every label that can be predicted, in the order of the columns of `predict_proba`."""
        return self.header.labels

    @property
    def history(self) -> list[EpochRecord]:
        """The training epoch by epoch; empty where the model file tells nothing about its training."""
        return self.header.provenance.history if self.header.provenance else []

    @property
    def baseline(self) -> BaselineRecord | None:
        """The network beside a linear model on the validation texts; None where `train` was not asked for it."""
        return self.header.provenance.baseline if self.header.provenance else None

    @overload
    def predict(self, texts: str) -> Prediction: ...  # type: ignore[overload-overlap]  # a string is a text
    @overload
    def predict(self, texts: Iterable[str]) -> list[Prediction]: ...
    def predict(self, texts: str | Iterable[str]) -> Prediction | list[Prediction]:
        """The label of one text, or of each of many.

        Raises:
            TypeError: something is not a string.
        """
        if isinstance(texts, str):
            return self._predictions([texts])[0]
        return list(self.predict_stream(texts))

    def predict_stream(self, texts: Iterable[str], *, chunk: int = CHUNK_TEXTS) -> Iterator[Prediction]:
        """The label of each text, in order and in constant memory: `chunk` texts are held at a time.

        Raises:
            TypeError: something is not a string.
        """
        remaining = iter(texts)
        while some := list(islice(remaining, chunk)):
            yield from self._predictions(some)

    def predict_proba(self, texts: Iterable[str]) -> NDArray[np.float64]:
        """The probability of every label for each text. [texts, labels]

        Raises:
            TypeError: something is not a string.
            ModelFileError: the scores overflow.
        """
        return softmax(self.logits(texts))

    def logits(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """The scores before the softmax. A text has the same scores alone and in any batch. [texts, labels]

        Raises:
            TypeError: something is not a string.
            ModelFileError: the scores overflow.
        """
        if isinstance(texts, str):
            raise TypeError("expected a list of texts, got a single string: put it into a list")
        return finite(self._network.logits_of(*self.encoder.encode_many(list(texts))))

    def stream(self) -> Stream:
        """A text that arrives word by word, with the running probabilities after each.

        Raises:
            ConfigError: the model is bidirectional, so it must see the end of a text first.
        """
        if self.header.model.bidirectional:
            raise ConfigError(
                "bidirectional: a stream needs a model that reads left to right only, this one reads both ways"
            )
        return Stream(self._network.stream(), self.encoder, self.labels)

    def evaluate(
        self,
        data: Any,
        labels: Any = None,
        *,
        text: str | None = None,
        label: str | None = None,
        format: str | None = None,
        encoding: str = "utf-8",
        header: bool = True,
        mistakes: int = 10,
        baseline: Any = None,
    ) -> Evaluation:
        """How well the predictions agree with given labels.

        Args:
            data: a file, folder, frame or list with texts, as `textrnn.train` takes it.
            labels: the labels where `data` is a list of texts only.
            text, label: names of the columns where they cannot be told from the header.
            format, encoding, header: how to read a file where its name and content do not tell.
            mistakes: how many of the most confidently wrong texts to keep.
            baseline: what the classifier was trained on, as `textrnn.train` took it (a list as pairs of text and
                label): a tuned linear model learns from it and stands beside the classifier in the evaluation.

        Raises:
            DataError: the data cannot be read, or hold a label that the classifier does not know.
        """
        read = partial(as_examples, text=text, label=label, format=format, encoding=encoding, header=header)
        dataset = collect(read(data, labels), labels=self.labels)
        evaluation = self.evaluate_on(dataset, mistakes=mistakes)
        if baseline is None:
            return evaluation
        from textrnn.runtime.baseline import evaluation_with_baseline

        return evaluation_with_baseline(evaluation, self, dataset, collect(read(baseline), labels=self.labels))

    def evaluate_on(self, dataset: LabelledTexts, *, mistakes: int = 10) -> Evaluation:
        """`evaluate` on texts that `textrnn.data.collect` has read, with this classifier's labels."""
        return evaluate(
            dataset.targets,
            self.predict_proba(dataset.texts),
            self.labels,
            texts=dataset.texts,
            places=[dataset.place(index) for index in range(len(dataset))],
            mistakes=mistakes,
        )

    def save(self, path: str | Path) -> None:
        """Write the classifier as one model file; see `docs/model-file.md`.

        Raises:
            OutputError: the file cannot be written.
        """
        write_model(path, self.header, self.weights)

    def _predictions(self, texts: list[str]) -> list[Prediction]:
        probabilities = self.predict_proba(texts)
        best = probabilities.argmax(axis=1).tolist()
        return [
            Prediction(self.labels[index], row[index], dict(zip(self.labels, row, strict=True)))
            for index, row in zip(best, probabilities.tolist(), strict=True)
        ]

    def __repr__(self) -> str:
        return f"Classifier({self.header.model.cell}, {len(self.labels)} labels, {len(self.header.vocabulary)} tokens)"


def load(path: str | Path, *, compress: Compression | None = None) -> Classifier:
    """The classifier in a model file. PyTorch is not needed, and nothing in the file is executed.

    Args:
        path: the model file.
        compress: keep the table in which tokens are looked up, most of a network's memory, in 16-bit floats ("fp16") or
            in 8 bits a number ("int8") instead of 32. All computing stays in 32 bits; `textrnn evaluate --compress`
            tells what it costs in accuracy.

    Raises:
        ModelFileError: the file is missing, damaged or not a model file.
        ConfigError: there is no such compression.
    """
    return Classifier(*read_model(path), compress=compress)


def _rebuilt(header: Header, weights: Weights, compress: Compression | None) -> Classifier:
    return Classifier(header, weights, compress=compress)
