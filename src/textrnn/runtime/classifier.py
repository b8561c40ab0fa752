"""A trained classifier: the one object that users hold. It runs without PyTorch."""

import os
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from textrnn.errors import ConfigError, TextRNNError
from textrnn.history import BaselineRecord, EpochRecord
from textrnn.labels import Label
from textrnn.modelfile import Header, Weights, read_model, write_model
from textrnn.runtime.engines import VARIABLE, Precision, build_network
from textrnn.runtime.ngram_scores import NgramScores
from textrnn.runtime.scores import finite
from textrnn.runtime.stream import Stream
from textrnn.runtime.sum_network import added
from textrnn.runtime.tables import Compression
from textrnn.tasks import Prediction, Task
from textrnn.text import TextEncoder, Vocabulary

if TYPE_CHECKING:
    from textrnn.data import LabelledTexts

CHUNK_TEXTS = 1024
"""Texts that are held in memory at once when a stream is predicted."""


class Classifier:
    """Text in, label and probabilities out. Made by `textrnn.train` or `textrnn.load`."""

    def __init__(
        self,
        header: Header,
        weights: Weights,
        *,
        compress: Compression | None = None,
        precision: Precision | None = None,
    ) -> None:
        """`compress`, `precision`: see `load`."""
        self.header = header
        self.weights = weights
        self.encoder = TextEncoder(header.text, Vocabulary(header.vocabulary))
        self._compress, self._precision = compress, precision
        self._network = build_network(
            header.model, weights, max_length=header.text.max_length, compress=compress, precision=precision
        )
        self._ngrams = NgramScores.of(header, weights, native=os.environ.get(VARIABLE) != "numpy")

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies are made anew: the network holds addresses, and tables that fill up as tokens are met."""
        return _rebuilt, (self.header, self.weights, self._compress, self._precision)

    @property
    def task(self) -> Task:
        """What is predicted, with what it has learned, such as thresholds."""
        return self.header.task

    @property
    def labels(self) -> list[Label]:
        """Every label that can be predicted, in the order of the columns of `predict_proba`; none beside a number."""
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
    def predict(  # type: ignore[overload-overlap]  # a string is a text
        self, texts: str, *, abstain_below: float = ...
    ) -> Prediction: ...
    @overload
    def predict(self, texts: Iterable[str], *, abstain_below: float = ...) -> list[Prediction]: ...
    def predict(self, texts: str | Iterable[str], *, abstain_below: float = 0.0) -> Prediction | list[Prediction]:
        """The label, the labels or the number of one text, or of each of many.

        abstain_below: a text whose most probable label has a lower probability gets the label None; `evaluate` tells
            which probability hands over how many texts, and how many errors are left.

        Raises:
            TypeError: something is not a string.
            ConfigError: `abstain_below` is no probability, or the texts do not have one label each.
        """
        if isinstance(texts, str):
            return self._predictions([texts], abstain_below)[0]
        return list(self.predict_stream(texts, abstain_below=abstain_below))

    def predict_stream(
        self, texts: Iterable[str], *, chunk: int = CHUNK_TEXTS, abstain_below: float = 0.0
    ) -> Iterator[Prediction]:
        """The label of each text, in order and in constant memory: `chunk` texts are held at a time.

        Raises:
            TypeError: something is not a string.
            ConfigError: `abstain_below`, as in `predict`, is no probability.
        """
        remaining = iter(texts)
        while some := list(islice(remaining, chunk)):
            yield from self._predictions(some, abstain_below)

    def predict_proba(self, texts: Iterable[str]) -> NDArray[np.float64]:
        """The probability of every label for each text. [texts, labels]

        Raises:
            TypeError: something is not a string.
            ModelFileError: the scores overflow.
            ConfigError: a number is predicted, which has no probability.
        """
        if not self.labels:
            raise ConfigError("this model predicts a number, which has no probability: use `predict`")
        return self.answers(texts)

    def answers(self, texts: Iterable[str]) -> NDArray[np.float64]:
        """The probability of every label for each text [texts, labels], or its number [texts, 1].

        Raises:
            TypeError: something is not a string.
            ModelFileError: the scores overflow.
        """
        return self.task.answers(self.logits(texts))

    def logits(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """What the parts of the model add up to. A text has the same scores alone and in any batch. [texts, outputs]

        Raises:
            TypeError: something is not a string.
            ModelFileError: the scores overflow.
        """
        if isinstance(texts, str):
            raise TypeError("expected a list of texts, got a single string: put it into a list")
        texts = list(texts)
        scores = self._network.logits_of(*self.encoder.encode_many(texts))
        return finite(scores if self._ngrams is None else added([scores, self._ngrams.scores(texts)]))

    def stream(self) -> Stream:
        """A text that arrives word by word, with the running probabilities after each; `value` is a number's.

        Raises:
            ConfigError: the model is bidirectional, so it must see the end of a text first.
        """
        if self.header.model.bidirectional:
            raise ConfigError(
                "bidirectional: a stream needs a model that reads left to right only, this one reads both ways"
            )
        ngrams = self._ngrams.stream() if self._ngrams else None
        labels = self.labels or ["value"]
        return Stream(self._network.stream(), self.encoder, labels, self.task.answers, ngrams)

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
        out_of_scope: Label | None = None,
        baseline: Any = None,
    ) -> Any:
        """How well the predictions agree with given labels: an `Evaluation`, or what `textrnn.evaluation` has instead
        for texts with several labels (`SetEvaluation`) or a number (`NumberEvaluation`).

        Args:
            data: a file, folder, frame or list with texts, as `textrnn.train` takes it.
            labels: the labels where `data` is a list of texts only.
            text, label: names of the columns where they cannot be told from the header.
            format, encoding, header: how to read a file where its name and content do not tell.
            mistakes: how many of the most confidently wrong texts to keep.
            out_of_scope: what texts of none of the classes are labelled with; they count only in the figures that say
                how well the classifier's certainty tells them apart.
            baseline: what the classifier was trained on, as `textrnn.train` took it (a list as pairs of text and
                label): a tuned linear model learns from it and stands beside the classifier in the evaluation.

        Raises:
            DataError: the data cannot be read, or hold a label that the classifier does not know.
            ConfigError: `out_of_scope` is one of the classifier's labels, or something is asked for that has no meaning
                for what the classifier predicts.
        """
        # Half the time of the import of all this, and not needed to predict.
        from textrnn.data import Example, as_examples, collect, set_apart

        if out_of_scope is not None or baseline is not None:
            self.require_one_label("out_of_scope" if baseline is None else "baseline")
        read = partial(
            as_examples,
            text=text,
            label=label,
            format=format,
            encoding=encoding,
            header=header,
            read_label=self.task.read_label,
        )
        examples: Iterable[Example] = read(data, labels)
        unknown = None
        if out_of_scope is not None:
            examples, unknown = set_apart(examples, out_of_scope, self.labels)
        dataset = collect(examples, labels=self.labels, task=self.task)
        evaluation = self.evaluate_on(dataset, mistakes=mistakes, out_of_scope=out_of_scope, unknown=unknown)
        if baseline is None:
            return evaluation
        from textrnn.runtime.baseline import evaluation_with_baseline

        return evaluation_with_baseline(
            evaluation, self, dataset, collect(read(baseline), labels=self.labels, task=self.task)
        )

    def evaluate_on(
        self,
        dataset: "LabelledTexts",
        *,
        mistakes: int = 10,
        out_of_scope: Label | None = None,
        unknown: list[str] | None = None,
    ) -> Any:
        """`evaluate` on texts that `textrnn.data.collect` has read, with this classifier's labels.

        unknown: the texts that `textrnn.data.set_apart` has found under the label `out_of_scope`.
        """
        from textrnn.evaluation import evaluate_task

        return evaluate_task(
            self.task,
            dataset.targets,
            self.answers(dataset.texts),
            self.labels,
            texts=dataset.texts,
            places=[dataset.place(index) for index in range(len(dataset))],
            mistakes=mistakes,
            lengths=np.diff(self.encoder.encode_many(dataset.texts).offsets),
            out_of_scope=None
            if out_of_scope is None or unknown is None
            else (out_of_scope, self.predict_proba(unknown)),
        )

    def require_one_label(self, purpose: str) -> None:
        """Refuse what has a meaning only where each text has one of several labels.

        Raises:
            ConfigError: it has several, or a number.
        """
        if not self.task.one_label:
            raise ConfigError(f"{purpose}: expected a model that predicts one label a text, this one does not")

    def save(self, path: str | Path) -> None:
        """Write the classifier as one model file; see `docs/model-file.md`.

        Raises:
            OutputError: the file cannot be written.
        """
        write_model(path, self.header, self.weights)

    def _predictions(self, texts: list[str], abstain_below: float) -> list[Prediction]:
        if not 0 <= abstain_below <= 1:
            raise ConfigError(f"abstain_below: expected a probability from 0 to 1, got {abstain_below!r}")
        try:
            return self.task.predictions(self.answers(texts), self.labels, abstain_below)
        except ValueError as error:
            raise error if isinstance(error, TextRNNError) else ConfigError(f"abstain_below: {error}") from error

    def __repr__(self) -> str:
        return f"Classifier({self.header.model.cell}, {len(self.labels)} labels, {len(self.header.vocabulary)} tokens)"


def load(path: str | Path, *, compress: Compression | None = None, precision: Precision | None = None) -> Classifier:
    """The classifier in a model file. PyTorch is not needed, and nothing in the file is executed.

    Args:
        path: the model file.
        compress: keep the table in which tokens are looked up, most of a network's memory, in 16-bit floats ("fp16") or
            in 8 bits a number ("int8") instead of 32. All computing stays in 32 bits; `textrnn evaluate --compress`
            tells what it costs in accuracy.
        precision: "bf16" makes the recurrent products of 16-bit brain floats where the processor multiplies them
            faster (AVX512-BF16): about 1.5 times as fast, probabilities change by less than 0.001. Sums, states and
            all else stay in 32 bits, and so does everything on other processors.

    Raises:
        ModelFileError: the file is missing, damaged or not a model file.
        ConfigError: there is no such compression or precision.
    """
    return Classifier(*read_model(path), compress=compress, precision=precision)


def _rebuilt(header: Header, weights: Weights, compress: Compression | None, precision: Precision | None) -> Classifier:
    return Classifier(header, weights, compress=compress, precision=precision)
