"""Products of sparse matrices, by the native kernels where they are, else by SciPy."""

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.native.interface import SparseRecord
from textrnn.native.library import available_threads, library


def sparse_product(matrix: Any, dense: NDArray[np.float32], *, squared: bool = False) -> NDArray[np.float32]:
    """`matrix @ dense`, in 32-bit floats.

    Args:
        matrix: a SciPy array in compressed rows, 32-bit floats. [rows, columns]
        dense: [columns, width]
        squared: whether every number of the matrix stands for its square.

    Raises:
        ValueError: the sizes do not match.

    Returns:
        [rows, width]
    """
    if dense.ndim != 2 or matrix.shape[1] != len(dense):
        raise ValueError(f"a matrix of {matrix.shape[1]} columns cannot be multiplied with {dense.shape}")
    kernels = library()
    if kernels is None or matrix.indices.dtype != np.int32 or matrix.indptr.dtype != np.int32:
        product: NDArray[np.float32] = (matrix.power(2) if squared else matrix) @ dense
        return product
    offsets, columns = np.ascontiguousarray(matrix.indptr), np.ascontiguousarray(matrix.indices)
    numbers = np.ascontiguousarray(matrix.data, dtype=np.float32)
    dense = np.ascontiguousarray(dense, dtype=np.float32)
    found = np.empty((matrix.shape[0], dense.shape[1]), dtype=np.float32)
    record = SparseRecord(
        len(found), *(array.ctypes.data for array in (offsets, columns, numbers)), squared=int(squared)
    )
    kernels.textrnn_sparse_product(
        ctypes.byref(record), dense.ctypes.data, dense.shape[1], found.ctypes.data, available_threads()
    )
    return found
