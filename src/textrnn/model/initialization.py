"""First values of the parameters, drawn from a given random stream."""

import math
from typing import Any

import torch
from torch import nn

from textrnn.cells import Cell
from textrnn.model.classifier import TextClassifier


def initialize(model: TextClassifier, scheme: str, generator: torch.Generator) -> TextClassifier:
    """Fill every parameter, in the order of their definition.

    Args:
        model: filled in place.
        scheme: `torch` draws exactly what the constructors of `nn.Embedding` and `nn.Linear` would draw;
            `orthogonal` starts with small embeddings and an orthogonal recurrent matrix.
        generator: the random stream; the same state gives the same parameters.

    Returns:
        The same model.
    """
    fill = {"torch": _as_torch_does, "orthogonal": orthogonal}[scheme]
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Embedding | nn.Linear):
                fill(module, generator)
        if scheme == "orthogonal":
            for module in model.modules():
                if isinstance(module, Cell):
                    orthogonal_cell(module, generator)
    return model


def _as_torch_does(module: nn.Embedding | nn.Linear, generator: torch.Generator) -> None:
    """`nn.Embedding.reset_parameters` and `nn.Linear.reset_parameters`, which take no generator."""
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, generator=generator)
        module.weight[module.padding_idx].zero_()
        return
    nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5), generator=generator)
    if module.bias is not None:
        bound = 1 / math.sqrt(module.in_features)
        nn.init.uniform_(module.bias, -bound, bound, generator=generator)


def orthogonal(module: nn.Embedding | nn.Linear, generator: torch.Generator) -> None:
    """Embeddings of standard deviation 0.1; Glorot and Bengio (2010) for linear maps, biases at zero."""
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.1, generator=generator)
        module.weight[module.padding_idx].zero_()
        return
    nn.init.xavier_uniform_(module.weight, generator=generator)
    if module.bias is not None:
        module.bias.zero_()


def orthogonal_cell(cell: Cell[Any, Any], generator: torch.Generator) -> None:
    """Each gate's block of rows is a map of its own.

    Recurrent ones are orthogonal (Saxe et al. 2014, arXiv:1312.6120): that keeps the norm of what passes through many
    steps.
    """
    gates = len(cell.GATES)
    if gates > 1:  # one block of an Elman cell was filled as a whole
        for block in cell.from_input.weight.chunk(gates):
            nn.init.xavier_uniform_(block, generator=generator)
    if cell.from_hidden is not None:
        for block in cell.from_hidden.weight.chunk(gates):
            nn.init.orthogonal_(block, generator=generator)
