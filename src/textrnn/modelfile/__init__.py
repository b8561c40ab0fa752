"""One file holds a whole classifier: text rules, vocabulary, labels, settings, provenance and weights."""

from textrnn.modelfile.header import (
    FORMAT_VERSION,
    DataProvenance,
    Header,
    Provenance,
    VectorsProvenance,
    expected_tensors,
)
from textrnn.modelfile.read import Weights, read_model
from textrnn.modelfile.tensors import CELL_TENSORS, CellTensors, directions, member_prefixes, prefix
from textrnn.modelfile.write import to_bytes, write_model

__all__ = [
    "CELL_TENSORS",
    "FORMAT_VERSION",
    "CellTensors",
    "DataProvenance",
    "Header",
    "Provenance",
    "VectorsProvenance",
    "Weights",
    "directions",
    "expected_tensors",
    "member_prefixes",
    "prefix",
    "read_model",
    "to_bytes",
    "write_model",
]
