"""Settings that follow from the data: what `effort` chooses where the user has chosen nothing. See docs/recipe.md.

Nothing here looks at a data set's name, at the labels' meaning or at the machine: equal data get equal settings
everywhere, and so equal models. What a choice costs is counted in tokens that the networks read while they are trained.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from textrnn.config import Recipe, TextConfig, VocabularyConfig
from textrnn.data import LabelledTexts
from textrnn.errors import ConfigError
from textrnn.text import TextEncoder

EFFORTS = ("plain", "quick", "default", "best")
"""`plain`: the settings as they stand in `textrnn.config`, one vanilla network; the others are chosen by the data."""

TOKENS = {"quick": 3e6, "default": 50e6, "best": 200e6}
"""Read in training at most by networks of `NARROW` units, all networks, epochs and readings together."""
NARROW, WIDE = 128, 256
"""Units of a network, of each direction."""
PRETRAINING_TOKENS = {"quick": 5e6, "default": 20e6, "best": 80e6}
"""Read in pre-training at most, all passes together; one pass is made in any case."""
MOST_PASSES = 8
MOST_NETWORKS = {"quick": 1, "default": 4, "best": 8}
STEPS = 1000
"""Of a training with two classes; more classes need more, since each is met less often."""
SPELLING = 3
"""Times as many steps where tokens are characters: words have to be learned first."""
LEAST_EPOCHS, MOST_EPOCHS = 3, 16
LEAST_EPOCHS_FROM_BASE = 2
MORE_FROM_BASE = 1.5
"""Times as many tokens may be read by networks that start from a base: its making takes longer anyway."""
ONCE = 0.8
"""As many tokens, where networks read each text once: with so many texts a further network adds little."""
WORD_DROPOUT = 0.15
"""Where something else holds off learning by heart: a second reading, or what a base knows."""
DROPOUT = 0.2
"""Less than is usual: the second reading, few passes and dropped words hold off learning by heart already."""
A_TEXT = 8
"""What a text costs beside its tokens, in tokens."""
CHARACTER_NGRAMS, TOKENS_WITH_CHARACTERS = 5, 20
"""Triples of tokens are learned from where the training texts have no more than the effort's tokens, each class
counting for itself; characters within words where they also have no more than a twentieth of those: their n-grams are
ten times as many."""
LONGEST = 256
"""Tokens of a text that are read in training at most."""
BEYOND = 4
"""Times as many are read in predicting: few texts are that long, and what was learned holds there."""


@dataclass(frozen=True)
class DataSize:
    """What the settings depend on."""

    examples: int
    classes: int
    lengths: NDArray[np.int64]
    """Tokens of each training text, nothing cut off. [examples]"""
    characters: bool
    """Whether a token is a character."""

    @classmethod
    def of(cls, dataset: LabelledTexts, text: TextConfig) -> "DataSize":
        """The size of some training texts."""
        lengths = lengths_of(dataset.texts, text.tokenizer)
        return cls(len(dataset), dataset.task.difficulty(len(dataset.labels)), lengths, text.tokenizer == "characters")


def lengths_of(texts: Sequence[str], tokenizer: Literal["words", "whitespace", "characters"]) -> NDArray[np.int64]:
    """Tokens of each text, nothing cut off. [texts]"""
    whole = TextConfig(tokenizer=tokenizer, max_length=1_000_000)
    _, offsets = TextEncoder.build(texts, whole, VocabularyConfig()).encode_many(texts)
    return np.diff(offsets)


def check_effort(effort: str) -> None:
    """Raises ConfigError where there is no effort of that name."""
    if effort not in EFFORTS:
        raise ConfigError(f"effort: expected one of {', '.join(EFFORTS)}, got {effort!r}")


def settings_for(effort: str, size: DataSize, chosen: dict[str, Any], *, base: bool = False) -> dict[str, Any]:
    """All settings by their flat names: those that the user has chosen, and what follows from the data.

    Args:
        effort: a name in `EFFORTS`.
        size: of the training texts.
        chosen: settings of the user, or of the base; they are never changed.
        base: whether the networks start from a base.
    """
    if effort == "plain":
        return chosen
    batch_size = chosen.get("batch_size", Recipe().training.batch_size)
    usual = int(np.clip(np.percentile(size.lengths, 95), 32, LONGEST))
    longest = chosen.get("training_length") or chosen.get("max_length", usual)
    tokens = float(np.minimum(size.lengths, longest).sum() + A_TEXT * size.examples)
    steps_an_epoch = math.ceil(size.examples / batch_size)
    steps = STEPS * (SPELLING if size.characters else 1) * (1 + math.log2(max(size.classes, 2) / 2) / 2)
    least = LEAST_EPOCHS_FROM_BASE if base else LEAST_EPOCHS
    epochs = chosen.get("epochs", int(np.clip(round(steps / steps_an_epoch), least, MOST_EPOCHS)))
    most_tokens = TOKENS[effort] * (MORE_FROM_BASE if base else 1)
    # The usual loss reads a text once, the adversarial one once more, the virtual one twice more.
    readings = 1 + bool(chosen.get("adversarial")) + 2 * bool(chosen.get("virtual_adversarial"))
    # Two light networks are worth more than one that is wide and reads each text twice, but not more than two such.
    units = chosen.get("hidden_size", WIDE)
    thorough = readings == 1 and effort != "quick" and 2 * 2 * epochs * tokens * _cost(units) <= TOKENS[effort]
    twice = chosen.get("r_drop", float(thorough)) > 0
    hidden_size = chosen.get("hidden_size", WIDE if thorough else NARROW)
    a_network = epochs * tokens * _cost(hidden_size) * (2 if twice else readings)
    networks = most_tokens * (1 if twice else ONCE) / max(1.0, a_network)
    # Two classes make one linear model, more of them one each.
    affordable = tokens * (1 if size.classes == 2 else size.classes) <= TOKENS[effort]
    spelled = affordable and not size.characters and TOKENS_WITH_CHARACTERS * tokens <= TOKENS[effort]
    found = {
        "training_length": 0 if "max_length" in chosen else longest,
        "max_length": BEYOND * longest,
        "cell": "gru",
        "bidirectional": True,
        "hidden_size": hidden_size,
        "pooling": "max",
        "members": int(np.clip(networks, 1, MOST_NETWORKS[effort])),
        "ngrams": 5 if size.characters else 3 if affordable else 2,
        "character_ngrams": CHARACTER_NGRAMS if spelled else 0,
        "epochs": epochs,
        "schedule": "cosine",
        "dropout": DROPOUT,
        # As good, and the inputs' products are made once a word; masks by text are what somebody else asked for.
        "dropout_by_word": not chosen.get("variational", False),
        "word_dropout": 0.1 if size.characters else WORD_DROPOUT if twice else 0.3,
        "r_drop": 2.0 if twice else 0.0,
        "calibrate": True,
    }
    if base:
        found["word_dropout"] = min(found["word_dropout"], WORD_DROPOUT)
    return found | chosen


def pretraining_epochs(effort: str, tokens: int) -> int:
    """Passes over texts of so many tokens."""
    return int(np.clip(PRETRAINING_TOKENS[effort] // max(tokens, 1), 1, MOST_PASSES))


def _cost(hidden_size: int) -> float:
    """What a token costs a network of so many units, in tokens of a narrow one; measured 3 with twice the units."""
    return float(max(1.0, hidden_size / NARROW) ** math.log2(3))
