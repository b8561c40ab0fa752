"""The network in PyTorch, made of parts."""

from textrnn.model.classifier import TextClassifier
from textrnn.model.encoders import ENCODERS, Encode, choose_backend
from textrnn.model.initialization import initialize
from textrnn.model.layers import Layer, run_layers
from textrnn.model.noise import SILENCE, Mask, Noise
from textrnn.model.pooling import POOLINGS
from textrnn.model.reader import Reader

__all__ = [
    "ENCODERS",
    "POOLINGS",
    "SILENCE",
    "Encode",
    "Layer",
    "Mask",
    "Noise",
    "Reader",
    "TextClassifier",
    "choose_backend",
    "initialize",
    "run_layers",
]
