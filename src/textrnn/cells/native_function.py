"""One native layer as a function that autograd can go back through: memory and addresses, no arithmetic."""

import ctypes
import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import torch
from torch import Tensor

from textrnn.cells.native_reading import Reading
from textrnn.native import Plan, library
from textrnn.native.interface import CELLS, POOLINGS, LayerRecord, padded

_THREADS: ContextVar[int] = ContextVar("kernel threads", default=0)


@contextmanager
def kernel_threads(threads: int) -> Iterator[None]:
    """Within the block the native kernels use so many threads, elsewhere as many as PyTorch.

    They gain from two threads where PyTorch's small operations lose. No result depends on it.
    """
    token = _THREADS.set(threads)
    try:
        yield
    finally:
        _THREADS.reset(token)


def threads() -> int:
    """Threads for a call of the native kernels."""
    return _THREADS.get() or torch.get_num_threads()


class Call(NamedTuple):
    """What a layer computes; see `native_layer`."""

    name: str
    hidden_size: int
    directions: int
    pooling: str | None
    keep_outputs: bool
    indexed: bool
    plan: Plan
    reading: Reading | None


class LayerFunction(torch.autograd.Function):
    """(call, inputs, for each direction W_ih, b, W_hh, b_hh, hidden, memory) -> outputs, pooled, hidden, memory.

    Without states there are no last two. With a reading in the call `inputs` is the table that it reads from.
    """

    @staticmethod
    def forward(ctx: Any, call: Call, inputs: Tensor, *tensors: Tensor | None) -> tuple[Tensor | None, ...]:
        kernels = library()
        assert kernels is not None
        plan, reading, width = call.plan, call.reading, padded(call.hidden_size)
        across = call.directions * width
        training = any(ctx.needs_input_grad)
        inputs = plain(inputs)
        outputs = torch.empty(plan.positions, across) if call.keep_outputs else None
        pooled = torch.empty(plan.batch, across) if call.pooling else None
        record = LayerRecord(
            plan=plan.address,
            cell=CELLS[call.name],
            hidden=call.hidden_size,
            padded=width,
            directions=call.directions,
            pooling=POOLINGS[call.pooling],
            threads=threads(),
            features=inputs.shape[1],
            inputs=reading.rows if reading else len(inputs),
            input=None if reading else inputs.data_ptr(),
            index=plan.index_address if call.indexed else None,
            outputs=_address(outputs),
            pooled=_address(pooled),
        )
        held = [inputs]
        finals: list[Tensor | None] = []
        for d in range(call.directions):
            given = [None if tensor is None else plain(tensor) for tensor in tensors[6 * d : 6 * d + 6]]
            held += [tensor for tensor in given if tensor is not None]
            way = record.direction[d]
            way.from_input, way.input_bias, way.from_hidden, way.recurrent_bias, way.start_hidden, way.start_memory = (
                None if tensor is None else tensor.data_ptr() for tensor in given
            )
            if given[4] is not None:
                final_hidden = torch.empty(plan.batch, width)
                final_memory = None if given[5] is None else torch.empty(plan.batch, width)
                way.final_hidden, way.final_memory = final_hidden.data_ptr(), _address(final_memory)
                finals += [final_hidden, final_memory]
        buffer = BUFFERS.take(kernels.textrnn_place(ctypes.byref(record), training, None))
        kernels.textrnn_place(ctypes.byref(record), training, buffer.data_ptr())
        if reading:
            reading.read(inputs, record.input, record.threads)
        if kernels.textrnn_forward(ctypes.byref(record)):
            raise MemoryError("out of memory in the native kernels")
        if training:
            ctx.call, ctx.record, ctx.held, ctx.buffer = call, record, held, buffer
            ctx.set_materialize_grads(False)
        else:
            BUFFERS.give_back([buffer])
        return (outputs, pooled, *finals)

    @staticmethod
    def backward(ctx: Any, *given: Tensor | None) -> Any:
        kernels = library()
        assert kernels is not None
        if ctx.buffer is None:
            raise RuntimeError("the native layer can go backward once; what it kept for that is overwritten")
        call, record, learns_inputs = ctx.call, ctx.record, ctx.needs_input_grad[1]
        hidden_size, width, plan = call.hidden_size, record.padded, call.plan
        rows = shape(call.name)[0] * hidden_size
        gradients = [None if tensor is None else plain(tensor) for tensor in given]
        record.d_outputs, record.d_pooled = _address(gradients[0]), _address(gradients[1])
        d_input: Tensor | None = None
        if not learns_inputs:
            record.d_input = None
        elif call.reading is None:
            d_input = torch.empty(record.inputs, record.features)
            record.d_input = d_input.data_ptr()
        results: list[Tensor | None] = []
        for d in range(call.directions):
            way = record.direction[d]
            if way.start_hidden:
                way.d_final_hidden, way.d_final_memory = (_address(some) for some in gradients[2 + 2 * d : 4 + 2 * d])
            some = [
                torch.empty(rows, record.features),
                torch.empty(rows),
                torch.empty(rows, hidden_size) if way.from_hidden else None,
                torch.empty(rows) if way.recurrent_bias else None,
                torch.empty(plan.batch, width) if way.start_hidden else None,
                torch.empty(plan.batch, width) if way.start_memory else None,
            ]
            way.d_from_input, way.d_input_bias, way.d_from_hidden, way.d_recurrent_bias = map(_address, some[:4])
            way.d_start_hidden, way.d_start_memory = map(_address, some[4:])
            results += some
        failed = kernels.textrnn_backward(ctypes.byref(record))
        if learns_inputs and call.reading and not failed:
            d_input = call.reading.gradient(record.d_input)
        BUFFERS.give_back([ctx.buffer])
        ctx.buffer, ctx.held = None, []
        if failed:
            raise MemoryError("out of memory in the native kernels")
        return (None, d_input, *results)


@functools.cache
def shape(name: str) -> tuple[int, int]:
    """Gates, and vectors kept a step for the way back."""
    kernels = library()
    assert kernels is not None
    gates, saved = ctypes.c_int32(), ctypes.c_int32()
    if not kernels.textrnn_cell_shape(CELLS[name], gates, saved):
        raise ValueError(f"the native library does not know the cell {name!r}")
    return gates.value, saved.value


class _Buffers:
    """Large arrays used again from batch to batch: fresh pages from the system cost as much as a tenth of a step."""

    def __init__(self) -> None:
        self._free: list[Tensor] = []
        self._lock = threading.Lock()  # else two threads could take the same

    def take(self, floats: int) -> Tensor:
        """At least so many floats, uninitialised."""
        with self._lock:
            fitting = [some for some in self._free if floats <= some.numel() <= 2 * floats + 65_536]
            if fitting:
                smallest = min(fitting, key=Tensor.numel)
                self._free = [some for some in self._free if some is not smallest]
                return smallest
        return torch.empty(max(floats, 1) + floats // 8)

    def give_back(self, buffers: list[Tensor]) -> None:
        """Nobody reads these any more."""
        with self._lock:
            self._free = (self._free + buffers)[-16:]


BUFFERS = _Buffers()


def plain(tensor: Tensor) -> Tensor:
    """The tensor as the kernels read it, without gaps.

    Raises:
        TypeError: it does not hold 32-bit floats on the CPU.
    """
    if tensor.dtype is not torch.float32 or not tensor.is_cpu:
        raise TypeError(f"the native kernels compute 32-bit floats on the CPU, got {tensor.dtype} on {tensor.device}")
    return tensor.contiguous()


def _address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()
