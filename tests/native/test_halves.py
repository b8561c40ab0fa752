"""16-bit floats of a table as the kernels read them: every one there is, against NumPy."""

import ctypes

import numpy as np
import pytest

from native_oracle import using
from textrnn.native import available_instruction_sets, library
from textrnn.native.interface import LANES, POOLINGS, TABLE_TYPES, ScanRecord

kernels = library()
pytestmark = pytest.mark.skipif(kernels is None, reason="the native library was not built")


@pytest.mark.parametrize("way", available_instruction_sets() if kernels else [])
def test_every_half(way: str) -> None:
    """From h = 0 a row of z = 0 and a leads to a: a text of one token each, 16 numbers a token."""
    assert kernels is not None
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16).reshape(-1, LANES)
    table = np.concatenate([np.zeros_like(halves), halves], axis=1)
    ids, offsets = np.arange(len(table), dtype=np.int32), np.arange(len(table) + 1, dtype=np.int64)
    pooled = np.empty(halves.shape, dtype=np.float32)
    record = ScanRecord(
        batch=len(table),
        ids=ids.ctypes.data,
        offsets=offsets.ctypes.data,
        padded=LANES,
        directions=1,
        pooling=POOLINGS["last"],
        threads=1,
        table_type=TABLE_TYPES["float16"],
        pooled=pooled.ctypes.data,
    )
    record.table[0] = table.ctypes.data
    with using(way):
        assert kernels.textrnn_scan(ctypes.byref(record)) == 0
    assert np.array_equal(pooled, halves.astype(np.float32), equal_nan=True)
