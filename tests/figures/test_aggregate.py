"""Averages of blocks are the averages of their cells."""

import numpy as np
import pytest
import scipy.sparse as sp

from nmf_core.figures.aggregate import block_means, block_modes, block_sizes, block_starts, fit_cells, mean_rows


@pytest.mark.parametrize(("n", "limit"), [(1, 5), (7, 7), (10, 3), (1001, 500), (1_000_000, 500)])
def test_blocks_cover_everything_evenly(n, limit):
    starts = block_starts(n, limit)
    sizes = block_sizes(starts, n)
    assert starts[0] == 0
    assert len(starts) == min(n, limit)
    assert sizes.sum() == n
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize("form", ["dense", "float32", "sparse", "seen", "unstored"])
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize(("rows", "columns"), [(5, 4), (23, 4), (5, 17), (23, 17)])
def test_block_means(form, ordered, rows, columns):
    rng = np.random.default_rng(0)
    X = rng.random((23, 17)) * (rng.random((23, 17)) > 0.5)
    at_rows = rng.permutation(23) if ordered else None
    at_cols = rng.permutation(17) if ordered else None
    rs, cs = block_starts(23, rows), block_starts(17, columns)
    seen, given, counted = None, X, np.ones_like(X)
    if form == "float32":
        given = X.astype(np.float32)
    if form == "sparse":
        given = sp.csr_array(X)
    if form == "seen":
        counted = (rng.random(X.shape) > 0.4).astype(float)
        given, seen = X * counted, counted.astype(bool)
    if form == "unstored":
        given = sp.csr_array(X)
        counted = (X > 0).astype(float)
        seen = given.copy()
        seen.data = np.ones_like(seen.data)
    found = block_means(given, at_rows, rs, at_cols, cs, seen=seen)
    A, C = X * counted, counted
    if ordered:
        A, C = A[at_rows][:, at_cols], C[at_rows][:, at_cols]
    total = np.add.reduceat(np.add.reduceat(A, rs, axis=0), cs, axis=1)
    number = np.add.reduceat(np.add.reduceat(C, rs, axis=0), cs, axis=1)
    expected = np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("ordered", [False, True])
def test_mean_rows_and_the_average_of_a_product(ordered):
    rng = np.random.default_rng(1)
    W, H = rng.random((31, 3)), rng.random((3, 12))
    order = rng.permutation(31) if ordered else None
    rs, cs = block_starts(31, 7), block_starts(12, 5)
    product = mean_rows(W, order, rs) @ mean_rows(H.T, None, cs).T
    np.testing.assert_allclose(product, block_means(W @ H, order, rs, None, cs))


def test_modes_take_the_commonest_code():
    codes = np.array([2, 2, 0, 1, 1, 1, 0])
    np.testing.assert_array_equal(block_modes(codes, None, np.array([0, 3]), 3), [2, 1])
    np.testing.assert_array_equal(
        block_modes(codes, np.array([2, 6, 0, 1, 3, 4, 5]), np.array([0, 2, 4]), 3), [0, 2, 1]
    )
    np.testing.assert_array_equal(block_modes(codes, None, np.arange(7), 3), codes)


@pytest.mark.parametrize(
    ("n", "m"), [(10, 10), (38, 5000), (1797, 64), (256, 1024), (10**6, 20), (3000, 3000), (2, 10**6)]
)
def test_cells_drawn_stay_below_the_limit(n, m):
    rows, columns = fit_cells(n, m, 40_000)
    assert rows * columns <= 40_000
    assert 1 <= rows <= min(n, 500)
    assert 1 <= columns <= min(m, 500)
    if n <= 500 and m <= 500 and n * m <= 40_000:
        assert (rows, columns) == (n, m)
