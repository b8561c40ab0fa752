"""The native kernels under PyTorch's autograd: a layer over a whole ragged batch, one call forward and one back."""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from textrnn.cells.cell import Cell, State
from textrnn.native import Plan, library
from textrnn.native.interface import CELLS, POOLINGS, LayerRecord, padded


class LayerOutput(NamedTuple):
    """What a layer computes; directions lie side by side, left to right first."""

    outputs: Tensor | None
    """The hidden state after every step in the order of the plan's positions. [positions, directions * hidden]"""
    pooled: Tensor | None
    """[batch, directions * hidden]"""
    finals: list[Any]
    """The state of each direction after its last step, each part [batch, hidden]."""


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


def native_layer(
    name: str,
    cells: Sequence[Cell[Any, Any]],
    plan: Plan,
    inputs: Tensor,
    *,
    indexed: bool,
    pooling: str | None,
    states: Sequence[Any],
    keep_outputs: bool = False,
) -> LayerOutput:
    """Run one layer.

    Args:
        name: of the cells in `CELLS`.
        cells: one, or left to right and right to left.
        plan: of the batch.
        inputs: with `indexed` a row for each unique id of the plan, else for each of its positions. [rows, features]
        indexed: see `inputs`.
        pooling: `last`, `mean`, `max` or None.
        states: the state of each direction before its first step, each part [batch, hidden].
        keep_outputs: whether the states after every step are wanted.
    """
    hidden_size, directions = cells[0].hidden_size, len(cells)
    width = padded(hidden_size)
    parameters: list[Tensor | None] = []
    for cell, state in zip(cells, states, strict=True):
        parameters += [cell.from_input.weight, cell.from_input.bias]
        parameters += [None, None] if cell.from_hidden is None else [cell.from_hidden.weight, cell.from_hidden.bias]
        parameters += [_widened(state.hidden, width), _widened(state[1], width) if len(state) > 1 else None]
    call = _Call(name, hidden_size, directions, pooling, keep_outputs, indexed, plan)
    outputs, pooled, *finals = _Layer.apply(call, inputs, *parameters)  # type: ignore[no-untyped-call]
    state_type = type(states[0])
    parts = len(states[0])
    return LayerOutput(
        None if outputs is None else _narrowed(outputs, directions, hidden_size),
        None if pooled is None else _narrowed(pooled, directions, hidden_size),
        [
            state_type(*(_narrowed(part, 1, hidden_size) for part in finals[2 * d : 2 * d + parts]))
            for d in range(directions)
        ],
    )


def native_unroll(
    cell: Cell[State, Any],
    inputs: Float[Tensor, "time batch features"],
    lengths: Int[Tensor, " batch"],
    state: State,
) -> tuple[Float[Tensor, "time batch hidden"], State]:
    """`unroll` by the native kernels, with the same arguments and results; 32-bit floats on the CPU."""
    plan = Plan(lengths.numpy())
    time, batch, _ = inputs.shape
    places = torch.from_numpy(plan.source_time.astype(np.int64) * batch + plan.source_row)
    packed = inputs.reshape(time * batch, cell.input_size).index_select(0, places)
    result = native_layer(
        _name(cell),
        [cell],
        plan,
        packed,
        indexed=False,
        pooling=None,
        states=[state],
        keep_outputs=True,
    )
    assert result.outputs is not None
    final = result.finals[0]
    flat = (
        final.hidden.expand(time, -1, -1).reshape(time * batch, cell.hidden_size).index_copy(0, places, result.outputs)
    )
    return flat.view(time, batch, cell.hidden_size), final


def _name(cell: Cell[Any, Any]) -> str:
    from textrnn.cells import CELLS as KINDS  # which names this module, too

    return next(name for name, kind in KINDS.items() if kind is type(cell))


class _Call(NamedTuple):
    name: str
    hidden_size: int
    directions: int
    pooling: str | None
    keep_outputs: bool
    indexed: bool
    plan: Plan


