"""What the metrics of all tasks have in common."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.files import require

LESS_IS_BETTER = frozenset({"loss", "mae", "rmse", "hamming_loss"})


def better(metric: str, new: float, old: float) -> bool:
    """Whether `new` beats `old`: a lower loss or error, a higher value of any other metric."""
    return new < old if metric in LESS_IS_BETTER else new > old


def check_name(metric: str, known: tuple[str, ...]) -> None:
    """Raises ValueError for an unknown metric."""
    if metric not in known:
        raise ValueError(f"metric: expected one of {', '.join(known)}, got {metric!r}")


@contextmanager
def sklearn_metrics() -> Iterator[ModuleType]:
    """scikit-learn's metrics, without its warning that many classes look like a regression problem."""
    metrics = require("sklearn.metrics", extra="evaluate", purpose="an evaluation")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The number of unique classes", category=UserWarning)
        yield metrics


def correlation(kind: str, one: NDArray[Any], other: NDArray[Any]) -> float | None:
    """`pearson` or `spearman`; None where one side is constant, so that there is none."""
    stats = require("scipy.stats", extra="evaluate", purpose="an evaluation")
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    found = {"pearson": stats.pearsonr, "spearman": stats.spearmanr}[kind](one, other)
    return float(found.statistic)
