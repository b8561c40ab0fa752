"""Classifiers with random weights to look into, and torch.nn's own networks with the same weights."""

import itertools
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from builders import header, random_texts, random_weights
from textrnn.modelfile import CELL_TENSORS
from textrnn.runtime import Classifier
from textrnn.tasks import Task
from textrnn.text.ngrams import NgramRule, keys_of_tokens
from textrnn.text.tokenizer import TOKENIZERS

CELLS = tuple(CELL_TENSORS)
POOLINGS = ("last", "mean", "max")
TEXTS = ["", "film", *random_texts(4, seed=5, longest=16)]
"""Ragged, one empty, one of a word, some longer than the 12 tokens that are read."""

EVERY: list[dict[str, Any]] = [
    {"cell": cell, "layers": layers, "bidirectional": both, "pooling": pooling, "padding": padding}
    for cell, layers, both, pooling, padding in itertools.product(
        CELLS, (1, 2), (False, True), POOLINGS, ("masked", "through")
    )
]
"""Every cell, direction, pooling and padding, with one and two layers."""

SUMS: list[dict[str, Any]] = [
    {"cell": "gru", "members": 3, "bidirectional": True, "pooling": "max", "ngrams": 2, "character_ngrams": 3},
    {"cell": "minlstm", "members": 2, "bidirectional": True, "pooling": "mean", "ngrams": 3},
    {"cell": "lstm", "layers": 3, "bidirectional": True, "pooling": "last", "character_ngrams": 4},
    {"cell": "mingru", "layers": 2, "members": 2, "pooling": "max", "padding": "through", "ngrams": 1},
]
"""Several networks, and n-grams beside them."""


def named(model: dict[str, Any]) -> str:
    """For the names of tests."""
    return "-".join(f"{value}" for value in model.values())


def classifier(
    *,
    keep: str = "both",
    labels: list[Any] | None = None,
    task: Task | None = None,
    seed: int = 0,
    tokenizer: str = "words",
    scale: float = 0.6,
    **model: Any,
) -> Classifier:
    """With random weights; its n-grams are those of some random texts."""
    head = header(["a", "b", "c"] if labels is None else labels, tokenizer=tokenizer, **model)
    head = msgspec.structs.replace(head, text=msgspec.structs.replace(head.text, keep=keep))
    if task is not None:
        head = msgspec.structs.replace(head, task=task, labels=labels or [])
    rule, keys = NgramRule(head.model.ngrams, head.model.character_ngrams), None
    if any(rule):
        texts = [keys_of_tokens(TOKENIZERS[tokenizer](text), rule) for text in random_texts(20, seed=9)]
        keys = np.unique(np.concatenate(texts))
        head = msgspec.structs.replace(head, ngrams=len(keys))
    weights = random_weights(head, seed=seed, scale=scale)
    if keys is not None:
        weights["ngrams.key"] = keys
    return Classifier(head, weights)


class TorchNetwork(nn.Module):
    """torch.nn.RNN, GRU or LSTM, in double precision, on the weights of a classifier with one network of one layer."""

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        config, self.model = model.header.model, model
        kind: Any = {"gru": nn.GRU, "lstm": nn.LSTM}.get(config.cell, nn.RNN)
        extra = {"nonlinearity": "relu" if config.cell == "elman_relu" else "tanh"} if kind is nn.RNN else {}
        self.rnn: Any = kind(
            config.embedding_size, config.hidden_size, config.layers, bidirectional=config.bidirectional, **extra
        ).double()
        state = {}
        for layer in range(config.layers):
            for direction, suffix in (("left_to_right", ""), ("right_to_left", "_reverse"))[: 1 + config.bidirectional]:
                place = f"layers.{layer}.{direction}"
                bias = model.weights[f"{place}.from_input.bias"]
                state[f"weight_ih_l{layer}{suffix}"] = model.weights[f"{place}.from_input.weight"]
                state[f"weight_hh_l{layer}{suffix}"] = model.weights[f"{place}.from_hidden.weight"]
                state[f"bias_ih_l{layer}{suffix}"] = bias
                state[f"bias_hh_l{layer}{suffix}"] = model.weights.get(f"{place}.from_hidden.bias", np.zeros_like(bias))
        self.rnn.load_state_dict({name: torch.from_numpy(value).double() for name, value in state.items()})
        self.weight = torch.from_numpy(model.weights["head.weight"]).double()
        self.bias = torch.from_numpy(model.weights["head.bias"]).double()

    def embedded(self, ids: NDArray[np.int32]) -> Tensor:
        """[1, time, features]"""
        return torch.from_numpy(self.model.weights["embedding.weight"][ids]).double()[None]

    def states(self, inputs: Tensor) -> Tensor:
        """[batch, time, features] -> [batch, time, directions * hidden]"""
        found: Tensor = self.rnn(inputs.transpose(0, 1))[0]
        return found.transpose(0, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Scores. [batch, time, features] -> [batch, outputs]"""
        states, size = self.states(inputs), self.model.header.model.hidden_size
        pooling = self.model.header.model.pooling
        if pooling == "mean":
            pooled = states.mean(dim=1)
        elif pooling == "max":
            pooled = states.max(dim=1).values
        else:
            pooled = torch.cat([states[:, -1, :size], states[:, 0, size:]], dim=1)
        return pooled @ self.weight.t() + self.bias


def linear_states(model: Classifier, inputs: NDArray[np.float64], direction: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Kept and added of a linear cell of the first layer, by the equations in docs/equations.md, in NumPy."""
    place, size = f"layers.0.{direction}", model.header.model.hidden_size
    weight = model.weights[f"{place}.from_input.weight"].astype(np.float64)
    rows = inputs @ weight.T + model.weights[f"{place}.from_input.bias"]

    def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1 / (1 + np.exp(-x))

    if model.header.model.cell == "mingru":
        update = sigmoid(rows[:, :size])
        return 1 - update, update * rows[:, size:]
    forget, into = sigmoid(rows[:, :size]), sigmoid(rows[:, size : 2 * size])
    return forget / (forget + into), into / (forget + into) * rows[:, 2 * size :]
