"""What becomes of the scores that a network gives."""

import numpy as np
from numpy.typing import NDArray

from textrnn.errors import ModelFileError


def finite(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """The scores themselves, if they are numbers. [batch, classes]

    Raises:
        ModelFileError: they are not, because the states outgrew 32-bit numbers; cells without a bound can do that.
    """
    if not np.isfinite(logits).all():
        raise ModelFileError("expected finite scores, but the states of this network overflow on one of the texts")
    return logits
