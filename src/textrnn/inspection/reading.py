"""A text as the parts of a model read it: tokens, ids, and what is cut off."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textrnn.config import TextConfig
from textrnn.runtime import Classifier
from textrnn.text import UNK_ID, truncate
from textrnn.text.tokenizer import TOKENIZERS


class Token(NamedTuple):
    """One token of a text."""

    text: str
    known: bool
    """Whether it is in the vocabulary; all others have the embedding of `<UNK>`."""
    read: bool = True
    """Whether the networks read it; a text beyond `max_length` is cut, and only n-grams read what is cut off."""


@dataclass(frozen=True)
class Reading:
    """One text, read. `time` is the number of tokens that the networks read."""

    all_tokens: tuple[Token, ...]
    """Of the whole text, in its order."""
    places: NDArray[np.int64]
    """Where the tokens that the networks read stand among all. [time]"""
    ids: NDArray[np.int32]
    """What the networks read: the ids of these tokens, then, with `padding="through"`, of the padding. [steps]"""

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Those that the networks read. [time]"""
        return tuple(self.all_tokens[place] for place in self.places.tolist())

    @property
    def time(self) -> int:
        """How many tokens the networks read."""
        return len(self.places)

    @property
    def steps(self) -> int:
        """How many steps they take: the tokens, and the padding where that is read."""
        return len(self.ids)

    @property
    def cut_off(self) -> int:
        """How many tokens the networks do not read."""
        return len(self.all_tokens) - self.time


def read_text(classifier: Classifier, text: str) -> Reading:
    """The text as this model reads it.

    Raises:
        TypeError: it is not a string.
    """
    if not isinstance(text, str):
        raise TypeError(f"expected a string, got {type(text).__name__}")
    return read_tokens(classifier, TOKENIZERS[classifier.header.text.tokenizer](text))


def read_tokens(classifier: Classifier, tokens: list[str]) -> Reading:
    """The same from the tokens of a text."""
    places = kept_places(len(tokens), classifier.header.text)
    all_ids = np.array(classifier.encoder.vocabulary.encode(tokens), dtype=np.int32)
    read = np.zeros(len(tokens), dtype=np.bool_)
    read[places] = True
    ids = all_ids[places]
    if classifier.header.model.padding == "through":
        ids = np.pad(ids, (0, classifier.header.text.max_length - len(ids)))
    known = (all_ids != UNK_ID).tolist()
    return Reading(tuple(map(Token, tokens, known, read.tolist())), places, ids)


def kept_places(tokens: int, config: TextConfig) -> NDArray[np.int64]:
    """Which of so many tokens the networks read, by the very rule that cuts texts. [time]"""
    return np.array(truncate(list(map(str, range(tokens))), config.max_length, config.keep), dtype=np.int64)


def text_of(tokens: list[str], tokenizer: str) -> str:
    """A text that the tokenizer cuts into these tokens again."""
    return ("" if tokenizer == "characters" else " ").join(tokens)
