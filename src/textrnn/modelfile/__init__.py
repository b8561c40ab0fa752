"""One file holds a whole classifier: text rules, vocabulary, labels, settings, provenance and weights."""

from textrnn.modelfile.base import (
    BaseHeader,
    BaseProvenance,
    base_header,
    base_tensors,
    is_base,
    read_base,
    write_base,
)
from textrnn.modelfile.header import (
    FORMAT_VERSION,
    DataProvenance,
    Header,
    Provenance,
    TextsProvenance,
    VectorsProvenance,
    expected_tensors,
)
from textrnn.modelfile.read import Weights, read_model
from textrnn.modelfile.tensors import CELL_TENSORS, CellTensors, directions, member_prefixes, prefix
from textrnn.modelfile.write import to_bytes, write_model

__all__ = [
    "CELL_TENSORS",
    "FORMAT_VERSION",
    "BaseHeader",
    "BaseProvenance",
    "CellTensors",
    "DataProvenance",
    "Header",
    "Provenance",
    "TextsProvenance",
    "VectorsProvenance",
    "Weights",
    "base_header",
    "base_tensors",
    "directions",
    "expected_tensors",
    "is_base",
    "member_prefixes",
    "prefix",
    "read_base",
    "read_model",
    "to_bytes",
    "write_base",
    "write_model",
]
