"""Whether probabilities can be believed, and the one number that makes them so."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.evaluation.intervals import wilson
from textrnn.evaluation.results import Calibration, ReliabilityBin
from textrnn.files import require
from textrnn.tasks.checks import checked

BINS = 15
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 20.0


def calibrate(
    targets: NDArray[np.intp],
    probabilities: NDArray[np.float64],
    *,
    predicted: NDArray[np.intp] | None = None,
    bins: int = BINS,
    confidence: float = 0.95,
) -> Calibration:
    """The figures of targets [examples] and probabilities [examples, classes], which `checked` has seen.

    Source: C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, On calibration of modern neural networks, ICML 2017,
    arXiv:1706.04599: `bins` of equal width (low, high] over the probability of the predicted class. Bins of equally
    many examples: K. Nguyen, B. O'Connor, Posterior calibration and exploratory analysis for natural language
    processing models, EMNLP 2015, arXiv:1508.05154.
    """
    right, certainty = decisions(targets, probabilities, predicted)
    edges = np.linspace(0, 1, bins + 1)
    owner = np.clip(np.searchsorted(edges, certainty, side="left") - 1, 0, bins - 1)  # [examples]
    table: list[ReliabilityBin] = []
    for index in np.unique(owner).tolist():
        inside = owner == index
        table.append(
            ReliabilityBin(
                low=float(edges[index]),
                high=float(edges[index + 1]),
                examples=int(inside.sum()),
                confidence=float(certainty[inside].mean()),
                accuracy=wilson(int(right[inside].sum()), int(inside.sum()), confidence=confidence),
            )
        )
    gaps = [row.examples * abs(row.accuracy.value - row.confidence) for row in table]
    return Calibration(
        error=sum(gaps) / len(targets),
        adaptive_error=_adaptive_error(right, certainty, bins),
        brier=brier_score(targets, probabilities),
        bins=table,
    )


def decisions(
    targets: NDArray[np.intp], probabilities: NDArray[np.float64], predicted: NDArray[np.intp] | None
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether each predicted class is right, and its probability. predicted: None: the likeliest. [examples]"""
    predicted = probabilities.argmax(axis=1) if predicted is None else predicted
    return predicted == targets, probabilities[np.arange(len(targets)), predicted]


def brier_score(targets: NDArray[Any], probabilities: NDArray[Any]) -> float:
    """Mean squared distance of the probabilities [examples, classes] from the truth, targets [examples].

    Of the second of two classes, so from 0 to 1; summed over three and more, so from 0 to 2.

    Source: G. W. Brier, Verification of forecasts expressed in terms of probability, Monthly Weather Review 78 (1950).

    Raises:
        ValueError: the arrays do not fit each other, are empty, or hold what is no probability or no class.
    """
    targets, probabilities = checked(targets, probabilities)
    distance = probabilities.copy()
    distance[np.arange(len(targets)), targets] -= 1
    if probabilities.shape[1] == 2:
        distance = distance[:, 1:]
    return float(np.square(distance).sum(axis=1).mean())


def fit_temperature(logits: NDArray[Any], targets: NDArray[Any]) -> float:
    """The temperature T by which logits are divided for the least log loss of softmax(logits / T).

    It changes no prediction, since it keeps the order of a text's logits. The log loss is convex in 1 / T, so there is
    one least value; T is held between 0.05, where all predictions are right, and 20, where guessing does better.

    Source: Guo et al. 2017, see `calibrate`.

    Args:
        logits: [examples, classes], of examples that the model was not trained on.
        targets: class indices [examples].

    Raises:
        ValueError: the arrays do not fit each other, are empty, or hold what is no number or no class.
        MissingDependencyError: SciPy is not installed.
    """
    if logits.ndim != 2 or logits.dtype.kind != "f" or not np.isfinite(logits).all():
        found = f"{logits.dtype} {list(logits.shape)}"
        raise ValueError(f"logits: expected finite floats [examples, classes], got {found}")
    checked(targets, np.full(logits.shape, 1 / max(1, logits.shape[1])))
    optimize = require("scipy.optimize", extra="evaluate", purpose="calibrating")
    scores = logits.astype(np.float64)
    scores -= scores[np.arange(len(targets)), targets][:, np.newaxis]  # of the true class: 0

    def slope(sharpness: float) -> float:
        """Derivative of the log loss by 1 / T: the mean of the scores under the model's own probabilities."""
        scaled = sharpness * scores
        scaled -= scaled.max(axis=1, keepdims=True)
        weights = np.exp(scaled)
        weights /= weights.sum(axis=1, keepdims=True)
        return float((weights * scores).sum(axis=1).mean())

    blunt, sharp = 1 / HIGHEST_TEMPERATURE, 1 / LOWEST_TEMPERATURE
    if slope(blunt) >= 0:
        return HIGHEST_TEMPERATURE
    if slope(sharp) <= 0:
        return LOWEST_TEMPERATURE
    return float(1 / optimize.brentq(slope, blunt, sharp, xtol=1e-10))


def _adaptive_error(right: NDArray[np.bool_], certainty: NDArray[np.float64], bins: int) -> float:
    order = np.argsort(certainty, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    gaps = [len(part) * abs(float(right[part].mean()) - float(certainty[part].mean())) for part in parts]
    return sum(gaps) / len(order)
