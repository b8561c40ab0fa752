"""What remains wrong when the least certain texts are handed to a human."""

import numpy as np
from numpy.typing import NDArray

from textrnn.evaluation.calibration import decisions
from textrnn.evaluation.intervals import wilson
from textrnn.evaluation.results import Handover, LengthBucket, OutOfScope, Selection
from textrnn.files import require
from textrnn.labels import Label

SHARES = (0.05, 0.1, 0.2)
BUCKETS = 4


def select(
    targets: NDArray[np.intp],
    probabilities: NDArray[np.float64],
    *,
    predicted: NDArray[np.intp] | None = None,
    confidence: float = 0.95,
) -> Selection:
    """The figures of targets [examples] and probabilities [examples, classes], which `checked` has seen.

    Source: Y. Geifman, R. El-Yaniv, Selective classification for deep neural networks, NeurIPS 2017, arXiv:1705.08500.
    Certainty is the probability of the predicted class.

    Of equally certain examples all or none are handed over, as by a threshold; a share is never exceeded. In the area
    they count as if in random order.
    """
    right, certainty = decisions(targets, probabilities, predicted)
    wrong = ~right
    examples = len(targets)
    ascending = np.sort(certainty)
    handovers = []
    for share in SHARES:
        threshold = float(ascending[int(share * examples)])
        handed = certainty < threshold
        left = int(wrong[~handed].sum())
        kept = int((~handed).sum())
        handovers.append(
            Handover(
                threshold=threshold,
                examples=examples - kept,
                errors_found=int(wrong[handed].sum()),
                errors_left=left,
                accuracy=wilson(kept - left, kept, confidence=confidence),
            )
        )
    return Selection(area=_area(wrong, certainty), handovers=handovers)


def accuracy_by_length(
    right: NDArray[np.bool_], lengths: NDArray[np.integer], *, confidence: float = 0.95
) -> list[LengthBucket]:
    """Up to four buckets of about equally many examples; right, lengths in tokens: [examples].

    Equal lengths share a bucket, so a set of very equal texts has fewer.
    """
    limits = np.unique(np.quantile(lengths, np.arange(1, BUCKETS + 1) / BUCKETS, method="inverted_cdf"))
    owner = np.searchsorted(limits, lengths, side="left")  # the first limit that is not shorter
    return [
        LengthBucket(
            low=int(lengths[owner == index].min()),
            high=int(lengths[owner == index].max()),
            examples=int((owner == index).sum()),
            accuracy=wilson(int(right[owner == index].sum()), int((owner == index).sum()), confidence=confidence),
        )
        for index in range(len(limits))
    ]


def tell_apart(known: NDArray[np.float64], unknown: NDArray[np.float64], label: Label) -> OutOfScope:
    """Texts of known classes against texts of none, by the highest of the probabilities [examples, classes] of each.

    Source: D. Hendrycks, K. Gimpel, A baseline for detecting misclassified and out-of-distribution examples in neural
    networks, ICLR 2017, arXiv:1610.02136; the texts of known classes are the positive ones.
    """
    metrics = require("sklearn.metrics", extra="evaluate", purpose="an evaluation")
    inside, outside = known.max(axis=1), unknown.max(axis=1)
    positive = np.concatenate([np.ones(len(inside)), np.zeros(len(outside))])
    # The highest threshold that still accepts 95 % of the known: the largest value with that many at or above it.
    threshold = float(np.sort(inside)[::-1][int(np.ceil(0.95 * len(inside))) - 1])
    return OutOfScope(
        label=label,
        examples=len(outside),
        auroc=float(metrics.roc_auc_score(positive, np.concatenate([inside, outside]))),
        fpr_at_95_tpr=float((outside >= threshold).mean()),
        threshold=threshold,
    )


def _area(wrong: NDArray[np.bool_], certainty: NDArray[np.float64]) -> float:
    _, group, sizes = np.unique(-certainty, return_inverse=True, return_counts=True)  # the most certain first
    rates = np.bincount(group, weights=wrong) / sizes
    errors = np.cumsum(np.repeat(rates, sizes))  # expected among the most certain 1, 2, …
    return float((errors / np.arange(1, len(wrong) + 1)).mean())
