"""Text to ids in one object: tokenizer, vocabulary and truncation, as a model file stores them."""

from collections.abc import Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from textrnn.config import TextConfig, VocabularyConfig
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
        tokenize = TOKENIZERS[config.tokenizer]
        tokens = (tokenize(text) for text in texts)
        built = Vocabulary.build(tokens, max_size=vocabulary.max_size, min_count=vocabulary.min_count)
        return cls(config, built)

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text that the network reads, cut to `max_length`."""
        return truncate(self._tokenize(text), self.config.max_length, self.config.keep)

    def encode(self, text: str) -> NDArray[np.int32]:
        """The ids of those tokens. [time]; an empty text has none."""
        return np.array(self.vocabulary.encode(self.tokens(text)), dtype=np.int32)


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
