"""The runtime's networks computed by others: `torch.nn`, and double-precision loops for cells that PyTorch lacks."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from textrnn.config import ModelConfig
from textrnn.modelfile import Weights

Floats = NDArray[np.float64]
FUSED: dict[str, Callable[..., nn.RNNBase]] = {
    "elman": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="tanh", **options),
    "elman_relu": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="relu", **options),
    "gru": nn.GRU,
    "lstm": nn.LSTM,
}


def expected_logits(
    config: ModelConfig, weights: Weights, texts: Sequence[NDArray[np.int32]], *, max_length: int
) -> Floats:
    """Scores in double precision, each text by itself. [batch, classes]"""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two that wait for each other take many times as long over matrices of this size
    try:
        return _expected_logits(config, weights, texts, max_length)
    finally:
        torch.set_num_threads(threads)


def _expected_logits(
    config: ModelConfig, weights: Weights, texts: Sequence[NDArray[np.int32]], max_length: int
) -> Floats:
    layers = minimal_layers if config.cell.startswith("min") else fused_layers
    rows = []
    for ids in texts:
        if config.padding == "through":
            ids = np.concatenate([ids, np.zeros(max_length - len(ids), dtype=np.int32)])
        pooled = np.zeros(weights["head.weight"].shape[1])
        if len(ids):
            pooled = pool(config, layers(config, weights, weights["embedding.weight"][ids].astype(np.float64)))
        rows.append(weights["head.weight"].astype(np.float64) @ pooled + weights["head.bias"])
    return np.array(rows)


def pool(config: ModelConfig, states: Floats) -> Floats:
    """[time, directions * hidden] -> [directions * hidden]"""
    if config.pooling == "mean":
        return np.asarray(states.mean(axis=0))
    if config.pooling == "max":
        return np.asarray(states.max(axis=0))
    left_to_right, right_to_left = states[-1, : config.hidden_size], states[0, config.hidden_size :]
    return np.concatenate([left_to_right, right_to_left])


def fused_layers(config: ModelConfig, weights: Weights, inputs: Floats) -> Floats:
    """States of the last layer by torch.nn. [time, directions * hidden]"""
    network = FUSED[config.cell](
        config.embedding_size, config.hidden_size, num_layers=config.layers, bidirectional=config.bidirectional
    ).double()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            kind, side, layer, *backwards = name.replace("_l", " ").replace("_", " ").split()
            ours = f"layers.{layer}.{'right_to_left' if backwards else 'left_to_right'}."
            ours += f"{'from_input' if side == 'ih' else 'from_hidden'}.{kind}"
            # Only the GRU has both biases; elsewhere they add up.
            parameter.copy_(torch.from_numpy(weights[ours]) if ours in weights else torch.zeros_like(parameter))
        states: torch.Tensor = network(torch.from_numpy(inputs)[:, None])[0]
    return np.asarray(states[:, 0].numpy())


def minimal_layers(config: ModelConfig, weights: Weights, inputs: Floats) -> Floats:
    """States of the last layer of a minGRU or minLSTM, as Feng et al. (2024) write them. [time, directions * hidden]"""
    for layer in range(config.layers):
        halves = []
        for direction in ["left_to_right", "right_to_left"][: 1 + config.bidirectional]:
            name = f"layers.{layer}.{direction}.from_input."
            weight, bias = (weights[name + part].astype(np.float64) for part in ("weight", "bias"))
            read = inputs if direction == "left_to_right" else inputs[::-1]
            hidden, states = np.zeros(config.hidden_size), []
            for x in read:
                blocks = np.split(weight @ x + bias, len(bias) // config.hidden_size)
                if config.cell == "mingru":
                    update = 1 / (1 + np.exp(-blocks[0]))
                    hidden = (1 - update) * hidden + update * blocks[1]
                else:
                    forget, let_in = 1 / (1 + np.exp(-blocks[0])), 1 / (1 + np.exp(-blocks[1]))
                    hidden = forget / (forget + let_in) * hidden + let_in / (forget + let_in) * blocks[2]
                states.append(hidden)
            halves.append(np.array(states if direction == "left_to_right" else states[::-1]))
        inputs = np.concatenate(halves, axis=1)
    return inputs
