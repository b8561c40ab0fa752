"""Every way to unroll a cell, by the name it has in a configuration."""

from textrnn.cells.native import native_unroll
from textrnn.cells.torch_unroll import torch_unroll
from textrnn.cells.unroll import Unroll, unroll
from textrnn.native import library

UNROLLS: dict[str, Unroll] = {"readable": unroll, "torch": torch_unroll}
"""All have the same signature and results. The conformance suite runs every cell through each of them."""

if library():
    UNROLLS["native"] = native_unroll
