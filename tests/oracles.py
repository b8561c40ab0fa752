"""The cells by others: `torch.nn` on the same weights, and loops over single steps in float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from textrnn.cells import CELLS, Cell

Array = NDArray[np.float64]


def make(name: str, features: int, hidden: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> Cell[Any, Any]:
    """A cell with random weights and biases."""
    torch.manual_seed(seed)
    cell = CELLS[name](features, hidden)
    for parameter in cell.parameters():
        nn.init.normal_(parameter, std=0.5)
    return cell.to(dtype)


def random_state(cell: Cell[Any, Any], batch: int, requires_grad: bool = False) -> Any:
    zeros = cell.initial_state(batch)
    return type(zeros)(*(torch.randn_like(part).requires_grad_(requires_grad) for part in zeros))


TORCH: dict[str, Callable[..., Any]] = {
    "elman": nn.RNN,
    "elman_relu": lambda *sizes, **settings: nn.RNN(*sizes, nonlinearity="relu", **settings),
    "gru": nn.GRU,
    "lstm": nn.LSTM,
}


def copy_to_torch(cell: Any, module: Any, suffix: str = "_l0") -> None:
    """The weights of a cell in a layer of `torch.nn`. Where ours has one bias, the second is drawn and taken off."""
    with torch.no_grad():
        getattr(module, f"weight_ih{suffix}").copy_(cell.from_input.weight)
        getattr(module, f"weight_hh{suffix}").copy_(cell.from_hidden.weight)
        first, second = getattr(module, f"bias_ih{suffix}"), getattr(module, f"bias_hh{suffix}")
        if cell.from_hidden.bias is None:
            first.copy_(cell.from_input.bias - second)
        else:
            first.copy_(cell.from_input.bias)
            second.copy_(cell.from_hidden.bias)


def torch_twin(name: str, cell: Any) -> Any:
    module = TORCH[name](cell.input_size, cell.hidden_size).to(cell.from_input.weight.dtype)
    copy_to_torch(cell, module)
    return module


def torch_parameters(module: Any, cell: Any) -> list[Tensor]:
    """In the order of the cell's own."""
    wanted = [module.weight_ih_l0, module.bias_ih_l0, module.weight_hh_l0]
    return wanted if cell.from_hidden.bias is None else [*wanted, module.bias_hh_l0]


def as_torch_state(state: Any) -> Any:
    """[batch, hidden] -> [layers * directions, batch, hidden], a pair for an LSTM."""
    parts = tuple(part[None] for part in state)
    return parts if len(parts) > 1 else parts[0]


def from_torch_state(state: Any) -> tuple[Tensor, ...]:
    return tuple(part[0] for part in state) if isinstance(state, tuple) else (state[0],)


def sigmoid(x: Array) -> Array:
    """By the half-angle formula: no exponential that could overflow."""
    return 0.5 * (1 + np.tanh(x / 2))


def mingru_step(x: Array, h: Array, weight: Array, bias: Array) -> Array:
    size = len(h)
    z = sigmoid(weight[:size] @ x + bias[:size])
    c = weight[size:] @ x + bias[size:]
    return (1 - z) * h + z * c


def minlstm_step(x: Array, h: Array, weight: Array, bias: Array) -> Array:
    size = len(h)
    f, i = sigmoid(weight[:size] @ x + bias[:size]), sigmoid(weight[size : 2 * size] @ x + bias[size : 2 * size])
    c = weight[2 * size :] @ x + bias[2 * size :]
    return f / (f + i) * h + i / (f + i) * c


LOOPS: dict[str, Callable[[Array, Array, Array, Array], Array]] = {"mingru": mingru_step, "minlstm": minlstm_step}


def looped(name: str, cell: Any, inputs: Tensor, lengths: Tensor, start: Tensor) -> tuple[Array, Array]:
    """Outputs and final state, row by row and step by step in float64."""
    weight, bias = (parameter.detach().double().numpy() for parameter in cell.parameters())
    steps = inputs.detach().double().numpy()
    outputs = np.empty((*steps.shape[:2], cell.hidden_size))
    final = start.detach().double().numpy().copy()
    for row, length in enumerate(lengths.tolist()):
        for t in range(len(steps)):
            if t < length:
                final[row] = LOOPS[name](steps[t, row], final[row], weight, bias)
            outputs[t, row] = final[row]
    return outputs, final
