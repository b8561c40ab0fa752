"""What can be predicted: one file a task, behind one interface. Never imports torch."""

from collections.abc import Callable

from textrnn.tasks.config import TaskConfig
from textrnn.tasks.metrics import better
from textrnn.tasks.multi_label import MultiLabel
from textrnn.tasks.ordinal import Ordinal
from textrnn.tasks.prediction import Prediction
from textrnn.tasks.regression import Regression
from textrnn.tasks.scores import sigmoid, softmax
from textrnn.tasks.single_label import LabelThreshold, SingleLabel
from textrnn.tasks.task import Problem, Task

AnyTask = SingleLabel | MultiLabel | Ordinal | Regression
"""What a model file can hold; the field `task` says which it is."""

SINGLE_LABEL = SingleLabel()


TASKS: dict[str, Callable[[TaskConfig], AnyTask]] = {
    "single_label": lambda config: SingleLabel(decisions=config.decisions),
    "multi_label": lambda config: MultiLabel(separator=config.label_separator),
    "ordinal": lambda config: Ordinal(order=config.levels),
    "regression": lambda config: Regression(),
}
"""Every task by its name in a configuration: its settings -> the task, before it has learned anything."""


def task_of(config: TaskConfig) -> AnyTask:
    """The task that is asked for."""
    return TASKS[config.task](config)


__all__ = [
    "SINGLE_LABEL",
    "TASKS",
    "AnyTask",
    "LabelThreshold",
    "MultiLabel",
    "Ordinal",
    "Prediction",
    "Problem",
    "Regression",
    "SingleLabel",
    "Task",
    "TaskConfig",
    "better",
    "sigmoid",
    "softmax",
    "task_of",
]
