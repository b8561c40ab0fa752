"""One step of each cell in NumPy: the portable reference of the runtime."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Step = Callable[[Array, Array, Array], Array]
"""(W_ih x_t + b [batch, gates * hidden], hidden [batch, hidden], W_hh transposed [hidden, gates * hidden]) -> hidden"""


def elman_step(from_input: Array, hidden: Array, recurrent: Array) -> Array:
    """h_t = tanh(W_ih x_t + b + W_hh h_{t-1}); Elman (1990)."""
    stepped = hidden @ recurrent
    stepped += from_input
    np.tanh(stepped, out=stepped)
    return stepped


STEPS: dict[str, Step] = {"elman": elman_step}
"""The step of every cell by the name it has in a configuration."""
