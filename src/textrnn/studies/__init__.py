"""What several trainings tell about the data: suspicious labels, and what more texts would bring."""

from textrnn.studies.data_size import learning_curve
from textrnn.studies.label_noise import suspects

__all__ = ["learning_curve", "suspects"]
