"""Language models on text without labels, from which classifiers start."""

from textrnn.training.pretraining.recipe import Base, pretrain
from textrnn.training.pretraining.run import PretrainingEvent, PretrainingStep

__all__ = ["Base", "PretrainingEvent", "PretrainingStep", "pretrain"]
