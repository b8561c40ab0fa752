"""Which figures belong to which task."""

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from textrnn.evaluation.metrics import evaluate
from textrnn.evaluation.numbers import NumberEvaluation, evaluate_numbers
from textrnn.evaluation.results import Evaluation
from textrnn.evaluation.sets import SetEvaluation, evaluate_sets
from textrnn.labels import Label
from textrnn.tasks import MultiLabel, Ordinal, Regression, SingleLabel, Task

AnyEvaluation = Evaluation | SetEvaluation | NumberEvaluation


def evaluate_task(
    task: Task, targets: NDArray[Any], answers: NDArray[Any], labels: Sequence[Label], **details: Any
) -> AnyEvaluation:
    """All figures of a model's answers.

    Args:
        task: what is predicted.
        targets: of the examples; see `textrnn.data.LabelledTexts.targets`.
        answers: [examples, labels], or [examples, 1].
        labels: of the model.
        details: as `evaluate` has them: `texts`, `places`, `mistakes`, and what only makes sense of one label a text.

    Raises:
        ValueError: the arrays do not fit each other, are empty, or hold what is no answer.
        MissingDependencyError: scikit-learn or SciPy is not installed.
    """
    return EVALUATORS[type(task)](task, targets, answers, labels, details)


def _classes(task: Any, targets: Any, answers: Any, labels: Any, details: dict[str, Any]) -> Evaluation:
    return evaluate(targets, answers, labels, predicted=task.decided(answers), **details)


def _levels(task: Any, targets: Any, answers: Any, labels: Any, details: dict[str, Any]) -> Evaluation:
    return evaluate(targets, answers, labels, predicted=task.decided(answers), ordinal=True, **details)


def _sets(task: Any, targets: Any, answers: Any, labels: Any, details: dict[str, Any]) -> SetEvaluation:
    limits = task.limits(len(labels))
    return evaluate_sets(targets, answers, task.decided(answers), labels, limits, **_common(details))


def _numbers(task: Any, targets: Any, answers: Any, labels: Any, details: dict[str, Any]) -> NumberEvaluation:
    return evaluate_numbers(targets, answers, mean=task.mean, **_common(details))


def _common(details: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if name in ("texts", "places", "mistakes", "confidence")}


EVALUATORS: dict[type[Task], Callable[[Any, Any, Any, Any, dict[str, Any]], AnyEvaluation]] = {
    SingleLabel: _classes,
    MultiLabel: _sets,
    Ordinal: _levels,
    Regression: _numbers,
}
