"""Clipping by the global norm (Pascanu, Mikolov and Bengio 2013), dense and sparse gradients alike."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_, get_total_norm

from textrnn.native import library
from textrnn.training.native_adam import clip, is_plain


@torch.no_grad()
def clip_gradients(parameters: Iterable[Tensor], max_norm: float) -> Tensor:
    """Scale all gradients in place so that their common norm is at most `max_norm`; the norm before.

    As `torch.nn.utils.clip_grad_norm_`, and the very same where no gradient is sparse. A sparse gradient may name a row
    several times: the norm is that of the sums, so such a gradient is replaced by its coalesced form.
    """
    held = [(parameter, parameter.grad) for parameter in parameters if parameter.grad is not None]
    if not any(gradient.is_sparse for _, gradient in held):
        return clip_grad_norm_([parameter for parameter, _ in held], max_norm)
    values = []
    for parameter, gradient in held:
        if gradient.is_sparse and not gradient.is_coalesced():
            parameter.grad = gradient = gradient.coalesce()
        values.append(gradient.values() if gradient.is_sparse else gradient)
    if library() is not None and all(map(is_plain, values)):
        return torch.tensor(clip(values, max_norm))
    norm = get_total_norm(values)
    # 1e-6 and the product with 1 where nothing is clipped: as clip_grad_norm_ has it.
    torch._foreach_mul_(values, torch.clamp(max_norm / (norm + 1e-6), max=1.0))
    return norm
