"""PyTorch's Adam and AdamW on our parameters, rows of tables by themselves."""

from collections.abc import Collection
from typing import Any

import torch
from torch import nn

from textrnn.config import TrainingConfig
from textrnn.training.lazy_adam import LazyAdam


def make_optimizer(model: nn.Module, config: TrainingConfig, from_base: Collection[str] = frozenset()) -> LazyAdam:
    """The optimiser of a configuration: Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019).

    Weight decay acts on matrices; biases are left alone, since a shift cannot overfit by its size. `adam` adds it to
    the gradient, `adamw` takes it off the weights. Sparse gradients cost what they hold; see lazy_adam.py. The
    parameters named in `from_base` have a learning rate of their own; see `set_rate`.
    """
    groups: list[dict[str, Any]] = []
    for of_base in (False, True):
        some = [parameter for name, parameter in model.named_parameters() if (name in from_base) == of_base]
        matrices = [parameter for parameter in some if parameter.ndim > 1]
        biases = [parameter for parameter in some if parameter.ndim <= 1]
        groups += [
            {"params": matrices, "weight_decay": config.weight_decay, "from_base": of_base},
            {"params": biases, "weight_decay": 0.0, "from_base": of_base},
        ]
    groups = [group for group in groups if group["params"]]
    kind: type[torch.optim.Adam] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[config.optimizer]
    # fused: one pass over the parameters instead of ten; an embedding of 30,000 x 100 costs 0.9 instead of 7.6 ms.
    return LazyAdam(kind(groups, lr=config.learning_rate, fused=True))


def set_rate(optimizer: LazyAdam, learning_rate: float, base_share: float = 1.0) -> None:
    """Use this learning rate from the next step on, and this share of it for what comes from a base."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * (base_share if group.get("from_base") else 1.0)
