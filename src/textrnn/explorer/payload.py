"""A classifier as the page takes it: a record for JSON, and all tensors in one row of bytes."""

import base64
from typing import Any, NamedTuple

import msgspec
import numpy as np

from textrnn.modelfile import expected_tensors
from textrnn.modelfile.header import expected_type
from textrnn.runtime import Classifier


class Payload(NamedTuple):
    """What a browser needs to compute as `classifier` does."""

    record: dict[str, Any]
    """`header` without what is known of the training, `tensors` as [name, first byte, numbers], `bytes`."""
    weights: bytes
    """Numbers of 32 bits, little-endian."""

    def in_page(self) -> dict[str, Any]:
        """The record with the weights in it, as base64."""
        return {**self.record, "base64": base64.b64encode(self.weights).decode("ascii")}

    def at(self, path: str) -> dict[str, Any]:
        """The record with the path at which the weights are served."""
        return {**self.record, "path": path}


def payload(classifier: Classifier, name: str) -> Payload:
    """`name`: what the page calls it."""
    header = msgspec.structs.replace(classifier.header, provenance=None)
    tensors: list[tuple[str, int, int]] = []
    parts: list[bytes] = []
    begin = 0
    for tensor in expected_tensors(header):
        array = np.ascontiguousarray(classifier.weights[tensor], dtype=expected_type(tensor))
        tensors.append((tensor, begin, array.size))
        parts.append(array.tobytes())
        begin += array.nbytes
    record = {"name": name, "header": msgspec.to_builtins(header), "tensors": tensors, "bytes": begin}
    return Payload(record, b"".join(parts))
