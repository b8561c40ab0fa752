"""Text to ids in one object: tokenizer, vocabulary and truncation, as a model file stores them."""

import contextlib
import functools
from collections.abc import Iterable, Sequence
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from textrnn.config import TextConfig, VocabularyConfig
from textrnn.text.native_counts import count_words
from textrnn.text.native_words import Flat, NativeWords
from textrnn.text.tokenizer import TOKENIZERS
from textrnn.text.vocabulary import Vocabulary


class TextEncoder:
    """Encodes texts exactly as they were encoded in training."""

    def __init__(self, config: TextConfig, vocabulary: Vocabulary) -> None:
        self.config = config
        self.vocabulary = vocabulary
        self._tokenize = TOKENIZERS[config.tokenizer]

    @classmethod
    def build(cls, texts: Iterable[str], config: TextConfig, vocabulary: VocabularyConfig) -> Self:
        """An encoder whose vocabulary comes from all tokens of `texts`, those beyond `max_length` included."""
        limits: dict[str, Any] = {"max_size": vocabulary.max_size, "min_count": vocabulary.min_count}
        if config.tokenizer == "words":
            texts = list(texts)
            with contextlib.suppress(OSError):  # not built, or tokens made to collide
                return cls(config, Vocabulary.from_counts(count_words(texts), **limits))
        tokenize = TOKENIZERS[config.tokenizer]
        return cls(config, Vocabulary.build((tokenize(text) for text in texts), **limits))

    def shorter(self, length: int) -> "TextEncoder":
        """The same that reads at most `length` tokens of a text; itself where `length` is 0 or is none less."""
        if not 0 < length < self.config.max_length:
            return self
        return TextEncoder(msgspec.structs.replace(self.config, max_length=length), self.vocabulary)

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text that the network reads, cut to `max_length`."""
        return truncate(self._tokenize(text), self.config.max_length, self.config.keep)

    def encode(self, text: str) -> NDArray[np.int32]:
        """The ids of those tokens. [time]; an empty text has none."""
        return np.array(self.vocabulary.encode(self.tokens(text)), dtype=np.int32)

    def encode_many(self, texts: Sequence[str], *, threads: int | None = None) -> Flat:
        """The ids of many texts, one after the other: `ids` [tokens] and `offsets` [texts + 1].

        They are those of `encode`. For the rule `words` native code computes them where it was built, on at most
        `threads` threads (None: `TEXTRNN_NUM_THREADS`, or every processor that this process may use).

        Raises:
            TypeError: `texts` is a single string, or something in it is none.
        """
        if isinstance(texts, str):
            raise TypeError("expected a list of texts, got a single string: put it into a list")
        if not set(map(type, texts)) <= {str}:  # four times faster than to ask one by one
            for row, text in enumerate(texts):
                if not isinstance(text, str):
                    raise TypeError(f"texts[{row}]: expected a string, got {type(text).__name__}")
        if self._native is not None:
            head, tail = self._kept
            if len(texts) == 1 and (ids := self._native.encode_one(texts[0], head=head, tail=tail)) is not None:
                return Flat(ids, np.array([0, len(ids)], dtype=np.int64))
            return self._native.encode(texts, head=head, tail=tail, python=self.encode, threads=threads)
        encoded = [self.encode(text) for text in texts]
        offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum([len(ids) for ids in encoded], out=offsets[1:])
        return Flat(np.concatenate([np.empty(0, np.int32), *encoded]), offsets)

    @property
    def _kept(self) -> tuple[int, int]:
        """Tokens that `truncate` keeps at the beginning and at the end."""
        length = self.config.max_length
        tail = {"head": 0, "tail": length, "both": length // 2}[self.config.keep]
        return length - tail, tail

    @functools.cached_property
    def _native(self) -> NativeWords | None:
        if self.config.tokenizer != "words":
            return None
        try:
            return NativeWords(self.vocabulary.tokens)
        except OSError:  # not built, or a vocabulary made to collide
            return None


def truncate(tokens: list[str], max_length: int, keep: str) -> list[str]:
    """The first, the last or, with `both`, the first half (rounded up) and the last half of `max_length` tokens."""
    if len(tokens) <= max_length:
        return tokens
    if keep == "head":
        return tokens[:max_length]
    if keep == "tail":
        return tokens[-max_length:]
    tail = max_length // 2
    return tokens[: max_length - tail] + tokens[len(tokens) - tail :]
