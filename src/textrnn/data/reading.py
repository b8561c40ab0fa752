"""From whatever holds labelled texts to a data set in memory, by a task's rule for labels."""

from collections.abc import Sequence
from typing import Any

from textrnn.data.dataset import LabelledTexts, collect
from textrnn.data.sources import as_examples
from textrnn.labels import Label
from textrnn.tasks import SINGLE_LABEL, Task


def read_labelled(
    data: Any, labels: Any = None, *, task: Task = SINGLE_LABEL, known: Sequence[Label] | None = None, **how: Any
) -> LabelledTexts:
    """All examples of some data.

    Args:
        data, labels, how: as `as_examples` takes them.
        task: what a label is.
        known: the labels of a model; see `collect`.

    Raises:
        DataError: as `as_examples` and `collect`.
    """
    return collect(as_examples(data, labels, read_label=task.read_label, **how), labels=known, task=task)
