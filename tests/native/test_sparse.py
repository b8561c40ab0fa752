"""Products of sparse matrices with few columns, against SciPy in 64-bit floats."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array, random_array

from textrnn.native import library, sparse
from textrnn.native.sparse import sparse_product

RNG = np.random.default_rng(3)


def matrix_of(rows: int, columns: int, density: float) -> csr_array:
    found = random_array((rows, columns), density=density, format="csr", rng=RNG, data_sampler=RNG.standard_normal)
    found = csr_array(found, dtype=np.float32)
    found.indices, found.indptr = found.indices.astype(np.int32), found.indptr.astype(np.int32)
    return found


@pytest.fixture(params=["native", "scipy"])
def route(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "scipy":
        monkeypatch.setattr(sparse, "library", lambda: None)
    elif library() is None:
        pytest.skip("the native kernels are not built")


@pytest.mark.usefixtures("route")
@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("width", [*range(1, 9), 12, 15, 16, 17, 21, 35])
def test_a_product_is_that_of_scipy(width: int, squared: bool) -> None:
    matrix = matrix_of(211, 97, 0.2)
    dense = RNG.standard_normal((97, width)).astype(np.float32)
    expected = (matrix.astype(np.float64).power(2 if squared else 1)) @ dense.astype(np.float64)
    np.testing.assert_allclose(sparse_product(matrix, dense, squared=squared), expected, atol=2e-5)


@pytest.mark.usefixtures("route")
@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (1, 1), (70, 3)])
def test_empty_rows_and_matrices(shape: tuple[int, int]) -> None:
    matrix = matrix_of(*shape, 0.1)
    dense = RNG.standard_normal((shape[1], 6)).astype(np.float32)
    np.testing.assert_allclose(sparse_product(matrix, dense), matrix @ dense, atol=1e-6)


def test_the_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = matrix_of(1000, 300, 0.1)
    dense = RNG.standard_normal((300, 7)).astype(np.float32)
    found: list[NDArray[np.float32]] = []
    for threads in (1, 2, 3, 7):
        monkeypatch.setattr(sparse, "available_threads", lambda threads=threads: threads)
        found.append(sparse_product(matrix, dense))
    assert all((some == found[0]).all() for some in found)


def test_views_and_long_indices_are_read_rightly() -> None:
    matrix = matrix_of(50, 40, 0.3)
    wide = RNG.standard_normal((40, 10)).astype(np.float32)
    expected = matrix @ wide[:, ::2]
    np.testing.assert_allclose(sparse_product(matrix, wide[:, ::2]), expected, atol=1e-5)
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    np.testing.assert_allclose(sparse_product(matrix, wide[:, ::2]), expected, atol=1e-5)


def test_sizes_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="a matrix of 4 columns cannot be multiplied with"):
        sparse_product(matrix_of(3, 4, 0.5), np.zeros((5, 2), dtype=np.float32))
