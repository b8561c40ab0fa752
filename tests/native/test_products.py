"""Products of the kernels against NumPy in float64: strides, several factors, bias and row sums."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from native_oracle import using
from textrnn.native import available_instruction_sets, library
from textrnn.native.interface import FactorRecord, ProductRecord

kernels = library()
pytestmark = pytest.mark.skipif(kernels is None, reason="the native library was not built")

SETS = available_instruction_sets() if kernels else []
Floats = NDArray[np.float32]
SIZES = st.one_of(st.integers(1, 300), st.sampled_from((1, 2, 6, 15, 16, 17, 64, 95, 96, 97, 192, 193, 255, 256, 257)))
LAYOUTS = st.sampled_from(("rows", "columns", "wide rows", "wide columns", "every third"))


def laid_out(matrix: Floats, layout: str) -> Floats:
    """The same numbers at other places in memory; what lies between is nan."""
    rows, columns = matrix.shape
    wide = {
        "rows": np.empty((rows, columns), np.float32),
        "columns": np.empty((columns, rows), np.float32).T,
        "wide rows": np.full((rows, columns + 5), np.nan, np.float32)[:, 2:-3],
        "wide columns": np.full((columns, rows + 5), np.nan, np.float32)[:, 2:-3].T,
        "every third": np.full((rows * 2, columns * 3), np.nan, np.float32)[1::2, 2::3],
    }[layout]
    wide[:] = matrix
    return wide


class Product(NamedTuple):
    factors: list[tuple[Floats, Floats]]
    bias: Floats | None
    with_sums: bool
    gap: int
    """Columns between the rows of the result."""


@st.composite
def products(draw: st.DrawFn) -> Product:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m, n = draw(SIZES), draw(SIZES)
    factors = []
    for _ in range(draw(st.integers(1, 3))):
        k = draw(st.one_of(SIZES, st.sampled_from((0, 513))))
        pair = rng.standard_normal((m, k)), rng.standard_normal((k, n))
        a, b = (laid_out(some.astype(np.float32), draw(LAYOUTS)) for some in pair)
        factors.append((a, b))
    bias = rng.standard_normal(n).astype(np.float32) if draw(st.booleans()) else None
    return Product(factors, bias, draw(st.booleans()), draw(st.sampled_from((0, 0, 3))))


def compute(some: list[Product], threads: int) -> list[tuple[Floats, Floats | None]]:
    """All in one call; what must not be written is checked."""
    assert kernels is not None
    records = (ProductRecord * len(some))()
    held: list[Any] = []
    results: list[tuple[Floats, Floats | None]] = []
    for record, wanted in zip(records, some, strict=True):
        (m, _), (_, n) = (matrix.shape for matrix in wanted.factors[0])
        factors = (FactorRecord * len(wanted.factors))()
        for factor, (a, b) in zip(factors, wanted.factors, strict=True):
            factor.a, factor.b, factor.k = a.ctypes.data, b.ctypes.data, a.shape[1]
            factor.a_row, factor.a_column = (stride // 4 for stride in a.strides)
            factor.b_row, factor.b_column = (stride // 4 for stride in b.strides)
        c = np.full((m, n + wanted.gap), -7, np.float32)
        sums = np.full(m + 1, -7, np.float32)
        record.factor, record.factors, record.m, record.n, record.c_row = factors, len(factors), m, n, n + wanted.gap
        record.c = c.ctypes.data
        record.bias = None if wanted.bias is None else wanted.bias.ctypes.data
        record.row_sums = sums.ctypes.data if wanted.with_sums else None
        held += [factors, c, sums]
        results.append((c[:, :n], sums[:-1] if wanted.with_sums else None))
    assert kernels.textrnn_products(records, len(some), threads) == 0
    for wanted, c, sums in zip(some, held[1::3], held[2::3], strict=True):
        n = wanted.factors[0][1].shape[1]
        assert (c[:, n:] == -7).all() and sums[-1] == -7
    return results


@pytest.mark.parametrize("way", SETS)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(some=st.lists(products(), min_size=1, max_size=3))
def test_products(way: str, some: list[Product]) -> None:
    with using(way):
        results = compute(some, threads=2)
        alone = compute(some[-1:], threads=1)[0]
    for wanted, (c, sums) in zip(some, results, strict=True):
        double = [(a.astype(np.float64), b.astype(np.float64)) for a, b in wanted.factors]
        expected = sum(a @ b for a, b in double) + (0 if wanted.bias is None else wanted.bias.astype(np.float64))
        terms = sum(a.shape[1] for a, _ in double) + 1
        # Rounding errors add up like a walk at random; three times its expected length, and once the sum of its ends.
        bound = 3 * np.finfo(np.float32).eps * max(terms, 9)
        assert np.abs(c - expected).max() <= bound
        if sums is not None:
            assert np.abs(sums - double[0][0].sum(axis=1)).max() <= bound
    assert np.array_equal(results[-1][0], alone[0])
    if results[-1][1] is not None and alone[1] is not None:
        assert np.array_equal(results[-1][1], alone[1])


@pytest.mark.parametrize("way", SETS)
@pytest.mark.parametrize("columns", [16, 48, 208])
def test_few_rows_have_the_bits_that_they_have_among_many(way: str, columns: int) -> None:
    """Up to four are multiplied by other loops."""
    rng = np.random.default_rng(columns)
    a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((20, 300), (300, columns)))
    bias = rng.standard_normal(columns).astype(np.float32)
    for factors in ([(a, b)], [(a, b), (a[:, 7:9], b[3:5])]):
        with using(way):
            whole = compute([Product(factors, bias, False, 0)], threads=1)[0][0]
            for rows in range(1, 7):
                few = [(left[5 : 5 + rows], right) for left, right in factors]
                assert np.array_equal(compute([Product(few, bias, False, 3)], threads=1)[0][0], whole[5 : 5 + rows])
