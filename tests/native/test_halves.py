"""16-bit floats of a table as the kernels read them: every one there is, against NumPy."""

import ctypes

import numpy as np
import pytest

from native_oracle import using
from textrnn.native import Plan, available_instruction_sets, library
from textrnn.native.interface import CELLS, LANES, POOLINGS, TABLE_TYPES, LayerRecord

kernels = library()
pytestmark = pytest.mark.skipif(kernels is None, reason="the native library was not built")


@pytest.mark.parametrize("way", available_instruction_sets() if kernels else [])
def test_every_half(way: str) -> None:
    """minGRU's state after one token is its candidate, if the update gate is open: a text for each row of the table."""
    assert kernels is not None
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16).reshape(-1, LANES)
    table = np.concatenate([np.full_like(halves, 1000), halves], axis=1)
    plan = Plan(np.ones(len(table), dtype=np.int64))
    pooled, final = np.empty((2, *halves.shape), dtype=np.float32)
    record = LayerRecord(
        plan=plan.address,
        cell=CELLS["mingru"],
        hidden=LANES,
        padded=LANES,
        directions=1,
        pooling=POOLINGS["last"],
        threads=1,
        table_type=TABLE_TYPES["float16"],
        index=plan.source_row.ctypes.data,
        pooled=pooled.ctypes.data,
    )
    record.table[0] = table.ctypes.data
    record.direction[0].final_hidden = final.ctypes.data
    with using(way):
        assert kernels.textrnn_forward(ctypes.byref(record)) == 0
    assert np.array_equal(pooled, halves.astype(np.float32), equal_nan=True)
