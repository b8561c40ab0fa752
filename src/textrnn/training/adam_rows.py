"""Adam on rows of a table that lag behind, in PyTorch: the reference. The formulas are at the head of lazy_adam.py."""

from typing import NamedTuple

import torch
from torch import Tensor

_ROWS_AT_ONCE = 8192


class LazyTable:
    """A table, its moments, and what its rows have left out since the last time that none of them was late.

    Args:
        weights, first, second: the table and its first and second moments, changed in place. [rows, features]
        betas, eps: of Adam, the same at all steps.
        history: more steps than this do not fit.
    """

    def __init__(
        self, weights: Tensor, first: Tensor, second: Tensor, *, betas: tuple[float, float], eps: float, history: int
    ) -> None:
        self.weights, self.first, self.second = weights, first, second
        self.betas, self.eps = betas, eps
        self.steps = 0
        self.row_steps = torch.zeros(len(weights), dtype=torch.int64, device=weights.device)
        """How many of `steps` had been done when a row was last stepped or caught up. [rows]"""
        counts = torch.arange(history + 1, dtype=torch.float64, device=weights.device)
        # For a row last stepped at s: `kept`, `coasted` and coasted eps' of the formulas, up to now. [history + 1]
        self.kept = torch.ones_like(counts)
        self.coasted = torch.zeros_like(counts)
        self.coasted_eps = torch.zeros_like(counts)
        # By the number of steps left out: what is left of the moments, and of a step's part in the two sums.
        beta1, beta2 = betas
        self.fade1, self.fade2 = beta1**counts, beta2**counts
        self.coasting, self.coasting_eps = (beta1 / beta2**0.5) ** counts, (beta1 / beta2) ** counts


class AdamSettings(NamedTuple):
    """The settings of one step."""

    step: int
    """Its number, counted from 1 at the beginning of the training."""
    rate: float
    weight_decay: float
    decoupled: bool
    """Whether decay is taken off the weights (AdamW) or added to the gradient (Adam)."""

    def corrections(self, betas: tuple[float, float]) -> tuple[float, float]:
        """What the first moment, and the root of the second, must be divided by, since both began at zero."""
        return 1 - betas[0] ** self.step, (1 - betas[1] ** self.step) ** 0.5


def catch_up(table: LazyTable, rows: Tensor | None) -> None:
    """Do what rows [any number] have left out, or all of them; see `Implementation`."""
    if rows is None:
        for start in range(0, len(table.weights), _ROWS_AT_ONCE):
            part = torch.arange(start, min(start + _ROWS_AT_ONCE, len(table.weights)), device=table.weights.device)
            _put(table, part, _caught_up(table, part))
        return
    check_rows(table, rows)
    wanted = torch.zeros(len(table.weights), dtype=torch.bool, device=table.weights.device)
    late = (wanted.index_fill_(0, rows.long(), True) & (table.row_steps != table.steps)).nonzero().squeeze(1)
    _put(table, late, _caught_up(table, late))


def step(table: LazyTable, rows: Tensor, gradient: Tensor, settings: AdamSettings) -> None:
    """One step on rows [rows] with their gradients [rows, features]; see `Implementation`."""
    check_shape(table, rows, gradient)
    check_rows(table, rows)
    weights, first, second = _caught_up(table, rows)
    (beta1, beta2), eps = table.betas, table.eps
    correction1, correction2 = settings.corrections(table.betas)
    kept = 1 - settings.rate * settings.weight_decay if settings.decoupled else 1.0
    if not settings.decoupled:
        gradient = gradient + settings.weight_decay * weights
    first.lerp_(gradient, 1 - beta1)
    second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
    weights.mul_(kept).addcdiv_(first, second.sqrt().div_(correction2).add_(eps), value=-settings.rate / correction1)

    # One more step that rows may leave out.
    now, rate = table.steps + 1, settings.rate * correction2 / correction1
    table.kept[:now] *= kept
    table.coasted[:now].mul_(kept).add_(table.coasting[1 : now + 1].flip(0), alpha=rate)
    table.coasted_eps[:now].mul_(kept).add_(table.coasting_eps[1 : now + 1].flip(0), alpha=rate * eps * correction2)
    table.steps = now
    _put(table, rows, (weights, first, second))


def check_rows(table: LazyTable, rows: Tensor) -> None:
    """Raises IndexError if a row lies outside the table."""
    if rows.numel() and not 0 <= int(rows.min()) <= int(rows.max()) < len(table.weights):
        raise outside(table, rows)


def check_shape(table: LazyTable, rows: Tensor, gradient: Tensor) -> None:
    """Raises ValueError if these cannot be the gradients of these rows."""
    expected = (len(rows), table.weights.shape[1])
    if gradient.shape != expected:
        raise ValueError(f"expected the gradients of rows in the shape {expected}, found {tuple(gradient.shape)}")


def outside(table: LazyTable, rows: Tensor) -> IndexError:
    """The error of rows of which one lies outside the table."""
    lowest, highest = int(rows.min()), int(rows.max())
    return IndexError(
        f"expected rows of a table from 0 to {len(table.weights) - 1}, found rows from {lowest} to {highest}"
    )


_Blocks = tuple[Tensor, Tensor, Tensor]
"""Weights, first and second moments of some rows, each [rows, features]."""


def _caught_up(table: LazyTable, rows: Tensor) -> _Blocks:
    """Copies of rows, caught up."""
    weights, first, second = (block.index_select(0, rows) for block in (table.weights, table.first, table.second))
    row_steps = table.row_steps.index_select(0, rows)
    left_out = table.steps - row_steps
    coasted = table.coasted.index_select(0, row_steps)
    vectors = (
        table.kept.index_select(0, row_steps),
        coasted,
        # Not 0 / 0 where nothing was left out or all rates were zero.
        torch.where(coasted > 0, table.coasted_eps.index_select(0, row_steps) / coasted, table.eps),
        table.fade1.index_select(0, left_out),
        table.fade2.index_select(0, left_out),
    )
    kept, coasted, eps, fade1, fade2 = torch.stack(vectors).to(weights.dtype).unsqueeze(-1)  # each [rows, 1]
    weights.mul_(kept).addcdiv_(first * coasted, second.sqrt().add_(eps), value=-1)
    return weights, first.mul_(fade1), second.mul_(fade2)


def _put(table: LazyTable, rows: Tensor, blocks: _Blocks) -> None:
    """Write rows back, which are late no longer."""
    for target, block in zip((table.weights, table.first, table.second), blocks, strict=True):
        target.index_copy_(0, rows, block)
    table.row_steps.index_fill_(0, rows, table.steps)
