"""What each class's probability is multiplied by before the largest product decides, for the best macro-F1.

The most probable class makes the fewest mistakes, but macro-F1 counts a rare class as much as a frequent one, and where
it is rarely the most probable its recall is low. Weights for the classes, tuned on validation texts, move these borders
(Lipton, Elkan and Naryanaswamy 2014, "Optimal Thresholding of Classifiers to Maximize F1 Measure", show for single
classes where the best border lies: far below 1/2 where the best F1 is low).
"""

import numpy as np
from numpy.typing import NDArray

LOGARITHMS = np.round(np.arange(-3.0, 3.01, 0.1), 1)
"""Of the weights that are tried. A finer grid would follow the accidents of the validation texts."""
MOST_SWEEPS = 10


def weights_for_macro_f1(targets: NDArray[np.int64], probabilities: NDArray[np.float64]) -> list[float]:
    """Weights of the classes, by coordinate ascent over `LOGARITHMS`; of equal ones those nearest to 1.

    Args:
        targets: classes. [texts]
        probabilities: [texts, classes].
    """
    classes = probabilities.shape[1]
    found = np.zeros(classes)  # logarithms
    best = macro_f1(targets, probabilities.argmax(axis=1), classes)
    nearest = LOGARITHMS[np.argsort(np.abs(LOGARITHMS), kind="stable")]
    for _ in range(MOST_SWEEPS):
        before = best
        for k in range(classes):
            others = probabilities * np.exp(found)
            others[:, k] = -1.0
            rival = others.argmax(axis=1)
            height = others[np.arange(len(targets)), rival]
            for logarithm in nearest.tolist():
                # Of equal products the class with the lower number wins, as `argmax` has it.
                mine = probabilities[:, k] * np.exp(logarithm)
                predicted = np.where((mine > height) | ((mine == height) & (k < rival)), k, rival)
                value = macro_f1(targets, predicted, classes)
                if value > best + 1e-12:
                    best, found[k] = value, logarithm
        if best == before:
            break
    return [float(weight) for weight in np.exp(found)]


def macro_f1(targets: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> float:
    """The mean over all classes, as in scikit-learn with `zero_division=0`."""
    hits = np.bincount(targets[targets == predicted], minlength=classes)
    both = np.bincount(targets, minlength=classes) + np.bincount(predicted, minlength=classes)
    return float(np.mean(2 * hits / np.maximum(both, 1)))
