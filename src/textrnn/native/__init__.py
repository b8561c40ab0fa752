"""The native kernels: recurrent layers over whole sequences in C++, called through ctypes.

A plain C interface instead of an extension module: one binary serves every Python version, ctypes releases the GIL
during a call, and the same functions take NumPy arrays and PyTorch tensors by address. The price is some microseconds
a call, and a batch takes two for each layer. The library is optional: `library()` is None where it was not built.
"""

from textrnn.native.library import (
    available_instruction_sets,
    available_threads,
    instruction_set,
    library,
    use_instruction_set,
)
from textrnn.native.plan import Plan

__all__ = [
    "Plan",
    "available_instruction_sets",
    "available_threads",
    "instruction_set",
    "library",
    "use_instruction_set",
]
