"""Embeddings of a batch's words by the native kernels, with or without the layer that reads them."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from textrnn.cells.native_function import plain, threads
from textrnn.cells.native_reading import Reading
from textrnn.model.noise import SILENCE, Mask, Noise
from textrnn.native import Plan
from textrnn.native.interface import BY_STEP, BY_TEXT, BY_WORD


def reading_of(
    embedding: nn.Embedding, plan: Plan, words: Mask | None, features: Mask | None, noise: Noise = SILENCE
) -> Reading:
    """How a plan's words are read from a table.

    Args:
        embedding: the table, of 32-bit floats on the CPU.
        plan: of the batch, made with its ids, those of `noise.words_read`.
        words, features: masks that were drawn from the noise.
        noise: tells what the factors of `features` belong to.
    """
    return Reading(
        plan,
        words=words.record if words else None,
        features=features.record if features else None,
        by=by(noise),
        readings=noise.readings_apart,
        silent=embedding.padding_idx,
        sparse=embedding.sparse,
    )


def by(noise: Noise) -> int:
    """What the factors of features belong to, in the kernels' words."""
    return BY_WORD if noise.dropout_by_word else BY_TEXT if noise.variational else BY_STEP


def read_words(embedding: nn.Embedding, reading: Reading) -> Float[Tensor, "rows features"]:
    """What a reading reads, where something else is done with it than to hand it to a layer."""
    rows: Tensor = _ReadWords.apply(embedding.weight, reading)  # type: ignore[no-untyped-call]
    return rows


class _ReadWords(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, reading: Reading) -> Tensor:
        ctx.table, ctx.reading = plain(table), reading
        inputs = torch.empty(reading.rows, table.shape[1])
        reading.read(ctx.table, inputs.data_ptr(), threads())
        return inputs

    @staticmethod
    def backward(ctx: Any, d_inputs: Tensor) -> tuple[Tensor, None]:
        d_inputs = plain(d_inputs)
        return ctx.reading.gradient(d_inputs.data_ptr()), None
