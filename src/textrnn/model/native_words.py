"""Embeddings of a batch's words under PyTorch's autograd: one native call forward and one back, without padding.

Each word is read once, unless dropout of features makes every occurrence another; then each position is. The gradient
of a table with `sparse` holds every row once, in rising order, so that nothing has to sort or add it up again.
"""

import ctypes
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from textrnn.cells.native_function import threads
from textrnn.model.noise import Mask
from textrnn.native import Plan, library
from textrnn.native.interface import MaskRecord, ReadingRecord


def read_words(
    embedding: nn.Embedding, plan: Plan, words: Mask | None, features: Mask | None, *, variational: bool
) -> Float[Tensor, "rows features"]:
    """A row for each unique id of the plan; with a mask of features for each of its positions.

    Args:
        embedding: the table, of 32-bit floats on the CPU.
        plan: of the batch, made with its ids.
        words, features, variational: see `Noise`.
    """
    rows: Tensor = _ReadWords.apply(embedding.weight, embedding, plan, words, features, variational)  # type: ignore[no-untyped-call]
    return rows


class _ReadWords(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        table: Tensor,
        embedding: nn.Embedding,
        plan: Plan,
        words: Mask | None,
        features: Mask | None,
        variational: bool,
    ) -> Tensor:
        if table.dtype != torch.float32 or table.device.type != "cpu":
            raise TypeError(f"the native kernels read 32-bit floats on the CPU, got {table.dtype} on {table.device}")
        table = table.detach().contiguous()
        inputs = torch.empty(plan.unique if features is None else plan.positions, table.shape[1])
        record = ReadingRecord(
            plan=plan.address,
            features=table.shape[1],
            table=table.data_ptr(),
            word=words.record if words else MaskRecord(),
            step=features.record if features else MaskRecord(),
            variational=variational,
            threads=threads(),
            inputs=inputs.data_ptr(),
            silent=-1 if embedding.padding_idx is None else embedding.padding_idx,
        )
        if _kernels().textrnn_read_words(ctypes.byref(record)):
            raise MemoryError("out of memory in the native kernels")
        ctx.plan, ctx.record, ctx.size, ctx.sparse = plan, record, table.shape, embedding.sparse
        return inputs

    @staticmethod
    def backward(ctx: Any, d_inputs: Tensor) -> Any:
        plan, record = ctx.plan, ctx.record
        d_inputs = d_inputs.contiguous()
        order = torch.empty(plan.unique, dtype=torch.int32)
        ids = torch.empty(plan.unique, dtype=torch.int64)
        rows = torch.empty(plan.unique, ctx.size[1])
        record.d_inputs, record.order = d_inputs.data_ptr(), order.data_ptr()
        record.d_ids, record.d_rows = ids.data_ptr(), rows.data_ptr()
        found = _kernels().textrnn_learn_words(ctypes.byref(record))
        if found < 0:
            raise MemoryError("out of memory in the native kernels")
        ids, rows = ids[:found], rows[:found]
        if ctx.sparse:
            gradient = torch.sparse_coo_tensor(
                ids.unsqueeze(0), rows, ctx.size, is_coalesced=True, check_invariants=False
            )
        else:
            gradient = torch.zeros(ctx.size).index_copy_(0, ids, rows)
        return gradient, None, None, None, None, None


def _kernels() -> Any:
    kernels = library()
    assert kernels is not None
    return kernels
