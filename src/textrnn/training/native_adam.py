"""Adam on rows of a table that lag behind, in C++ (native/adam.cpp): one pass over the rows, in place.

The same as adam_rows.py but for rounding. Tables are float32, contiguous and on the CPU.
"""

import functools
from ctypes import POINTER, Structure, byref, c_double, c_int32, c_int64, c_void_p
from typing import Any, NamedTuple

import torch
from torch import Tensor

from textrnn.cells.native_function import threads
from textrnn.native import library
from textrnn.training.adam_rows import AdamSettings, LazyTable, check_shape, outside

DONE, OUTSIDE, NO_MEMORY = range(3)
"""What the native code answers."""


class TableRecord(Structure):
    """`textrnn_adam_table`."""

    _fields_ = (
        ("rows", c_int64),
        ("features", c_int64),
        *((name, c_void_p) for name in ("weights", "first", "second", "row_steps")),
        ("steps", c_int64),
        *((name, c_void_p) for name in ("kept", "coasted", "coasted_eps")),
        *((name, c_void_p) for name in ("fade1", "fade2", "coasting", "coasting_eps")),
        ("eps", c_double),
        ("threads", c_int32),
    )


class SettingsRecord(Structure):
    """`textrnn_adam_settings`."""

    _fields_ = (
        ("step", c_int64),
        *((name, c_double) for name in ("rate", "beta1", "beta2", "eps", "weight_decay")),
        ("decoupled", c_int32),
    )


class TensorRecord(Structure):
    """`textrnn_adam_tensor`."""

    _fields_ = (
        ("count", c_int64),
        *((name, c_void_p) for name in ("weights", "first", "second", "gradient")),
        ("settings", SettingsRecord),
    )


class GradientRecord(Structure):
    """`textrnn_gradient`."""

    _fields_ = (("count", c_int64), ("values", c_void_p))


class DenseStep(NamedTuple):
    """A parameter with its gradient and moments, all of the same shape, contiguous, and how to step it."""

    weights: Tensor
    first: Tensor
    second: Tensor
    gradient: Tensor
    settings: AdamSettings
    betas: tuple[float, float]
    eps: float


def catch_up(table: LazyTable, rows: Tensor | None) -> None:
    """Do what rows [any number] have left out, or all of them; see `Implementation`."""
    if rows is None:
        _functions().textrnn_adam_catch_up_all(byref(table_record(table)))
        return
    rows = _plain(rows, torch.int64)
    status = _functions().textrnn_adam_catch_up(byref(table_record(table)), rows.data_ptr(), len(rows))
    _check(status, table, rows)


def step(table: LazyTable, rows: Tensor, gradient: Tensor, settings: AdamSettings) -> None:
    """One step on rows [rows] with their gradients [rows, features]; see `Implementation`."""
    rows, gradient = _plain(rows, torch.int64), _plain(gradient, torch.float32)
    check_shape(table, rows, gradient)
    record = settings_record(settings, table.betas, table.eps)
    status = _functions().textrnn_adam_step(
        byref(table_record(table)), rows.data_ptr(), len(rows), gradient.data_ptr(), byref(record)
    )
    _check(status, table, rows)
    table.steps += 1


def dense_steps(steps: list[DenseStep]) -> None:
    """One step on every parameter, in one call: as PyTorch does it, up to rounding."""
    records = (TensorRecord * len(steps))(
        *(
            TensorRecord(
                step.weights.numel(),
                step.weights.data_ptr(),
                step.first.data_ptr(),
                step.second.data_ptr(),
                step.gradient.data_ptr(),
                settings_record(step.settings, step.betas, step.eps),
            )
            for step in steps
        )
    )
    _functions().textrnn_adam_dense(records, len(steps), threads())


def clip(gradients: list[Tensor], largest: float) -> float:
    """Scale gradients in place so that their common norm is at most `largest`; the norm before."""
    records = (GradientRecord * len(gradients))(*(GradientRecord(some.numel(), some.data_ptr()) for some in gradients))
    norm: float = _functions().textrnn_clip(records, len(gradients), largest, threads())
    return norm


def is_plain(tensor: Tensor) -> bool:
    """Whether the native code can take it by its address."""
    return tensor.dtype is torch.float32 and tensor.is_cpu and tensor.is_contiguous()


@functools.cache
def _functions() -> Any:
    """The native library with the types of its functions.

    Raises:
        OSError: there is none.
    """
    found = library()
    if found is None:
        raise OSError("the native library is not there")
    found.textrnn_adam_catch_up_all.argtypes = [POINTER(TableRecord)]
    found.textrnn_adam_catch_up_all.restype = None
    found.textrnn_adam_catch_up.argtypes = [POINTER(TableRecord), c_void_p, c_int64]
    found.textrnn_adam_catch_up.restype = c_int32
    found.textrnn_adam_step.argtypes = [POINTER(TableRecord), c_void_p, c_int64, c_void_p, POINTER(SettingsRecord)]
    found.textrnn_adam_step.restype = c_int32
    found.textrnn_adam_dense.argtypes = [POINTER(TensorRecord), c_int64, c_int32]
    found.textrnn_adam_dense.restype = None
    found.textrnn_clip.argtypes = [POINTER(GradientRecord), c_int64, c_double, c_int32]
    found.textrnn_clip.restype = c_double
    return found


def settings_record(settings: AdamSettings, betas: tuple[float, float], eps: float) -> SettingsRecord:
    return SettingsRecord(settings.step, settings.rate, *betas, eps, settings.weight_decay, settings.decoupled)


def table_record(table: LazyTable) -> TableRecord:
    """Made anew for each call, since addresses may change."""
    record = TableRecord(*table.weights.shape)
    for name in _ADDRESSES:
        setattr(record, name, getattr(table, name).data_ptr())
    record.steps, record.eps, record.threads = table.steps, table.eps, torch.get_num_threads()
    return record


_ADDRESSES = [name for name, kind, *_ in TableRecord._fields_ if kind is c_void_p]


def _plain(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype).contiguous()


def _check(status: int, table: LazyTable, rows: Tensor) -> None:
    if status == OUTSIDE:
        raise outside(table, rows)
    if status != DONE:
        raise MemoryError("there is no memory left for a step of the optimiser")
