"""Training, in PyTorch."""

from textrnn.training.fit import Event, Fit, fit
from textrnn.training.loop import Step, train_epochs
from textrnn.training.pretraining import Base, pretrain
from textrnn.training.recipe import train

__all__ = ["Base", "Event", "Fit", "Step", "fit", "pretrain", "train", "train_epochs"]
