"""Embeddings of a batch's words, read and learnt by the native kernels without padding.

Each word is read once, unless dropout of features makes every occurrence another; then each position is. The gradient
of a table with `sparse` holds every row once, in rising order, so that nothing has to sort or add it up again.
"""

import ctypes

import torch
from torch import Tensor

from textrnn.native import Plan, library
from textrnn.native.interface import MaskRecord, ReadingRecord

NO_MASK = MaskRecord()


class Reading:
    """One reading of a batch's words, forward and then back."""

    def __init__(
        self,
        plan: Plan,
        *,
        words: MaskRecord | None = None,
        features: MaskRecord | None = None,
        variational: bool = False,
        silent: int | None = None,
        sparse: bool = False,
    ) -> None:
        """Read and learn nothing yet.

        Args:
            plan: of the batch, made with its ids.
            words: factors of the different words.
            features: factors of the features at each position.
            variational: whether `features` are the same at all steps of a text.
            silent: the id whose row learns nothing.
            sparse: whether the table's gradient is to be a sparse tensor.
        """
        self.plan, self.words, self.features = plan, words or NO_MASK, features or NO_MASK
        self.variational, self.silent, self.sparse = variational, -1 if silent is None else silent, sparse
        self.rows = plan.unique if features is None else plan.positions
        """One for each different word of the plan, or with a mask of features for each position."""

    def read(self, table: Tensor, inputs: int, threads: int) -> None:
        """Write the embeddings [rows, features] of a table of 32-bit floats to the address `inputs`."""
        kernels = library()
        assert kernels is not None
        self._size = table.shape
        self._record = ReadingRecord(
            plan=self.plan.address,
            features=table.shape[1],
            table=table.data_ptr(),
            word=self.words,
            step=self.features,
            variational=self.variational,
            threads=threads,
            inputs=inputs,
            silent=self.silent,
        )
        if kernels.textrnn_read_words(ctypes.byref(self._record)):
            raise MemoryError("out of memory in the native kernels")

    def gradient(self, d_inputs: int) -> Tensor:
        """Of the table, from that of what was read, at the address `d_inputs`. The table must still be there."""
        kernels = library()
        assert kernels is not None
        record, words = self._record, self.plan.unique
        ids, rows = torch.empty(1, words, dtype=torch.int64), torch.empty(words, record.features)
        record.d_inputs, record.d_ids, record.d_rows = d_inputs, ids.data_ptr(), rows.data_ptr()
        found = kernels.textrnn_learn_words(ctypes.byref(record))
        if found < 0:
            raise MemoryError("out of memory in the native kernels")
        if found < words:  # the silent one was among them
            ids, rows = ids[:, :found], rows[:found]
        if not self.sparse:
            return torch.zeros(self._size).index_copy_(0, ids[0], rows)
        return torch.sparse_coo_tensor(ids, rows, self._size, is_coalesced=True, check_invariants=False)
