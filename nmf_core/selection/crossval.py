"""Held-out error: how well does a rank predict cells it has not seen?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nmf_core.selection.heldout_fit import masked_fit, nonnegative_passes
from nmf_core.types import Array, beta_of, is_sparse


def speckles(known: Array, n_folds: int, share: float, seed: int) -> list[tuple[Array, Array]]:
    """Draw disjoint random sets of cells to hold out (Wold 1978).

    Parameters
    ----------
    known : ndarray of bool of shape (n_samples, n_features)
        False where a cell is missing anyway.
    n_folds : int
        With ``n_folds * share >= 1`` every known cell is held out exactly once.
    share : float
        Share of the known cells in one set.
    seed : int

    Returns
    -------
    list of (rows, columns)
        A cell that is the last known one of its row or column *within a set* stays in the fit, since nothing could
        predict it.
    """
    rng = np.random.default_rng([seed, 7])
    rows, cols = np.nonzero(known)
    order = rng.permutation(len(rows))
    size = max(1, round(share * len(rows)))
    in_row, in_col = known.sum(axis=1), known.sum(axis=0)
    folds = []
    for i in range(n_folds):
        part = order[i * size : len(order) if (i + 1) * share >= 1 - 1e-9 else (i + 1) * size]
        r, c = rows[part], cols[part]
        lost_row = np.bincount(r, minlength=known.shape[0]) >= in_row
        lost_col = np.bincount(c, minlength=known.shape[1]) >= in_col
        keep = ~(lost_row[r] | lost_col[c])
        if keep.any():
            folds.append((r[keep], c[keep]))
    return folds


def mean_loss(actual: Array, predicted: Array, loss: str | float = "frobenius") -> float:
    """Mean loss per cell: the squared error for Frobenius, else the β-divergence (Févotte & Idier 2011, eq. 2)."""
    beta = beta_of(loss)
    x, y = np.asarray(actual, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if beta == 2.0:
        return float(np.mean((x - y) ** 2))
    # A zero predicted where something is makes KL infinite: bound it, as the engine bounds its quotients.
    y = np.maximum(y, 1e-6 * max(float(x.mean()), 1e-300))
    if beta == 1.0:
        logs = np.log(np.divide(x, y, out=np.ones_like(x), where=x > 0))
        return float(np.mean(x * logs - x + y))
    if beta == 0.0:
        quotient = np.maximum(x, 1e-6 * max(float(x.mean()), 1e-300)) / y
        return float(np.mean(quotient - np.log(quotient) - 1.0))
    if beta < 1.0:
        x = np.maximum(x, 1e-6 * max(float(x.mean()), 1e-300))
    value = (x**beta + (beta - 1) * y**beta - beta * x * y ** (beta - 1)) / (beta * (beta - 1))
    return float(np.mean(value))


def speckled_prediction(
    X: Array,
    test: tuple[Array, Array],
    rank: int,
    *,
    seed: int | tuple[int, ...],
    missing: tuple[Array, Array] | None = None,
    loss: str | float = "frobenius",
    n_starts: int = 2,
    max_iter: int = 200,
    tol: float = 1e-4,
    penalties: Mapping[str, Any] | None = None,
) -> tuple[Array, Array]:
    """Fit without the test cells and return their values and their predictions.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    test : (rows, columns)
    missing : (rows, columns), optional
        Cells without a value: neither fitted nor tested.
    seed, loss, n_starts, max_iter, tol : see :func:`~nmf_core.selection.heldout_fit.masked_fit`
    """
    rows, cols = test
    held = test if missing is None else (np.concatenate([rows, missing[0]]), np.concatenate([cols, missing[1]]))
    W, H, _ = masked_fit(
        X, held, rank, seed=seed, loss=loss, n_starts=n_starts, max_iter=max_iter, tol=tol, penalties=penalties
    )
    return X[rows, cols], np.einsum("ij,ij->i", W[rows], H.T[cols])


def speckled_error(
    X: Array, test: tuple[Array, Array], rank: int, *, loss: str | float = "frobenius", **effort: Any
) -> float:
    """Fit without the test cells and return the mean loss on them alone; see :func:`speckled_prediction`."""
    return mean_loss(*speckled_prediction(X, test, rank, loss=loss, **effort), loss)


def stored_prediction(
    X: Any,
    test: Array,
    rank: int,
    *,
    seed: int,
    loss: str | float = "frobenius",
    n_starts: int = 1,
    max_iter: int = 100,
    tol: float = 1e-4,
    penalties: Mapping[str, Any] | None = None,
) -> tuple[Array, Array]:
    """Predict stored cells of sparse X whose cells that are not stored are unknown (ratings).

    Predictions are kept within the range of the known values, as rating systems do: who has rated one film can be fitted
    exactly by a weight that predicts any number for the others.

    Parameters
    ----------
    X : csr_array of shape (n_samples, n_features)
    test : ndarray of int
        Positions in ``X.data`` to hold out; they are removed from the matrix before the fit.

    Returns
    -------
    actual, predicted : ndarray of shape (n_test,)
    """
    import scipy.sparse as sp

    from nmf_core.fit import fit

    coo = X.tocoo()
    rows, cols = coo.row, coo.col
    keep = np.ones(len(coo.data), dtype=bool)
    keep[test] = False
    train = sp.csr_array((coo.data[keep], (rows[keep], cols[keep])), shape=X.shape)
    result = fit(
        train, rank=rank, loss=loss, init="random", seed=seed, n_restarts=n_starts, max_iter=max_iter, tol=tol,
        mask="unstored", **(penalties or {}),
    )  # fmt: skip
    predicted = np.einsum("ij,ij->i", result.W[rows[test]], result.H.T[cols[test]])
    most = train.data.max(initial=0.0)
    return coo.data[test], np.clip(predicted, train.data.min(initial=most), most)


def blocks(n_samples: int, n_features: int, n_folds: int, seed: int) -> list[tuple[Array, Array]]:
    """Cut rows and columns into `n_folds` random parts each and return all pairs (held-out rows, held-out columns)."""
    rng = np.random.default_rng([seed, 11])
    rows = np.array_split(rng.permutation(n_samples), n_folds)
    cols = np.array_split(rng.permutation(n_features), n_folds)
    return [(np.sort(r), np.sort(c)) for r in rows for c in cols]


def bicross_error(
    X: Any,
    rows: Array,
    cols: Array,
    rank: int,
    *,
    seed: int,
    loss: str | float = "frobenius",
    n_starts: int = 2,
    max_iter: int = 200,
    tol: float = 1e-4,
    penalties: Mapping[str, Any] | None = None,
) -> float:
    """Bi-cross-validation (Owen & Perry 2009): predict block A of X = [A B; C D] from a factorization of D alone.

    Parameters
    ----------
    X : ndarray or csr_array of shape (n_samples, n_features)
        Complete.
    rows, cols : ndarray of int
        The rows and columns of A.
    rank : int
        At most min(D.shape).

    Returns
    -------
    float
        Mean squared error over A. The regressions of B on H_D and of C on W_D are non-negative least squares.
    """
    from nmf_core.fit import fit

    other_rows = np.setdiff1d(np.arange(X.shape[0]), rows)
    other_cols = np.setdiff1d(np.arange(X.shape[1]), cols)
    D = X[other_rows][:, other_cols]
    if is_sparse(X):
        result = fit(
            D, rank=rank, loss=loss, init="random", seed=seed, n_restarts=n_starts, max_iter=max_iter, tol=tol,
            **(penalties or {}),
        )  # fmt: skip
        W_D, H_D = result.W, result.H
    else:
        none = np.zeros(0, dtype=np.intp)
        W_D, H_D, _ = masked_fit(
            D,
            (none, none),
            rank,
            seed=seed,
            loss=loss,
            n_starts=n_starts,
            max_iter=max_iter,
            tol=tol,
            penalties=penalties,
        )
    B, C = X[rows][:, other_cols], X[other_rows][:, cols]
    predicted = regressed(B, H_D) @ regressed(C.T, W_D.T).T
    A = X[rows][:, cols]
    return float(np.mean(((A.toarray() if is_sparse(A) else A) - predicted) ** 2))


def regressed(X: Any, H: Array, count: int = 200) -> Array:
    """Return the non-negative W of min ‖X − W H‖_F for given H, of shape (n_samples, rank)."""
    product = np.asarray(X @ H.T, dtype=np.float64)
    gram = np.asarray(H @ H.T, dtype=np.float64)
    start = np.maximum(product, 0.0) / max(float(np.trace(gram)), 1e-300)
    return nonnegative_passes(product, gram, start, count)


def bicross_svd_error(X: Array, rows: Array, cols: Array, rank: int) -> float:
    """Bi-cross-validation of the truncated SVD, Â = B D⁺_k C: what an unconstrained factorization would reach."""
    other_rows = np.setdiff1d(np.arange(X.shape[0]), rows)
    other_cols = np.setdiff1d(np.arange(X.shape[1]), cols)
    U, s, Vt = np.linalg.svd(X[np.ix_(other_rows, other_cols)], full_matrices=False)
    keep = min(rank, int((s > 1e-12 * s[0]).sum()))
    B, C = X[np.ix_(rows, other_cols)], X[np.ix_(other_rows, cols)]
    predicted = (B @ Vt[:keep].T / s[:keep]) @ (U[:, :keep].T @ C)
    return float(np.mean((X[np.ix_(rows, cols)] - predicted) ** 2))
