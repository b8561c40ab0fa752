"""How far the figures of a finite test set can be trusted."""

import numpy as np
from numpy.typing import NDArray

from textrnn.evaluation.results import Estimate
from textrnn.files import require

CELLS_AT_ONCE = 2**21  # resampled counts held in memory: 16 MiB


def wilson(correct: int, examples: int, *, confidence: float) -> Estimate:
    """A share of `examples` with its score interval.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22
    (1927), as in `scipy.stats`. It stays inside 0 to 1 and has a width even at 0 and 1.
    """
    stats = require("scipy.stats", extra="evaluate", purpose="an evaluation")
    interval = stats.binomtest(correct, examples).proportion_ci(confidence_level=confidence, method="wilson")
    return Estimate(value=correct / examples, low=float(interval.low), high=float(interval.high))


def bootstrap_macro_f1(
    confusion: NDArray[np.int64], *, confidence: float, seed: int, resamples: int = 1000
) -> tuple[float, float]:
    """Percentile interval of macro F1 over resampled test sets. confusion: examples [true, predicted].

    Source: B. Efron, Bootstrap methods: another look at the jackknife, Annals of Statistics 7 (1979). Drawing
    examples with replacement is drawing the counts of the confusion matrix from a multinomial distribution,
    which costs the same for any number of examples.

    A class that occurs in the test set but not in a resample is left out of that resample's mean. Counting it
    as 0 would push the whole interval below the value where many classes have few examples.
    """
    classes = len(confusion)
    true, predicted = np.nonzero(confusion)  # [cells], sorted by true class
    counts = confusion[true, predicted]
    present = len(np.union1d(true, predicted))
    by_predicted = np.argsort(predicted, kind="stable")
    right = true == predicted
    generator = np.random.default_rng(seed)
    scores: list[NDArray[np.float64]] = []
    left, chunk = resamples, max(1, CELLS_AT_ONCE // len(counts))
    while left > 0:
        drawn = generator.multinomial(counts.sum(), counts / counts.sum(), size=min(chunk, left))  # [chunk, cells]
        hits = np.zeros((len(drawn), classes))
        hits[:, true[right]] = drawn[:, right]
        sums = _sums(drawn, true, classes) + _sums(drawn[:, by_predicted], predicted[by_predicted], classes)
        f1 = 2 * hits / np.maximum(sums, 1)  # 2 TP / (2 TP + FP + FN)
        scores.append(f1.sum(axis=1) / np.count_nonzero(sums, axis=1) * (present / classes))
        left -= len(drawn)
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(scores), [tail, 1 - tail])
    return float(low), float(high)


def _sums(drawn: NDArray[np.int64], owner: NDArray[np.intp], classes: int) -> NDArray[np.int64]:
    """Sums of the cells [chunk, cells] of each class, whose owners [cells] are sorted: [chunk, classes]."""
    owners, starts = np.unique(owner, return_index=True)
    sums = np.zeros((len(drawn), classes), dtype=np.int64)
    sums[:, owners] = np.add.reduceat(drawn, starts, axis=1)
    return sums
