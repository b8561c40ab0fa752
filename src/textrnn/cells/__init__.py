"""Recurrent cells, one a file, and their unrolling over time."""

from typing import Any

from textrnn.cells.cell import Cell, HiddenState
from textrnn.cells.elman import ElmanCell, ElmanGates
from textrnn.cells.unroll import unroll

CELLS: dict[str, type[Cell[Any, Any]]] = {"elman": ElmanCell}
"""Every cell by the name it has in a configuration. The conformance suite runs over all of them."""

__all__ = ["CELLS", "Cell", "ElmanCell", "ElmanGates", "HiddenState", "unroll"]
