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
from torch.nn.functional import pad

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
    name: str
    hidden_size: int
    directions: int
    pooling: str | None
    keep_outputs: bool
    indexed: bool
    plan: Plan


class LayerFunction(torch.autograd.Function):
    """(call, inputs, for each direction W_ih, b, W_hh, b_hh, hidden, memory) -> outputs, pooled, hidden, memory."""

    @staticmethod
    def forward(ctx: Any, call: Call, inputs: Tensor, *tensors: Tensor | None) -> tuple[Tensor | None, ...]:
        kernels = library()
        assert kernels is not None
        gates, saved_vectors = shape(call.name)
        plan, width = call.plan, padded(call.hidden_size)
        training = any(ctx.needs_input_grad)
        inputs = _plain(inputs)
        record = LayerRecord(
            plan=plan.address,
            cell=CELLS[call.name],
            hidden=call.hidden_size,
            padded=width,
            directions=call.directions,
            pooling=POOLINGS[call.pooling],
            threads=threads(),
            features=inputs.shape[1],
            inputs=len(inputs),
            input=inputs.data_ptr(),
            index=plan.index_address if call.indexed else None,
        )
        held: list[Tensor] = [inputs]
        across = call.directions * width

        def new(*sizes: int) -> Tensor:
            tensor = torch.empty(sizes)
            held.append(tensor)
            return tensor

        outputs = new(plan.positions, across) if call.keep_outputs else None
        pooled = new(plan.batch, across) if call.pooling else None
        record.outputs, record.pooled = _address(outputs), _address(pooled)
        if call.pooling == "max" and training:
            argmax = torch.empty(plan.batch, across, dtype=torch.int32)
            held.append(argmax)
            record.argmax = argmax.data_ptr()
        finals: list[Tensor | None] = []
        sizes = {"projected": len(inputs) * gates * width, "panels": 2 * gates * width * width}
        if training:
            sizes |= {"saved": plan.positions * saved_vectors * width, "previous": plan.positions * width}
        buffer = BUFFERS.take(call.directions * sum(sizes.values()))
        place = buffer.data_ptr()
        for d in range(call.directions):
            w_ih, b_ih, w_hh, b_hh, hidden, memory = (
                None if tensor is None else _plain(tensor) for tensor in tensors[6 * d : 6 * d + 6]
            )
            assert w_ih is not None and b_ih is not None
            way = record.direction[d]
            if b_hh is not None:  # of reset and update both biases add up; the candidate's acts inside the reset
                gate = call.hidden_size
                b_ih = b_ih.clone()
                b_ih[: 2 * gate] += b_hh[: 2 * gate]
                candidate_bias = b_hh[2 * gate :] if width == gate else pad(b_hh[2 * gate :], (0, width - gate))
                held.append(candidate_bias)
                way.candidate_bias = candidate_bias.data_ptr()
            held += [tensor for tensor in (w_ih, b_ih, w_hh, hidden, memory) if tensor is not None]
            way.from_input, way.input_bias, way.from_hidden = w_ih.data_ptr(), b_ih.data_ptr(), _address(w_hh)
            for field, size in sizes.items():
                setattr(way, field, place)
                place += size * _FLOAT
            way.start_hidden, way.start_memory = _address(hidden), _address(memory)
            final_hidden = new(plan.batch, width)
            final_memory = new(plan.batch, width) if memory is not None else None
            way.final_hidden, way.final_memory = final_hidden.data_ptr(), _address(final_memory)
            finals += [final_hidden, final_memory]
        if kernels.textrnn_forward(ctypes.byref(record)):
            raise MemoryError("out of memory in the native kernels")
        results = (outputs, pooled, *finals)
        if training:
            # Held here, a result would hold itself through its gradient, and never be freed without a way back.
            held = [some for some in held if not any(some is result for result in results)]
            ctx.call, ctx.record, ctx.held, ctx.buffers = call, record, held, [buffer]
            ctx.set_materialize_grads(False)
        else:
            BUFFERS.give_back([buffer])
        return results

    @staticmethod
    def backward(ctx: Any, d_outputs: Tensor | None, d_pooled: Tensor | None, *d_finals: Tensor | None) -> Any:
        kernels = library()
        assert kernels is not None
        if not ctx.buffers:
            raise RuntimeError("the native layer can go backward once; what it kept for that is overwritten")
        call, record = ctx.call, ctx.record
        gates, _ = shape(call.name)
        width, hidden_size, plan = padded(call.hidden_size), call.hidden_size, call.plan
        gradients = [None if tensor is None else _plain(tensor) for tensor in (d_outputs, d_pooled, *d_finals)]
        record.d_outputs, record.d_pooled = _address(gradients[0]), _address(gradients[1])
        d_input = torch.empty(record.inputs, record.features) if ctx.needs_input_grad[1] else None
        record.d_input = _address(d_input)
        results: list[Tensor | None] = [None, d_input]
        sizes = {} if record.index is None and call.directions == 1 else {"d_projected": record.inputs * gates * width}
        if record.direction[0].from_hidden:
            sizes["partial"] = plan.items * (gates * width + 8) * (width + 1)
        buffer = BUFFERS.take(call.directions * sum(sizes.values()))
        ctx.buffers.append(buffer)
        place = buffer.data_ptr()
        for d in range(call.directions):
            way = record.direction[d]
            way.d_final_hidden, way.d_final_memory = (_address(some) for some in gradients[2 + 2 * d : 4 + 2 * d])
            recurrent, biased = way.from_hidden, way.candidate_bias
            for field, size in sizes.items():
                setattr(way, field, place)
                place += size * _FLOAT
            some: list[Tensor | None] = [
                torch.empty(gates * hidden_size, record.features),
                torch.empty(gates * hidden_size),
                torch.empty(gates * hidden_size, hidden_size) if recurrent else None,
                torch.empty(gates * hidden_size) if biased else None,
                torch.empty(plan.batch, width) if way.start_hidden else None,
                torch.empty(plan.batch, width) if way.start_memory else None,
            ]
            names = ("d_from_input", "d_input_bias", "d_from_hidden", "d_recurrent_bias")
            for field, tensor in zip((*names, "d_start_hidden", "d_start_memory"), some, strict=True):
                setattr(way, field, _address(tensor))
            results += some
        failed = kernels.textrnn_backward(ctypes.byref(record))
        BUFFERS.give_back(ctx.buffers)
        ctx.buffers, ctx.held = [], []
        if failed:
            raise MemoryError("out of memory in the native kernels")
        return tuple(results)


@functools.cache
def shape(name: str) -> tuple[int, int]:
    """Gates, and vectors kept a step for the way back."""
    kernels = library()
    assert kernels is not None
    gates, saved = ctypes.c_int32(), ctypes.c_int32()
    if not kernels.textrnn_cell_shape(CELLS[name], gates, saved):
        raise ValueError(f"the native library does not know the cell {name!r}")
    return gates.value, saved.value


_FLOAT = 4  # bytes


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


def _plain(tensor: Tensor) -> Tensor:
    if tensor.dtype != torch.float32 or tensor.device.type != "cpu":
        raise TypeError(f"the native kernels compute 32-bit floats on the CPU, got {tensor.dtype} on {tensor.device}")
    return tensor.detach().contiguous()


def _address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()
