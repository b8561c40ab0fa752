"""The ONNX project's own node tests of RNN, GRU and LSTM with our cells, and its reference evaluator on more.

Of its 18 cases these are not ours: `test_lstm_with_peepholes` (our LSTM has none), and three of six GRU cases that
have several steps, since all of them let the reset gate act before the product (`linear_before_reset=0`). From a zero
state without recurrent biases, one step is the same either way, so the other three are. The reference evaluator, asked
for `linear_before_reset=1`, covers the steps after the first.
"""

from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from textrnn.cells import CELLS, UNROLLS, Cell, backwards

pytest.importorskip("onnx")

import onnx.backend.test.case.node as node_cases
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

ORDER = {"RNN": [0], "GRU": [1, 0, 2], "LSTM": [0, 2, 3, 1]}
"""Where each of our row blocks stands in ONNX: `z r h` is our (r, z, n), `i o f c` our (i, f, g, o)."""

CELL = {"RNN": "elman", "GRU": "gru", "LSTM": "lstm"}

NOT_OURS = {
    "test_lstm_with_peepholes": "no peepholes",
    "test_gru_seq_length": "reset before the product",
    "test_gru_reverse": "reset before the product",
    "test_gru_bidirectional": "reset before the product",
}

for operator in ORDER:
    import_module(f"onnx.backend.test.case.node.{operator.lower()}")  # which puts its cases into the list

CASES = {
    case.name: case
    for case in node_cases._NodeTestCases
    if case.model is not None and case.model.graph.node[0].op_type in ORDER
}
OURS = sorted(set(CASES) - set(NOT_OURS))


def from_onnx(kind: str, w: NDArray[Any], r: NDArray[Any], b: NDArray[Any] | None) -> Cell[Any, Any]:
    """Our cell from one direction's W [rows, features], R [rows, hidden], B [2 * rows], where rows = gates * hidden."""

    def ours(rows: NDArray[Any]) -> Tensor:
        blocks = np.split(rows, len(ORDER[kind]))
        return torch.from_numpy(np.concatenate([blocks[place] for place in ORDER[kind]]).astype(np.float32))

    first, second = np.split(b, 2) if b is not None else (np.zeros(len(w)), np.zeros(len(w)))
    weights = {"from_input.weight": ours(w), "from_input.bias": ours(first), "from_hidden.weight": ours(r)}
    if kind == "GRU":
        weights["from_hidden.bias"] = ours(second)
    else:
        weights["from_input.bias"] += ours(second)
    cell = CELLS[CELL[kind]](w.shape[1], r.shape[1])
    cell.load_state_dict(weights)
    return cell


def run(node: Any, given: dict[str, NDArray[Any]], way: str) -> dict[str, Tensor]:
    """What the node puts out: Y [time, directions, batch, hidden], Y_h and Y_c [directions, batch, hidden]."""
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    known = {"hidden_size", "layout", "direction", "linear_before_reset"}
    assert set(attributes) <= known and set(given) <= {"X", "W", "R", "B", "initial_h", "initial_c"}
    batch_first = attributes.get("layout", 0) == 1
    inputs = torch.tensor(given["X"])
    if batch_first:
        inputs = inputs.transpose(0, 1)
    lengths = torch.full((inputs.shape[1],), len(inputs))
    direction = attributes.get("direction", b"forward").decode()
    reading = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[direction]
    outputs, finals = [], []
    for place, reverse in enumerate(reading):
        cell = from_onnx(
            node.op_type, given["W"][place], given["R"][place], given["B"][place] if "B" in given else None
        )
        state = cell.initial_state(len(lengths))
        if "initial_h" in given:
            parts = [torch.tensor(given[name][place]) for name in ("initial_h", "initial_c") if name in given]
            state = type(state)(*parts)
        read = backwards(inputs, lengths) if reverse else inputs
        states, final = UNROLLS[way](cell, read, lengths, state)
        outputs.append(backwards(states, lengths) if reverse else states)
        finals.append(final)
    result = {"Y": torch.stack(outputs, dim=1)}
    for name, part in zip(("Y_h", "Y_c"), zip(*finals, strict=True), strict=False):
        result[name] = torch.stack(part)
    if batch_first:
        result["Y"] = result["Y"].permute(2, 0, 1, 3)
        result |= {name: part.transpose(0, 1) for name, part in result.items() if name != "Y"}
    return result


def test_all_cases_are_ours_or_have_a_reason() -> None:
    assert len(CASES) >= 18 and NOT_OURS.keys() <= CASES.keys()
    assert all(name.startswith("test_gru") or "peepholes" in name for name in NOT_OURS)


@pytest.mark.parametrize("way", UNROLLS)
@pytest.mark.parametrize("name", OURS)
def test_node(name: str, way: str) -> None:
    case = CASES[name]
    node = case.model.graph.node[0]
    ((inputs, outputs),) = case.data_sets
    given = dict(zip([name for name in node.input if name], inputs, strict=True))
    ours = run(node, given, way)
    for wanted, expected in zip([name for name in node.output if name], outputs, strict=True):
        np.testing.assert_allclose(ours[wanted].detach().numpy(), expected, rtol=1e-5, atol=1e-6, err_msg=wanted)


@pytest.mark.parametrize("way", UNROLLS)
@pytest.mark.parametrize("kind", ORDER)
def test_reference_evaluator_on_random_weights_from_a_nonzero_state(kind: str, way: str) -> None:
    time, batch, features, hidden = 6, 3, 4, 5
    rng = np.random.default_rng(7)
    rows = len(ORDER[kind]) * hidden
    shapes = {
        "X": (time, batch, features),
        "W": (1, rows, features),
        "R": (1, rows, hidden),
        "B": (1, 2 * rows),
        "initial_h": (1, batch, hidden),
    }
    if kind == "LSTM":
        shapes["initial_c"] = (1, batch, hidden)
    given = {name: rng.normal(scale=0.5, size=shape).astype(np.float32) for name, shape in shapes.items()}
    names = ["X", "W", "R", "B", "", *list(given)[4:]]
    attributes: dict[str, Any] = {"linear_before_reset": 1} if kind == "GRU" else {}
    node = helper.make_node(kind, names, ["Y", "Y_h"], hidden_size=hidden, **attributes)
    graph = helper.make_graph(
        [node],
        "one node",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("Y", "Y_h")],
    )
    expected = ReferenceEvaluator(helper.make_model(graph)).run(None, given)
    ours = run(node, given, way)
    for wanted, theirs in zip(("Y", "Y_h"), expected, strict=True):
        np.testing.assert_allclose(ours[wanted].detach().numpy(), theirs, rtol=0, atol=1e-6, err_msg=wanted)
