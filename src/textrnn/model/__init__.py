"""The network in PyTorch, made of parts."""

from textrnn.model.classifier import Dropout, TextClassifier, no_dropout
from textrnn.model.initialization import initialize
from textrnn.model.pooling import POOLINGS

__all__ = ["POOLINGS", "Dropout", "TextClassifier", "initialize", "no_dropout"]
