"""Arrays that begin at a cache line, and pointers to arrays."""

import ctypes
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

ALIGNMENT = 64
"""Bytes. NumPy puts large arrays 16 bytes behind such a border, so that every vector of 64 bytes lies in two cache
lines: measured on a single text, this costs the kernels 6 % of their time."""


def aligned(shape: Sequence[int], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """An array whose numbers are not set and whose memory is taken when it is first written."""
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    room = np.empty(size + ALIGNMENT, dtype=np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    return room[start : start + size].view(kind).reshape(shape)


def aligned_zeros(shape: Sequence[int], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """The same, filled with zeros."""
    made = aligned(shape, dtype)
    made[...] = 0
    return made


def pointer_to(array: NDArray[Any]) -> ctypes.c_void_p:
    """The address of an array's numbers, for a foreign function. It keeps the array alive, as a bare address would not.

    `array.ctypes` does so too, but ctypes would ask it for the address by a call of Python in the middle of the
    foreign one, and an interrupt (Ctrl-C) that arrives there becomes a `ctypes.ArgumentError`.
    """
    return array.ctypes.data_as(ctypes.c_void_p)
