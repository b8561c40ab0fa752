"""A model's weights as an ONNX graph, the way a good exporter writes it, for ONNX Runtime."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from textrnn.config import ModelConfig
from textrnn.modelfile import directions, prefix

OPERATORS = {"elman": "RNN", "gru": "GRU", "lstm": "LSTM"}
ORDER = {"elman": [0], "gru": [1, 0, 2], "lstm": [0, 3, 1, 2]}
"""Where ONNX's gates lie among PyTorch's: update, reset, hidden; input, output, forget, cell. See docs/equations.md."""


def permuted(block: NDArray[Any], cell: str) -> NDArray[Any]:
    gates = np.split(block, len(ORDER[cell]))
    return np.concatenate([gates[gate] for gate in ORDER[cell]])


def recurrent_weights(config: ModelConfig, weights: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """W [directions, G * hidden, features], R [directions, G * hidden, hidden] and B [directions, 2 * G * hidden]."""
    w, r, b = [], [], []
    for name in directions(config):
        place = prefix(0, name)
        bias = weights[f"{place}from_input.bias"]
        recurrent = weights.get(f"{place}from_hidden.bias", np.zeros_like(bias))
        w.append(permuted(weights[f"{place}from_input.weight"], config.cell))
        r.append(permuted(weights[f"{place}from_hidden.weight"], config.cell))
        b.append(np.concatenate([permuted(bias, config.cell), permuted(recurrent, config.cell)]))
    return {"W": np.stack(w), "R": np.stack(r), "B": np.stack(b)}


def graph(config: ModelConfig, weights: Mapping[str, NDArray[Any]]) -> bytes:
    """ids [time, batch] int64, lengths [batch] int32 -> logits [batch, classes]; one layer, mean pooling."""
    tensors = recurrent_weights(config, weights) | {
        "embedding": weights["embedding.weight"],
        "head": weights["head.weight"],
        "bias": weights["head.bias"],
        "time": np.array([0], dtype=np.int64),
        "flat": np.array([0, -1], dtype=np.int64),
        "column": np.array([-1, 1], dtype=np.int64),
    }
    attributes: dict[str, Any] = {"hidden_size": config.hidden_size}
    attributes["direction"] = "bidirectional" if config.bidirectional else "forward"
    if config.cell == "gru":
        attributes["linear_before_reset"] = 1
    node = helper.make_node
    nodes = [
        node("Gather", ["embedding", "ids"], ["inputs"]),  # [time, batch, features]
        node(OPERATORS[config.cell], ["inputs", "W", "R", "B", "lengths"], ["states"], **attributes),
        # The states [time, directions, batch, hidden] after the end of a text are zeros, so no mask is needed.
        node("ReduceSum", ["states", "time"], ["sums"], keepdims=0),
        node("Transpose", ["sums"], ["sides"], perm=[1, 0, 2]),
        node("Reshape", ["sides", "flat"], ["sum"]),  # [batch, directions * hidden]
        node("Cast", ["lengths"], ["real"], to=TensorProto.FLOAT),
        node("Reshape", ["real", "column"], ["counts"]),
        node("Div", ["sum", "counts"], ["pooled"]),
        node("Gemm", ["pooled", "head", "bias"], ["logits"], transB=1),
    ]
    made = helper.make_graph(
        nodes,
        "classifier",
        [
            helper.make_tensor_value_info("ids", TensorProto.INT64, ["time", "batch"]),
            helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"]),
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "classes"])],
        [numpy_helper.from_array(np.ascontiguousarray(tensor), name) for name, tensor in tensors.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    raw: bytes = model.SerializeToString()
    return raw
