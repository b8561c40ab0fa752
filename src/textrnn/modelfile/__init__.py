"""One file holds a whole classifier: text rules, vocabulary, labels, settings, provenance and weights."""

from textrnn.modelfile.header import FORMAT_VERSION, DataProvenance, Header, Provenance, expected_tensors
from textrnn.modelfile.read import Weights, read_model
from textrnn.modelfile.write import to_bytes, write_model

__all__ = [
    "FORMAT_VERSION",
    "DataProvenance",
    "Header",
    "Provenance",
    "Weights",
    "expected_tensors",
    "read_model",
    "to_bytes",
    "write_model",
]
