"""Training, in PyTorch."""

from textrnn.training.fit import Event, Fit, fit
from textrnn.training.loop import Step, train_epochs
from textrnn.training.recipe import train

__all__ = ["Event", "Fit", "Step", "fit", "train", "train_epochs"]
