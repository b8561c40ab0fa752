"""One step of each cell in NumPy: the portable reference of the runtime. Equations: `docs/equations.md`."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class HiddenState(NamedTuple):
    """The state of a cell that carries one vector."""

    hidden: Array
    """[rows, hidden]"""


class LSTMState(NamedTuple):
    """The state of an LSTM."""

    hidden: Array
    """[rows, hidden]"""
    memory: Array
    """[rows, hidden]"""


State = HiddenState | LSTMState


class Recurrence(NamedTuple):
    """What reads the state before."""

    weight: Array
    """W_hh transposed, [hidden, gates * hidden]; empty in a cell whose gates read the input only."""
    bias: Array
    """b_hh, [gates * hidden]; empty in a cell without it."""


Step = Callable[[Array, Any, Recurrence], Any]
"""(W_ih x_t + b [rows, gates * hidden], the cell's state, recurrence) -> the cell's state. The first may be changed."""

Mix = Callable[[Array], tuple[Array, Array]]
"""W_ih x + b [rows, gates * hidden] -> z and a of h_t = (1 - z) h_{t-1} + a, each [rows, hidden]."""


def initial_state(cell: str, rows: int, hidden_size: int) -> State:
    """The state before the first token: zeros."""
    hidden = np.zeros((rows, hidden_size), dtype=np.float32)
    return LSTMState(hidden, hidden.copy()) if cell == "lstm" else HiddenState(hidden)


def elman_step(from_input: Array, state: HiddenState, recurrence: Recurrence) -> HiddenState:
    """h_t = tanh(W_ih x_t + b + W_hh h_{t-1}); Elman (1990)."""
    hidden = state.hidden @ recurrence.weight
    hidden += from_input
    np.tanh(hidden, out=hidden)
    return HiddenState(hidden)


def elman_relu_step(from_input: Array, state: HiddenState, recurrence: Recurrence) -> HiddenState:
    """h_t = max(0, W_ih x_t + b + W_hh h_{t-1}); Le, Jaitly and Hinton (2015)."""
    hidden = state.hidden @ recurrence.weight
    hidden += from_input
    np.maximum(hidden, np.float32(0), out=hidden)
    return HiddenState(hidden)


def gru_step(from_input: Array, state: HiddenState, recurrence: Recurrence) -> HiddenState:
    """r, z = sigmoid; n = tanh(x_n + r (W_hn h + b_hn)); h_t = (1 - z) n + z h_{t-1}; Cho et al. (2014)."""
    size = state.hidden.shape[1]
    from_hidden = state.hidden @ recurrence.weight
    from_hidden += recurrence.bias
    gates = sigmoid(from_input[:, : 2 * size] + from_hidden[:, : 2 * size])
    reset, update = gates[:, :size], gates[:, size:]
    candidate = reset * from_hidden[:, 2 * size :]
    candidate += from_input[:, 2 * size :]
    np.tanh(candidate, out=candidate)
    return HiddenState(candidate + update * (state.hidden - candidate))


def lstm_step(from_input: Array, state: LSTMState, recurrence: Recurrence) -> LSTMState:
    """i, f, o = sigmoid; g = tanh; c_t = f c_{t-1} + i g; h_t = o tanh(c_t); Hochreiter and Schmidhuber (1997)."""
    size = state.hidden.shape[1]
    gates = state.hidden @ recurrence.weight
    gates += from_input
    keep = sigmoid(gates[:, : 2 * size])  # input and forget
    proposal = np.tanh(gates[:, 2 * size : 3 * size])
    memory = keep[:, size:] * state.memory
    proposal *= keep[:, :size]
    memory += proposal
    return LSTMState(sigmoid(gates[:, 3 * size :]) * np.tanh(memory), memory)


def mingru_mix(from_input: Array) -> tuple[Array, Array]:
    """z = sigmoid(W_z x_t + b_z) and z (W_c x_t + b_c); Feng et al. (2024)."""
    size = from_input.shape[1] // 2
    update = sigmoid(from_input[:, :size])
    return update, update * from_input[:, size:]


def minlstm_mix(from_input: Array) -> tuple[Array, Array]:
    """z = i / (f + i) with f, i = sigmoid, and z (W_c x_t + b_c); Feng et al. (2024)."""
    size = from_input.shape[1] // 3
    # i / (f + i) = sigmoid(ln i - ln f), and -ln sigmoid(x) = ln(1 + exp(-x)): both gates near 0 give no 0 / 0.
    closed = _softplus(-from_input[:, : 2 * size])
    share = sigmoid(closed[:, :size] - closed[:, size:])
    return share, share * from_input[:, 2 * size :]


def mix_step(mix: Mix) -> Step:
    """h_t = (1 - z) h_{t-1} + a, where z and a come from the input alone."""

    def step(from_input: Array, state: HiddenState, recurrence: Recurrence) -> HiddenState:
        share, added = mix(from_input)
        return HiddenState((1 - share) * state.hidden + added)

    return step


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), through tanh, which overflows nowhere and is the faster of both in NumPy."""
    half = x * np.float32(0.5)
    np.tanh(half, out=half)
    half *= np.float32(0.5)
    half += np.float32(0.5)
    return half


def _softplus(x: Array) -> Array:
    """ln(1 + exp(x)) without overflow."""
    small = np.log1p(np.exp(-np.abs(x)))
    small += np.maximum(x, np.float32(0))
    return small


MIXES: dict[str, Mix] = {"mingru": mingru_mix, "minlstm": minlstm_mix}
"""The minimal cells: what they make of W_ih x + b [rows, gates * hidden], z and a, each [rows, hidden]."""

STEPS: dict[str, Step] = {
    "elman": elman_step,
    "elman_relu": elman_relu_step,
    "gru": gru_step,
    "lstm": lstm_step,
    **{name: mix_step(mix) for name, mix in MIXES.items()},
}
"""The step of every cell by the name it has in a configuration."""
