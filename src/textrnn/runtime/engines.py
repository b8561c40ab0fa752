"""Everything that can compute a network without PyTorch, in one table behind one signature."""

import os
from collections.abc import Sequence
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from textrnn.config import ModelConfig
from textrnn.errors import ConfigError
from textrnn.modelfile import Weights, member_prefixes
from textrnn.runtime.native_network import NativeNetwork
from textrnn.runtime.network import NumpyNetwork
from textrnn.runtime.sum_network import SumNetwork

Ids = NDArray[np.int32]
Precision = Literal["bf16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


class TokenStream(Protocol):
    """One text read token by token, left to right, in memory that does not grow."""

    def push(self, ids: Ids) -> None:
        """Read some tokens. [time]"""

    def logits(self) -> NDArray[np.float32]:
        """Scores after the tokens so far, as `Network.logits` gives them for that text. [classes]"""

    def reset(self) -> None:
        """Forget all tokens."""


class Network(Protocol):
    """Embedding, layers, pooling and head on given weights."""

    def logits(self, texts: Sequence[Ids]) -> NDArray[np.float32]:
        """Scores before the softmax; a text's do not depend on the other texts, to the bit. [batch, classes]

        texts: the ids of each text, [time], of any lengths; an empty text is legal
        """

    def logits_of(self, ids: Ids, offsets: NDArray[np.int64]) -> NDArray[np.float32]:
        """The same for texts whose ids stand one after the other: text i is `ids[offsets[i]:offsets[i + 1]]`."""

    def stream(self) -> TokenStream:
        """A text without tokens yet, for a network that is not bidirectional."""


class Engine(Protocol):
    """Makes a network."""

    def __call__(
        self,
        config: ModelConfig,
        weights: Weights,
        *,
        max_length: int,
        compress: str | None = None,
        precision: Precision | None = None,
    ) -> Network:
        """A network on these weights.

        Args:
            config: what the network is.
            weights: every tensor by its name in a model file.
            max_length: in tokens; with `padding="through"` every text is padded to it.
            compress: how the table that tokens are looked up in is kept; see `textrnn.runtime.tables`.
            precision: of the factors of recurrent products, where the engine and the processor offer it.

        Raises:
            ImportError: the engine does not run on this machine; the next one takes its place.
            ConfigError: there is no such compression.
        """


ENGINES: dict[str, Engine] = {"native": NativeNetwork, "numpy": NumpyNetwork}
"""Every engine by name, the fastest first."""

VARIABLE = "TEXTRNN_ENGINE"
"""The environment variable that names the engine to use; without it the first that loads."""


def build_network(
    config: ModelConfig,
    weights: Weights,
    *,
    max_length: int,
    compress: str | None = None,
    precision: Precision | None = None,
) -> Network:
    """The network in the engine that `TEXTRNN_ENGINE` names, else in the first that loads; arguments as of `Engine`.

    Raises:
        ConfigError: the named engine does not exist or does not run here, or there is no such compression or precision.
    """
    if precision not in (None, *PRECISIONS):
        raise ConfigError(f"precision: expected {', '.join(PRECISIONS)} or None, got {precision!r}")
    parts = []
    for member in member_prefixes(config):
        own = {name.removeprefix(member): tensor for name, tensor in weights.items() if name.startswith(member)}
        parts.append(_build_one(config, own, max_length=max_length, compress=compress, precision=precision))
    return parts[0] if len(parts) == 1 else SumNetwork(parts)


def _build_one(
    config: ModelConfig, weights: Weights, *, max_length: int, compress: str | None, precision: Precision | None
) -> Network:
    name = os.environ.get(VARIABLE)
    if name and name not in ENGINES:
        raise ConfigError(f"{VARIABLE}: expected one of {', '.join(ENGINES)}, got {name!r}")
    failures = []
    for candidate in [name] if name else ENGINES:
        try:
            return ENGINES[candidate](config, weights, max_length=max_length, compress=compress, precision=precision)
        except ImportError as error:
            failures.append(f"{candidate} ({error})")
    raise ConfigError(f"no engine runs on this machine: {', '.join(failures)}")
