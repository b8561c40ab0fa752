"""The compiled part of the package, where it was built."""

import ctypes
import functools
from pathlib import Path


@functools.cache
def library() -> ctypes.CDLL | None:
    """The shared library, or None where there is none."""
    try:
        return ctypes.CDLL(str(Path(__file__).with_name("libtextrnn.so")))
    except OSError:
        return None
