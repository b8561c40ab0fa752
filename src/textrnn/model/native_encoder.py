"""The whole way from ids to pooled vectors by the native kernels, beside the readable one in `ENCODERS`.

Each word of the batch is projected once, whatever the number of its occurrences, unless dropout of features makes every
occurrence another; then the tokens are, without padding. Between layers the states stay packed, and the last layer
pools as it goes. The masks are those that the readable way draws, from the same stream: both train alike, up to
rounding.
"""

import threading

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from textrnn.cells.native import native_layer
from textrnn.model.native_words import read_words, reading_of
from textrnn.model.noise import Noise, masked
from textrnn.model.reader import Reader
from textrnn.native import Plan


def native_encode(
    reader: Reader, ids: Int[Tensor, "batch time"], lengths: Int[Tensor, " batch"], noise: Noise
) -> Float[Tensor, "batch outputs"]:
    """See `textrnn.model.encoders.encode`; on the CPU, in 32-bit floats."""
    config = reader.config
    batch, time = ids.shape
    if config.padding == "through":
        lengths = torch.full_like(lengths, time)
    plan = _plan(noise.words_read(ids), lengths, reader.embedding.num_embeddings * noise.readings_apart)
    words, features = noise.words(), noise.features()
    added = _of_positions(noise.perturbation, plan)  # another amount wherever a word occurs
    reading = reading_of(reader.embedding, plan, words, features if added is None else None, noise)
    inputs: Tensor = reader.embedding.weight
    if added is not None:
        read = read_words(reader.embedding, reading)
        inputs = read.index_select(0, torch.from_numpy(plan.unique_index.astype(np.int64))) + added
        if features is not None:
            width = config.embedding_size
            if noise.dropout_by_word:
                read_ids = torch.from_numpy(plan.unique_ids[plan.unique_index])
                factors: Tensor | None = features.factors(read_ids, width)
            else:
                steps = 1 if noise.variational else time
                factors = _of_positions(features.rows(steps * batch, width).view(steps, batch, width), plan)
            inputs = masked(inputs, factors)

    pooled: Tensor | None = None
    for depth, layer in enumerate(reader.stack):
        if depth:
            inputs = masked(inputs, _of_positions(noise.steps_mask(time, batch, inputs.shape[1]), plan))
        last = depth == config.layers - 1
        result = native_layer(
            config.cell,
            [noise.cell(cell) for cell in layer.directions],
            plan,
            inputs,
            reading=reading if added is None and not depth else None,
            indexed=added is None and reading.once and not depth,
            pooling=config.pooling if last else None,
            states=None,
            keep_outputs=not last,
        )
        if result.outputs is not None:
            inputs = result.outputs
        pooled = result.pooled
    assert pooled is not None
    return pooled


def _of_positions(mask: Tensor | None, plan: Plan) -> Tensor | None:
    """A mask [time or 1, batch, features] at the positions of a plan. [positions, features]"""
    if mask is None:
        return None
    time, batch, features = mask.shape
    rows = plan.source_row.astype(np.int64)
    places = torch.from_numpy(rows if time == 1 else plan.source_time * np.int64(batch) + rows)
    return mask.reshape(time * batch, features).index_select(0, places)


class _Stamp(threading.local):
    """-1 for every id; plans leave it so, which spares filling it for each batch.

    Each thread has its own: plans write into it while they are made.
    """

    array: np.ndarray[tuple[int], np.dtype[np.int32]] = np.empty(0, dtype=np.int32)
    address = 0


_STAMP = _Stamp()


def _plan(ids: Int[Tensor, "batch time"], lengths: Int[Tensor, " batch"], vocabulary_size: int) -> Plan:
    if len(_STAMP.array) != vocabulary_size:
        _STAMP.array = np.full(vocabulary_size, -1, dtype=np.int32)
        _STAMP.address = _STAMP.array.ctypes.data
    batch, time = ids.shape
    if len(lengths) != batch:
        raise ValueError(f"ids of shape {tuple(ids.shape)} do not hold {len(lengths)} rows of the given lengths")
    ids, lengths = ids.cpu().long().contiguous(), lengths.cpu().long().contiguous()  # mostly they are so
    return Plan.at(lengths.data_ptr(), ids.data_ptr(), batch, time, _STAMP.address, vocabulary_size)
