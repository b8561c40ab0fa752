"""Trained classifiers at work: NumPy only."""

from textrnn.runtime.classifier import Classifier, load
from textrnn.runtime.engines import ENGINES, Network, build_network
from textrnn.runtime.network import NumpyNetwork
from textrnn.runtime.stream import Stream
from textrnn.runtime.tables import COMPRESSIONS, Compression
from textrnn.tasks import Prediction, softmax

__all__ = [
    "COMPRESSIONS",
    "ENGINES",
    "Classifier",
    "Compression",
    "Network",
    "NumpyNetwork",
    "Prediction",
    "Stream",
    "build_network",
    "load",
    "softmax",
]
