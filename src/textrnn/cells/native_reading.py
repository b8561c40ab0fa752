"""Embeddings of a batch's words, read and learnt by the native kernels without padding.

Each word is read once, unless dropout of features makes every occurrence another; then each position is. The gradient
of a table with `sparse` holds every row once, in rising order, so that nothing has to sort or add it up again.
"""

import ctypes

import torch
from torch import Tensor

from textrnn.native import Plan, library
from textrnn.native.interface import BY_STEP, BY_WORD, MaskRecord, ReadingRecord

NO_MASK = MaskRecord()


class Reading:
    """One reading of a batch's words, forward and then back."""

    def __init__(
        self,
        plan: Plan,
        *,
        words: MaskRecord | None = None,
        features: MaskRecord | None = None,
        by: int = BY_STEP,
        readings: int = 1,
        silent: int | None = None,
        sparse: bool = False,
    ) -> None:
        """Read and learn nothing yet.

        Args:
            plan: of the batch, made with its ids; those of several readings are `id * readings + reading`.
            words: factors of the different words.
            features: factors of the features.
            by: what those belong to: BY_STEP, BY_TEXT or BY_WORD.
            readings: how often the batch has every text.
            silent: the id whose row learns nothing.
            sparse: whether the table's gradient is to be a sparse tensor.
        """
        self.plan, self.words, self.features = plan, words or NO_MASK, features or NO_MASK
        self.by, self.readings, self.silent, self.sparse = by, readings, -1 if silent is None else silent, sparse
        self.once = features is None or by == BY_WORD
        """Whether a word is the same wherever it occurs."""
        self.rows = plan.unique if self.once else plan.positions
        """One for each different word of the plan, or for each position."""

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
            feature=self.features,
            by=self.by,
            readings=self.readings,
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
        if found < words:  # the silent one was among them, or several readings
            ids, rows = ids[:, :found], rows[:found]
        if not self.sparse:
            return torch.zeros(self._size).index_copy_(0, ids[0], rows)
        return torch.sparse_coo_tensor(ids, rows, self._size, is_coalesced=True, check_invariants=False)
