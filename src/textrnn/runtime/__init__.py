"""Trained classifiers at work: NumPy only."""

from textrnn.runtime.classifier import Classifier, Prediction, load
from textrnn.runtime.network import Network, softmax

__all__ = ["Classifier", "Network", "Prediction", "load", "softmax"]
