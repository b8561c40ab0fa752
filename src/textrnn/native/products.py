"""Products of matrices by the native kernels: every element is summed in the same order, whatever the shape."""

import ctypes

import numpy as np
from numpy.typing import NDArray

from textrnn.native.interface import FactorRecord, ProductRecord

Array = NDArray[np.float32]


def product_record(a: Array, b: Array, result: Array, bias: Array | None = None) -> tuple[ProductRecord, FactorRecord]:
    """`result` [m, n] = a [m, k] b [k, n] + bias [n], for `textrnn_products`; hold both records and arrays until then.

    `a` and `b` may have any strides of whole numbers; the rows of `result` must be contiguous.
    """
    (m, k), (_, n) = a.shape, b.shape
    size = a.itemsize
    factor = FactorRecord(
        a=a.ctypes.data,
        b=b.ctypes.data,
        a_row=a.strides[0] // size,
        a_column=a.strides[1] // size,
        b_row=b.strides[0] // size,
        b_column=b.strides[1] // size,
        k=k,
    )
    record = ProductRecord(
        factor=ctypes.pointer(factor),
        factors=1,
        m=m,
        n=n,
        c_row=result.strides[0] // size,
        c=result.ctypes.data,
        bias=None if bias is None else bias.ctypes.data,
    )
    return record, factor
