"""PyTorch's Adam and AdamW on our parameters, rows of tables by themselves."""

from collections.abc import Collection
from typing import Any

import torch

from textrnn.config import TrainingConfig
from textrnn.model import TextClassifier
from textrnn.training.lazy_adam import LazyAdam


def make_optimizer(model: TextClassifier, config: TrainingConfig, from_base: Collection[str] = frozenset()) -> LazyAdam:
    """The optimiser of a configuration: Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019).

    Weight decay acts on matrices; biases are left alone, since a shift cannot overfit by its size. `adam` adds it to
    the gradient, `adamw` takes it off the weights. Sparse gradients cost what they hold; see lazy_adam.py. The
    parameters named in `from_base` have a learning rate of their own, as word vectors have; see `set_rate`.
    """
    groups: dict[tuple[bool, float, bool], dict[str, Any]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        of_base, matrix = name in from_base, parameter.ndim > 1
        share = model.embedding_rate if parameter is model.embedding.weight else 1.0
        group = {"params": [], "weight_decay": config.weight_decay if matrix else 0.0}
        group |= {"share": share, "from_base": of_base}
        groups.setdefault((of_base, share, not matrix), group)["params"].append(parameter)
    kind: type[torch.optim.Adam] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[config.optimizer]
    # fused: one pass over the parameters instead of ten; an embedding of 30,000 x 100 costs 0.9 instead of 7.6 ms.
    return LazyAdam(kind(list(groups.values()), lr=config.learning_rate, fused=True))


def set_rate(optimizer: LazyAdam, learning_rate: float, base_share: float = 1.0) -> None:
    """Use this learning rate, or a group's share of it, from the next step on; `base_share` of that from a base."""
    for group in optimizer.param_groups:
        share = group.get("share", 1.0) * (base_share if group.get("from_base") else 1.0)
        group["lr"] = learning_rate * share
