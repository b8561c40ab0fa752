"""tanh, sigmoid and exp of the kernels against NumPy in float64, over all that a float32 can be.

What was chosen: exp is meant for -87 to 88 and keeps its value at these ends beyond them, which is what the other two
need; sigmoid below -87 is no normal number any more; nan stays nan.
"""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from native_oracle import using
from textrnn.native import available_instruction_sets, library

kernels = library()
pytestmark = pytest.mark.skipif(kernels is None, reason="the native library was not built")

SETS = available_instruction_sets() if kernels else []
Array = NDArray[Any]


def sigmoid(x: Array) -> Array:
    """Without a quotient that overflows, or a difference that cancels."""
    e = np.exp(-np.abs(x))
    share: Array = np.where(x < 0, e, 1.0) / (1 + e)
    return share


FUNCTIONS: dict[str, tuple[int, Callable[[Array], Array], float, float]] = {
    "tanh": (0, np.tanh, -np.inf, np.inf),
    "sigmoid": (1, sigmoid, -np.inf, np.inf),
    "exp": (2, np.exp, -87, 88),
}
"""Number in the interface, the same in float64, and where it is meant to be right."""

ARGUMENTS = np.concatenate(
    [
        # Every exponent with 8,192 evenly spaced fractions, both signs: denormals and all finite numbers.
        np.arange(0, 0x7F80_0000, 1 << 10, dtype=np.uint32).view(np.float32),
        np.linspace(0, 100, 2_000_001, dtype=np.float32),
        np.linspace(0, 1, 500_001, dtype=np.float32),
        np.array([0, 1, 0x007F_FFFF, 0x0080_0000, 0x7F7F_FFFF], dtype=np.uint32).view(np.float32),
    ]
)
ARGUMENTS = np.concatenate([ARGUMENTS, -ARGUMENTS])


def activate(name: str, x: Array) -> Array:
    assert kernels is not None
    x = np.ascontiguousarray(x, dtype=np.float32)
    y = np.full(len(x) + 1, -7, dtype=np.float32)
    pointer = ctypes.POINTER(ctypes.c_float)
    kernels.textrnn_activate(FUNCTIONS[name][0], x.ctypes.data_as(pointer), y.ctypes.data_as(pointer), len(x))
    assert y[-1] == -7  # nothing behind the end is written
    return y[:-1]


@pytest.mark.parametrize("way", SETS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_relative_error(name: str, way: str) -> None:
    _, function, low, high = FUNCTIONS[name]
    x = ARGUMENTS[(low <= ARGUMENTS) & (high >= ARGUMENTS)]
    with np.errstate(over="ignore", under="ignore"):
        expected = function(x.astype(np.float64))
    with using(way):
        found = activate(name, x)
    normal = np.abs(expected) >= np.finfo(np.float32).smallest_normal
    error = np.abs(found[normal] / expected[normal] - 1)
    worst = int(error.argmax())
    print(f"{name} {way}: {error[worst]:.3g} at {x[normal][worst]!r}")  # noqa: T201
    assert error[worst] < 2e-7
    smallest = float(np.finfo(np.float32).smallest_normal)
    assert (np.abs(found[~normal] - expected[~normal]) <= smallest).all()
    assert (np.sign(found) * np.sign(expected) >= 0).all()


@pytest.mark.parametrize("way", SETS)
def test_ends(way: str) -> None:
    with using(way):
        for name, low, high in (("tanh", -1.0, 1.0), ("sigmoid", 0.0, 1.0)):
            found = activate(name, np.array([-np.inf, -1e30, 1e30, np.inf]))
            np.testing.assert_allclose(found, [low, low, high, high], rtol=0, atol=1e-37)
            assert activate(name, ARGUMENTS).max() <= high and activate(name, ARGUMENTS).min() >= low
        assert activate("tanh", np.array([0.0, -0.0])).tolist() == [0.0, 0.0]
        assert activate("sigmoid", np.array([0.0, -0.0])).tolist() == [0.5, 0.5]
        assert activate("exp", np.array([0.0, -0.0])).tolist() == [1.0, 1.0]
        ends = activate("exp", np.array([-np.inf, -1e9, -87.0, 88.0, 1e9, np.inf]))
        assert ends[0] == ends[1] == ends[2] and ends[3] == ends[4] == ends[5]


@pytest.mark.parametrize("way", SETS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_nan_stays_nan(name: str, way: str) -> None:
    """Else a training whose weights have become nan would go on as if nothing had happened."""
    x = np.zeros(37, dtype=np.float32)
    x[[0, 15, 36]] = np.nan
    with using(way):
        assert np.isnan(activate(name, x)).nonzero()[0].tolist() == [0, 15, 36]


@pytest.mark.parametrize("way", SETS)
def test_a_value_does_not_depend_on_its_place(way: str) -> None:
    x = np.linspace(-9, 9, 101, dtype=np.float32)
    with using(way):
        for name in FUNCTIONS:
            together = activate(name, x)
            for start in range(33):
                assert (activate(name, x[start:]) == together[start:]).all()
            assert [activate(name, x[i : i + 1])[0] for i in range(101)] == together.tolist()
            assert len(activate(name, x[:0])) == 0
