"""Which step of which row is computed when; `kernels.h` explains the order."""

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.native.interface import PlanRecord
from textrnn.native.library import library

ROWS_AN_ITEM = 16
"""Rows that one thread takes through time together. Constant, so that results do not depend on the threads."""


class Plan:
    """The positions of a batch: every real step once, rows sorted by length and dealt out to items.

    The arrays are views of memory that belongs to the plan, made when they are asked for.
    """

    def __init__(
        self,
        lengths: NDArray[np.int64],
        ids: NDArray[np.int64] | None = None,
        vocabulary_size: int = 0,
        *,
        rows_an_item: int = ROWS_AN_ITEM,
        contiguous: bool = False,
        stamp: NDArray[np.int32] | None = None,
    ) -> None:
        """Plan a batch.

        Args:
            lengths: real steps per row. [batch]
            ids: padded at the end, [batch, time]; finds the different ids of the batch. None where inputs have no ids.
            vocabulary_size: ids lie below it.
            rows_an_item: rows that one thread takes through time together.
            contiguous: give each item rows of nearly equal length; better with many items, worse with few.
            stamp: -1 for every id, [vocabulary]; left as it was. Spares filling such an array for each batch.

        Raises:
            ValueError: a length is negative or beyond the ids, or an id lies outside the vocabulary.
            MemoryError: memory is short.
        """
        lengths = np.ascontiguousarray(lengths, dtype=np.int64)
        if ids is not None:
            ids = np.ascontiguousarray(ids, dtype=np.int64)
            if ids.ndim != 2 or len(ids) != len(lengths):
                raise ValueError(f"ids of shape {ids.shape} do not hold {len(lengths)} rows of the given lengths")
            if stamp is not None and (stamp.dtype != np.int32 or len(stamp) != vocabulary_size):
                raise ValueError(
                    f"stamp: expected {vocabulary_size} 32-bit integers, got {len(stamp)} of {stamp.dtype}"
                )
            if stamp is None:
                stamp = np.full(vocabulary_size, -1, dtype=np.int32)
        self._make(
            len(lengths),
            lengths.ctypes.data,
            rows_an_item,
            contiguous,
            None if ids is None else ids.ctypes.data,
            0 if ids is None else ids.shape[1],
            None if stamp is None else stamp.ctypes.data,
            vocabulary_size,
        )

    @classmethod
    def at(cls, lengths: int, ids: int, batch: int, time: int, stamp: int, vocabulary_size: int) -> "Plan":
        """The same from the addresses of such arrays: to make arrays of tensors takes longer than to plan."""
        plan = cls.__new__(cls)
        plan._make(batch, lengths, ROWS_AN_ITEM, False, ids, time, stamp, vocabulary_size)
        return plan

    def _make(self, *arguments: int | None) -> None:
        kernels = library()
        if kernels is None:
            raise RuntimeError("the native library is not available")
        self._kernels = kernels
        self.record: Any = kernels.textrnn_plan_new(*arguments)
        if not self.record:
            raise ValueError(
                "a length is negative or beyond the ids, or an id lies outside the vocabulary, or memory is short"
            )
        plan: PlanRecord = self.record.contents
        self.batch, self.positions, self.items, self.unique = plan.batch, plan.positions, plan.items, plan.unique
        self.address = ctypes.addressof(plan)
        """For a record of the C interface."""

    @property
    def source_row(self) -> NDArray[np.int32]:
        """Row of the batch at each position."""
        return _array(self.record.contents.source_row, self.positions)

    @property
    def source_time(self) -> NDArray[np.int32]:
        """Step of that row."""
        return _array(self.record.contents.source_time, self.positions)

    @property
    def unique_ids(self) -> NDArray[np.int64]:
        """The different ids of the batch, by first occurrence."""
        return _array(self.record.contents.unique_ids, self.unique)

    @property
    def unique_index(self) -> NDArray[np.int32]:
        """Index into `unique_ids` at each position."""
        return _array(self.record.contents.unique_of, self.positions if self.unique else 0)

    @property
    def index_address(self) -> int | None:
        """Address of the index into `unique_ids` at each position."""
        return ctypes.c_void_p.from_address(self.address + PlanRecord.unique_of.offset).value

    def __del__(self) -> None:
        if getattr(self, "record", None):
            self._kernels.textrnn_plan_free(self.record)


def _array(pointer: Any, count: int) -> NDArray[Any]:
    if not count:
        return np.empty(0, dtype=np.dtype(pointer._type_))
    return np.ctypeslib.as_array(pointer, (count,))
