"""Ids to one vector a text, by any of the ways in which the recurrent layers can be computed."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from textrnn.cells import UNROLLS, Unroll
from textrnn.errors import ConfigError
from textrnn.model.layers import run_layers
from textrnn.model.native_encoder import native_encode
from textrnn.model.noise import Noise, masked
from textrnn.model.pooling import POOLINGS
from textrnn.model.reader import Reader
from textrnn.native.interface import CELLS as KERNELS

Encode = Callable[[Reader, Tensor, Tensor, Noise], Tensor]
"""(reader, ids [batch, time], lengths [batch], noise) -> pooled vectors [batch, directions * hidden]."""


def encode(
    reader: Reader,
    ids: Int[Tensor, "batch time"],
    lengths: Int[Tensor, " batch"],
    noise: Noise,
    *,
    unroll: Unroll,
) -> Float[Tensor, "batch outputs"]:
    """Embedding, recurrent layers and pooling, with each cell unrolled by `unroll`.

    Args:
        reader: the parameters.
        ids: padded at the end with 0.
        lengths: real steps per row. With `padding="through"` the padding is read like tokens, whatever they say.
        noise: what is zeroed at random, in the order word types, features of the embeddings, recurrent weights.
    """
    ids = ids.t()  # [time, batch]
    inputs: Tensor = reader.embedding(ids)  # [time, batch, features]
    words = noise.word_mask(ids)
    inputs = masked(inputs, None if words is None else words.unsqueeze(-1))
    if noise.perturbation is not None:
        inputs = inputs + noise.perturbation
    inputs = masked(inputs, noise.embeddings_mask(ids, inputs.shape[-1]))
    if reader.config.padding == "through":
        lengths = torch.full_like(lengths, len(inputs))
    outputs, finals = run_layers(reader.stack, inputs, lengths, unroll, noise)
    final = torch.cat([state.hidden for state in finals[-1]], dim=-1)  # [batch, directions * hidden]
    return POOLINGS[reader.config.pooling](outputs, final, lengths)


ENCODERS: dict[str, Encode] = {
    name: native_encode if name == "native" else partial(encode, unroll=unroll) for name, unroll in UNROLLS.items()
}
"""Every way by the name it has in a configuration; all give the same vectors, up to rounding."""


def choose_backend(name: str, device: torch.device, cell: str) -> str:
    """The key in `ENCODERS` that a configuration's `backend` means for this cell on this device.

    Raises:
        ConfigError: there is no such backend here.
    """
    if name == "auto":
        if device.type != "cpu":
            return "torch"
        return "native" if "native" in ENCODERS and cell in KERNELS else "readable"
    if name not in ENCODERS:
        raise ConfigError(f"backend: {name!r} is not available here, expected one of auto, {', '.join(ENCODERS)}")
    return name
