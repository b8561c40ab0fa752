"""What JavaScript makes of scores against what the tasks make of them."""

from typing import Any

import msgspec
import numpy as np
import pytest

from builders import header
from javascript import needs_node, run_javascript
from textrnn.labels import Label
from textrnn.tasks import AnyTask, LabelThreshold, MultiLabel, Ordinal, Regression, SingleLabel

pytestmark = needs_node

ANSWERS = """
const rule = TASKS[input.task.task];
answer(input.scores.map((scores) => {
  const answers = rule.answers(scores, input.task);
  return [answers, rule.decided(input.task, answers)];
}));
"""


def record(task: AnyTask) -> Any:
    """As a page has it."""
    return msgspec.to_builtins(msgspec.structs.replace(header(), task=task))["task"]


@pytest.mark.parametrize(
    ("task", "outputs", "labels"),
    [
        (SingleLabel(), 4, 4),
        (SingleLabel(threshold=LabelThreshold(label=2, value=0.3)), 4, 4),
        (SingleLabel(decisions="macro_f1", weights=[1.0, 3.0, 0.2, 7.5]), 4, 4),
        (SingleLabel(weights=[1.0, 3.0, 0.2, 7.5], threshold=LabelThreshold(label=1, value=0.6)), 4, 4),
        (MultiLabel(), 3, 3),
        (MultiLabel(thresholds=[0.1, 0.9, 0.5]), 3, 3),
        (Ordinal(), 4, 5),
        (Ordinal(order=["bad", "ok", "good"]), 2, 3),
        (Regression(mean=3.5, std=1.25), 1, 0),
        (Regression(), 1, 0),
    ],
)
def test_answers_and_decisions(task: AnyTask, outputs: int, labels: int) -> None:
    rng = np.random.default_rng(outputs)
    scores = np.concatenate([3 * rng.standard_normal((200, outputs)), 60 * rng.standard_normal((50, outputs))])
    scores[0] = 0  # all alike: the first of equals
    scores = scores.astype(np.float32)
    found = run_javascript(ANSWERS, task=record(task), scores=scores.astype(float).tolist())
    answers = task.answers(scores)
    np.testing.assert_allclose([row[0] for row in found], answers, rtol=1e-9, atol=1e-12)
    names: list[Label] = [str(k) for k in range(labels)]
    for (_, decided), prediction in zip(found, task.predictions(answers, names, 0.0), strict=True):
        if isinstance(task, Regression):
            assert decided == []
        elif isinstance(task, MultiLabel):
            assert [names[k] for k in decided] == prediction.labels
        else:
            assert [names[k] for k in decided] == [prediction.label]
