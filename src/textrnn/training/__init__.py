"""Training, in PyTorch."""

from textrnn.training.fit import Event, Fit, fit
from textrnn.training.loop import Step, train_epochs
from textrnn.training.pretraining import Base, pretrain
from textrnn.training.recipe import train
from textrnn.training.watched import Begun, Finished, Watched, WatchedText

__all__ = [
    "Base",
    "Begun",
    "Event",
    "Finished",
    "Fit",
    "Step",
    "Watched",
    "WatchedText",
    "fit",
    "pretrain",
    "train",
    "train_epochs",
]