class _Layer(torch.autograd.Function):
    """(call, inputs, for each direction W_ih, b, W_hh, b_hh, hidden, memory) -> outputs, pooled, hidden, memory."""

    @staticmethod
    def forward(ctx: Any, call: _Call, inputs: Tensor, *tensors: Tensor | None) -> tuple[Tensor | None, ...]:
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
            threads=_THREADS.get() or torch.get_num_threads(),
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
        buffers: list[Tensor] = []
        for d in range(call.directions):
            w_ih, b_ih, w_hh, b_hh, hidden, memory = (
                None if tensor is None else _plain(tensor) for tensor in tensors[6 * d : 6 * d + 6]
            )
            assert w_ih is not None and b_ih is not None
            way = record.direction[d]
            if b_hh is not None:  # of reset and update both biases add up; the candidate's acts inside the reset
                added = b_hh.clone()
                added[2 * call.hidden_size :] = 0
                b_ih = b_ih + added
                candidate_bias = pad(b_hh[2 * call.hidden_size :], (0, width - call.hidden_size))
                held.append(candidate_bias)
                way.candidate_bias = candidate_bias.data_ptr()
            held += [tensor for tensor in (w_ih, b_ih, w_hh, hidden, memory) if tensor is not None]
            way.from_input, way.input_bias, way.from_hidden = w_ih.data_ptr(), b_ih.data_ptr(), _address(w_hh)
            sizes = {"projected": len(inputs) * gates * width, "panels": 2 * gates * width * width}
            if training:
                sizes |= {"saved": plan.positions * saved_vectors * width, "previous": plan.positions * width}
            for field, size in sizes.items():
                buffer = BUFFERS.take(size)
                buffers.append(buffer)
                setattr(way, field, buffer.data_ptr())
            way.start_hidden, way.start_memory = _address(hidden), _address(memory)
            final_hidden = new(plan.batch, width)
            final_memory = new(plan.batch, width) if memory is not None else None
            way.final_hidden, way.final_memory = final_hidden.data_ptr(), _address(final_memory)
            finals += [final_hidden, final_memory]
        if kernels.textrnn_forward(ctypes.byref(record)):
            raise MemoryError("out of memory in the native kernels")
        if training:
            ctx.call, ctx.record, ctx.held, ctx.buffers = call, record, held, buffers
            ctx.set_materialize_grads(False)
        else:
            BUFFERS.give_back(buffers)
        return (outputs, pooled, *finals)

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
        for d in range(call.directions):
            way = record.direction[d]
            way.d_final_hidden, way.d_final_memory = (_address(some) for some in gradients[2 + 2 * d : 4 + 2 * d])
            recurrent, biased, has_memory = way.from_hidden, way.candidate_bias, way.start_memory
            buffer = BUFFERS.take(record.inputs * gates * width)
            ctx.buffers.append(buffer)
            way.d_projected = buffer.data_ptr()
            if recurrent:
                buffer = BUFFERS.take(plan.items * (gates * width + 8) * (width + 1))
                ctx.buffers.append(buffer)
                way.partial = buffer.data_ptr()
            some: list[Tensor | None] = [
                torch.empty(gates * hidden_size, record.features),
                torch.empty(gates * hidden_size),
                torch.empty(gates * hidden_size, hidden_size) if recurrent else None,
                torch.empty(gates * hidden_size) if biased else None,
                torch.empty(plan.batch, width),
                torch.empty(plan.batch, width) if has_memory else None,
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

    def take(self, floats: int) -> Tensor:
        """At least so many floats, uninitialised."""
        fitting = [some for some in self._free if floats <= some.numel() <= 2 * floats + 65_536]
        if fitting:
            smallest = min(fitting, key=Tensor.numel)
            self._free = [some for some in self._free if some is not smallest]
            return smallest
        return torch.empty(max(floats, 1) + floats // 8)

    def give_back(self, buffers: list[Tensor]) -> None:
        """Nobody reads these any more."""
        self._free = (self._free + buffers)[-16:]


BUFFERS = _Buffers()


def _plain(tensor: Tensor) -> Tensor:
    if tensor.dtype != torch.float32 or tensor.device.type != "cpu":
        raise TypeError(f"the native kernels compute 32-bit floats on the CPU, got {tensor.dtype} on {tensor.device}")
    return tensor.detach().contiguous()


def _address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def _widened(part: Tensor, width: int) -> Tensor:
    return pad(part, (0, width - part.shape[-1]))


def _narrowed(rows: Tensor, directions: int, hidden_size: int) -> Tensor:
    if rows.shape[1] == directions * hidden_size:
        return rows
    wide = rows.view(len(rows), directions, rows.shape[1] // directions)
    return wide[..., :hidden_size].reshape(len(rows), directions * hidden_size)
