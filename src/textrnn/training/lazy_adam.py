"""Adam on the rows of a table that a batch has read: a step costs in proportion to them, not to the table.

The dense optimiser moves every row at every step, also where the gradient is zero: its moments fade, decay shrinks it,
and it coasts on its momentum. A row needs none of this until it is read again; then all of it is caught up at once. A
row last stepped at s, now at t, with rates a_i and decoupled decay w, sums and products over i = s+1 … t:

    kept    = product of (1 - a_i w)
    u_i     = a_i sqrt(1 - beta2^i) / (1 - beta1^i) (beta1 / sqrt(beta2))^(i-s), times (1 - a_j w) for j = i+1 … t
    coasted = sum of u_i
    eps'    = sum of u_i eps sqrt(1 - beta2^i) / sqrt(beta2)^(i-s), over coasted
    p       = kept p - coasted m / (sqrt(v) + eps')
    m, v    = beta1^(t-s) m, beta2^(t-s) v

`kept`, `coasted` and `eps'` are the same for all rows of one s, so a short history of them serves the whole table. All
of it is exact but for eps: the dense optimiser has, in units of the fading sqrt(v), another one at each step, and this
is their mean. It matters only where a gradient is of the order of eps = 1e-8 itself, and only in the first steps: 98 of
3,000,000 weights were off by 1e-6 to 1e-4 after 20 steps with a rate of 0.002 and normal gradients of 1e-3.

Rows are caught up before they are read, so that a forward pass sees what the dense optimiser would show it. Without the
coasting, words that are read seldom learn a part of what they should: on sst2 three epochs gave 76.8 instead of 79.6 %.

Decay that is added to the gradient (`adam`) reaches a row only when it is read: what it does in between goes through
the square root and cannot be summed. `adamw` has no such restriction.

The arithmetic stands in a table of two: adam_rows.py to be read, native_adam.py where the native library is there.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from textrnn.native import library
from textrnn.training import adam_rows, native_adam
from textrnn.training.adam_rows import AdamSettings, LazyTable
from textrnn.training.native_adam import DenseStep, is_plain

HISTORY = 4096
"""Steps after which all rows are caught up, so that the history stays small against a batch."""


class Implementation(NamedTuple):
    """What is done to the rows of a table.

    Rows outside of it are an IndexError, gradients of another shape a ValueError, and then nothing is changed.
    """

    catch_up: Callable[[LazyTable, Tensor | None], None]
    """Do what these rows [any number], or all with None, have left out; a row may be named several times."""
    step: Callable[[LazyTable, Tensor, Tensor, AdamSettings], None]
    """One step on rows [rows], each named once, late or not, with their gradients [rows, features]."""


IMPLEMENTATIONS = {
    "torch": Implementation(adam_rows.catch_up, adam_rows.step),
    "native": Implementation(native_adam.catch_up, native_adam.step),
}


def implementation_for(table: Tensor) -> Implementation:
    """The fastest implementation that can do this table."""
    plain = table.is_cpu and table.dtype == torch.float32 and table.is_contiguous()
    return IMPLEMENTATIONS["native" if plain and library() is not None else "torch"]


class LazyAdam:
    """A PyTorch Adam or AdamW that takes the sparse gradients of tables; all others it hands to PyTorch untouched.

    Args:
        dense: holds the settings and the state of all parameters, and steps those with a dense gradient.
    """

    def __init__(self, dense: torch.optim.Adam) -> None:
        self.dense = dense
        self.param_groups = dense.param_groups
        self.state = dense.state

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        if not set_to_none:
            self.dense.zero_grad(set_to_none)
        for group in self.param_groups:
            for parameter in group["params"]:
                if set_to_none:
                    parameter.grad = None

    @torch.no_grad()
    def prepare(self, table: Tensor, rows: Tensor) -> None:
        """Catch up the rows that the next forward pass reads, [any number] and in any order, also several times.

        Nothing happens to a table whose gradients are dense.

        Raises:
            IndexError: a row lies outside the table.
        """
        state = self.state.get(table, {})
        if "lazy" in state:
            state["implementation"].catch_up(state["lazy"], rows.reshape(-1))

    @torch.no_grad()
    def step(self) -> None:
        """One step on every parameter that has a gradient; see the head of this file for sparse ones.

        Raises:
            IndexError: a sparse gradient names a row outside its table.
        """
        tables, dense = [], []
        for group in self.param_groups:
            for parameter in group["params"]:
                gradient = parameter.grad
                if gradient is not None and gradient.is_sparse:
                    tables.append((parameter, gradient.coalesce(), group))
                    parameter.grad = None  # hidden from the dense optimiser
                elif gradient is not None:
                    dense.append((parameter, gradient, group))
                    self._synchronize(parameter)
        native = all(implementation_for(parameter) is IMPLEMENTATIONS["native"] for parameter, _, _ in tables)
        if tables and native and all(is_plain(part) for pair in dense for part in pair[:2]):
            self._step_natively(dense)
        elif dense:
            self.dense.step()
        for parameter, gradient, group in tables:
            self._step_rows(parameter, gradient.indices()[0], gradient.values(), group)
            parameter.grad = gradient

    def _step_natively(self, dense: list[tuple[Tensor, Tensor, dict[str, Any]]]) -> None:
        """As `self.dense.step()`, up to rounding, in one call: its own costs ten times what it computes."""
        steps = []
        for parameter, gradient, group in dense:
            state = self.started(parameter)
            settings = self.settings(state, group)
            moments = state["exp_avg"], state["exp_avg_sq"]
            steps.append(DenseStep(parameter, *moments, gradient, settings, group["betas"], group["eps"]))
        native_adam.dense_steps(steps)
        if dense:
            torch._foreach_add_([self.state[parameter]["step"] for parameter, _, _ in dense], 1)

    def started(self, parameter: Tensor) -> dict[str, Any]:
        """The state of a parameter, as PyTorch would begin it."""
        state: dict[str, Any] = self.state[parameter]
        if not state:
            state["step"] = torch.tensor(0.0)
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        return state

    def settings(self, state: dict[str, Any], group: dict[str, Any]) -> AdamSettings:
        """Of the next step."""
        decoupled = isinstance(self.dense, torch.optim.AdamW)
        return AdamSettings(int(state["step"]) + 1, group["lr"], group["weight_decay"], decoupled)

    @torch.no_grad()
    def synchronize(self) -> None:
        """Catch up every row of every table: due before weights or moments are read. Costs some dense steps.

        It rounds, so a training that is resumed must have it after the same steps as one that is not.
        """
        for group in self.param_groups:
            for parameter in group["params"]:
                self._synchronize(parameter)

    def _step_rows(self, table: Tensor, rows: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.lazy(table, group)
        lazy = state["lazy"]
        state["implementation"].step(lazy, rows, gradient, self.settings(state, group))
        state["step"] += 1
        self.shorten(table)

    def lazy(self, table: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """The state of a table, with the history of what its rows have left out."""
        state = self.started(table)
        if "lazy" not in state:
            state["lazy"] = LazyTable(
                table, state["exp_avg"], state["exp_avg_sq"], betas=group["betas"], eps=group["eps"], history=HISTORY
            )
            state["implementation"] = implementation_for(table)
        return state

    def shorten(self, table: Tensor) -> None:
        """Catch up all rows where the history of a table is full."""
        if self.state[table]["lazy"].steps == HISTORY:
            self._synchronize(table)

    def _synchronize(self, table: Tensor) -> None:
        state = self.state.get(table, {})
        if "lazy" in state:
            state.pop("implementation").catch_up(state.pop("lazy"), None)
