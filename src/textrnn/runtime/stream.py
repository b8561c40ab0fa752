"""A text that arrives word by word, with the running probabilities."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from textrnn.labels import Label
from textrnn.runtime.engines import TokenStream
from textrnn.runtime.ngram_scores import NgramStream
from textrnn.runtime.scores import finite
from textrnn.runtime.sum_network import added
from textrnn.text import TextEncoder
from textrnn.text.tokenizer import TOKENIZERS


class Stream:
    """A text that arrives word by word. Made by `Classifier.stream`.

        stream = classifier.stream()
        for word in "not bad at all".split():
            print(word, stream.push(word))

    The memory it needs does not grow with the text, but for the n-grams met where a model has such a part.

    Each pushed piece is cut into tokens as a text of its own. With the tokenizers `words` and `whitespace` this gives
    the tokens of all pieces joined by spaces. So a piece must not end inside a word: what is pushed as "good" and
    "ness", or as a letter and its combining mark, is two words here. With `characters` the white space at both ends of
    a piece is not read.

    A stream reads everything that is pushed; the model's `max_length` cuts nothing off. For texts that are not longer,
    the probabilities equal those of `Classifier.predict_proba` to 1e-5.
    """

    def __init__(
        self,
        states: TokenStream,
        encoder: TextEncoder,
        labels: list[Label],
        answers: Callable[[NDArray[np.float32]], NDArray[np.float64]],
        ngrams: NgramStream | None = None,
    ) -> None:
        """answers: scores [1, outputs] -> the probability of every label [1, labels]."""
        self._states, self._ngrams = states, ngrams
        self._answers = answers
        self._tokenize = TOKENIZERS[encoder.config.tokenizer]
        self._vocabulary = encoder.vocabulary
        self._labels = labels
        self.reset()

    def reset(self) -> None:
        """Begin a new text."""
        self._states.reset()
        if self._ngrams:
            self._ngrams.reset()
        self._tokens = 0
        self._probabilities: dict[Label, float] | None = None

    def push(self, text: str) -> dict[Label, float]:
        """Read one more word, or some; the probability of every label after it.

        Raises:
            TypeError: it is not a string.
            ModelFileError: the scores overflow.
        """
        if not isinstance(text, str):
            raise TypeError(f"expected a string, got {type(text).__name__}")
        if tokens := self._tokenize(text):
            self._states.push(np.array(self._vocabulary.encode(tokens), dtype=np.int32))
            if self._ngrams:
                self._ngrams.push(tokens)
            self._tokens += len(tokens)
            self._probabilities = None
        return self.probabilities

    @property
    def probabilities(self) -> dict[Label, float]:
        """The probability of every label after what has been read, in the order of `Classifier.labels`.

        Raises:
            ModelFileError: the scores overflow.
        """
        if self._probabilities is None:
            scores = self._states.logits()
            if self._ngrams:
                scores = added([scores, self._ngrams.scores()])
            row = self._answers(finite(scores[None]))[0]
            self._probabilities = dict(zip(self._labels, row.tolist(), strict=True))
        return dict(self._probabilities)

    @property
    def tokens(self) -> int:
        """How many tokens have been read."""
        return self._tokens
