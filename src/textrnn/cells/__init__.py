"""Recurrent cells, one a file, and their unrolling over time."""

from typing import Any

from textrnn.cells.cell import CarriedState, Cell, HiddenState
from textrnn.cells.elman import ElmanCell, ElmanGates, ElmanReluCell
from textrnn.cells.gru import GRUCell, GRUGates
from textrnn.cells.linear import LinearCell, linear_recurrence
from textrnn.cells.lstm import LSTMCell, LSTMGates, LSTMState
from textrnn.cells.mingru import MinGRUCell, MinGRUGates
from textrnn.cells.minlstm import MinLSTMCell, MinLSTMGates
from textrnn.cells.native_function import kernel_threads
from textrnn.cells.torch_unroll import torch_unroll
from textrnn.cells.unroll import Unroll, backwards, real_steps, unroll
from textrnn.cells.unrolls import UNROLLS

CELLS: dict[str, type[Cell[Any, Any]]] = {
    "elman": ElmanCell,
    "elman_relu": ElmanReluCell,
    "gru": GRUCell,
    "lstm": LSTMCell,
    "mingru": MinGRUCell,
    "minlstm": MinLSTMCell,
}
"""Every cell by the name it has in a configuration. The conformance suite runs over all of them."""

__all__ = [
    "CELLS",
    "UNROLLS",
    "CarriedState",
    "Cell",
    "ElmanCell",
    "ElmanGates",
    "ElmanReluCell",
    "GRUCell",
    "GRUGates",
    "HiddenState",
    "LSTMCell",
    "LSTMGates",
    "LSTMState",
    "LinearCell",
    "MinGRUCell",
    "MinGRUGates",
    "MinLSTMCell",
    "MinLSTMGates",
    "Unroll",
    "backwards",
    "kernel_threads",
    "linear_recurrence",
    "real_steps",
    "torch_unroll",
    "unroll",
]
