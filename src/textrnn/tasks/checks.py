"""Arrays are refused with a sentence before a figure is computed from them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def checked(targets: NDArray[Any], probabilities: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """targets [examples] and probabilities [examples, classes] in one integer and one float type.

    Raises:
        ValueError: they do not fit each other, are empty, or hold what is no class or no probability.
    """
    if targets.ndim != 1 or targets.dtype.kind not in "iu":
        raise ValueError(f"targets: expected integers [examples], got {targets.dtype} {list(targets.shape)}")
    if probabilities.ndim != 2 or probabilities.dtype.kind != "f":
        found = f"{probabilities.dtype} {list(probabilities.shape)}"
        raise ValueError(f"probabilities: expected floats [examples, classes], got {found}")
    examples, classes = probabilities.shape
    if len(targets) != examples:
        raise ValueError(f"targets: expected {examples} as there are rows of probabilities, got {len(targets)}")
    if examples == 0:
        raise ValueError("probabilities: expected at least one example, got none")
    if classes < 2:
        raise ValueError(f"probabilities: expected at least two classes, got {classes}")
    if targets.min() < 0 or targets.max() >= classes:
        outside = int(targets.min() if targets.min() < 0 else targets.max())
        raise ValueError(f"targets: expected class indices from 0 to {classes - 1}, got {outside}")
    if np.isnan(probabilities).any():
        raise ValueError(f"probabilities: row {int(np.isnan(probabilities).any(axis=1).argmax())} contains NaN")
    # float64 first: sums and logarithms then do not depend on the precision the model computes in.
    probabilities = probabilities.astype(np.float64)
    sums = probabilities.sum(axis=1)
    bad = (probabilities < 0).any(axis=1) | ~(np.abs(sums - 1) <= 1e-3)  # half precision strays this far
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(
            f"probabilities: expected rows of numbers from 0 to 1 that add up to 1, row {row} adds up to "
            f"{sums[row]:.6g} and has the least value {probabilities[row].min():.6g}"
        )
    return targets.astype(np.intp), probabilities
