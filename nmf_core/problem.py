"""A factorization problem, prepared once per fit so that a solver's step pays for the unavoidable products alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Literal, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from nmf_core import kernels
from nmf_core.kernels import twins
from nmf_core.kernels.sparse import short_indices
from nmf_core.types import Array, is_sparse

T = TypeVar("T")
Survey = tuple[float, float, float, float]  # smallest, largest, sum, sum of squares

# Cells of one block of rows of WH: about 2 MB of float64, so that elementwise work stays in the cache.
BLOCK_CELLS = 1 << 18
# The largest entry of X must lie within these, or squares and quotients leave the range of the floating-point type.
_RANGE = {np.dtype(np.float64): (1e-140, 1e140), np.dtype(np.float32): (1e-15, 1e15)}


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Problem:
    """X ≈ WH with its loss, weights and penalties. Build one with :func:`prepare`.

    Attributes
    ----------
    X : ndarray or scipy.sparse.csr_array of shape (n_samples, n_features)
        C order or CSR; cells of dense X whose weight is 0 hold 0.
    Xt : scipy.sparse.csr_array of shape (n_features, n_samples) or None
        The transpose of sparse X in CSR, for products along columns.
    beta : float
        The loss is D_β (2 Frobenius, 1 Kullback–Leibler, 0 Itakura–Saito).
    weights : ndarray of X's shape and dtype, or None
        Non-negative weight of each cell of dense X; 0 means missing. None: all 1.
    unstored : bool
        X is sparse and a cell not stored is unknown, not zero.
    l1_W, l2_W, l1_H, l2_H : float
        Penalties in scikit-learn's scaling: ``l1_W * W.sum() + l2_W / 2 * (W ** 2).sum()`` and the same for H.
    update_H : bool
        False: H is given and only W is sought.
    total, squares, mean : float
        Σ wX, Σ wX² and the (weighted) mean over known cells.
    cells : float
        Number (sum of weights) of known cells.
    floor : float
        Smallest value of WH that is divided by or raised to a negative power.
    row_of : ndarray of int or None
        Row of each stored cell of sparse X.
    """

    X: Any
    Xt: Any
    beta: float
    weights: Array | None
    unstored: bool
    l1_W: float
    l2_W: float
    l1_H: float
    l2_H: float
    update_H: bool
    total: float
    squares: float
    mean: float
    cells: float
    floor: float
    row_of: Array | None = field(repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """(n_samples, n_features)."""
        return (int(self.X.shape[0]), int(self.X.shape[1]))

    @property
    def dtype(self) -> np.dtype:
        """float64 or float32; W and H are of the same."""
        return self.X.dtype

    @property
    def sparse(self) -> bool:
        """Whether X is CSR."""
        return self.Xt is not None

    @property
    def masked(self) -> bool:
        """Whether some cells are unknown or weighted."""
        return self.unstored or self.weights is not None

    @property
    def penalised(self) -> bool:
        """Whether any penalty is positive."""
        return max(self.l1_W, self.l2_W, self.l1_H, self.l2_H) > 0

    def times_Ht(self, H: Array) -> Array:
        """Return X Hᵀ of shape (n_samples, rank)."""
        return self.X @ H.T

    def Wt_times(self, W: Array) -> Array:
        """Return Wᵀ X of shape (rank, n_features)."""
        return (self.Xt @ W).T if self.sparse else W.T @ self.X

    def row_blocks(self) -> Iterator[slice]:
        """Cut the rows into blocks of about BLOCK_CELLS cells."""
        n, m = self.shape
        step = max(1, BLOCK_CELLS // m)
        return (slice(i, min(i + step, n)) for i in range(0, n, step))

    def stored_blocks(self, W: Array, H: Array) -> Iterator[tuple[slice, Array]]:
        """Yield the entries of WH at the stored cells of sparse X, in CSR order, some at a time: WH is never formed."""
        Ht = np.ascontiguousarray(H.T)
        step = max(1, BLOCK_CELLS // H.shape[0])
        for i in range(0, self.X.nnz, step):
            part = slice(i, i + step)
            yield part, np.einsum("ij,ij->i", W[self.row_of[part]], Ht[self.X.indices[part]])  # type: ignore[index]

    def product_at_stored(self, W: Array, H: Array) -> Array:
        """Return the entries of WH at all stored cells of sparse X, in CSR order."""
        out = np.empty(self.X.nnz, dtype=self.dtype)
        for part, values in self.stored_blocks(W, H):
            out[part] = values
        return out

    def like_X(self, data: Array) -> Any:
        """Return a CSR matrix with the pattern of sparse X and other values."""
        import scipy.sparse as sp

        return sp.csr_array((data, self.X.indices, self.X.indptr), shape=self.X.shape)


def once(function: Callable[[Problem], T]) -> Callable[[Problem], T]:
    """Keep what a function works out of a problem for as long as the problem lives."""
    kept: WeakKeyDictionary[Problem, T] = WeakKeyDictionary()

    @wraps(function)
    def recall(problem: Problem) -> T:
        if problem not in kept:
            kept[problem] = function(problem)
        return kept[problem]

    return recall


def prepare(
    X: Any,
    *,
    beta: float = 2.0,
    mask: Array | Literal["unstored"] | None = None,
    weights: Array | None = None,
    alpha_W: float = 0.0,
    alpha_H: float | Literal["same"] = "same",
    l1_ratio: float = 0.0,
    update_H: bool = True,
    floor: float | None = None,
) -> Problem:
    """Check X and work out all that every step needs.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Non-negative. NaN in dense X is a missing cell. float32 stays float32, anything else becomes float64.
    beta : float
    mask : ndarray of bool, ``"unstored"`` or None
        True where a cell of dense X is missing; ``"unstored"``: cells not stored in sparse X are unknown.
    weights : ndarray of X's shape, optional
        Non-negative weight per cell of dense X; combines with mask.
    alpha_W, alpha_H, l1_ratio : float
        Penalties as in scikit-learn (scaled by n_features and n_samples here).
    update_H : bool
    floor : float, optional
        Smallest value of WH that is divided by; left out, so small that it never matters in this floating-point type.

    Raises
    ------
    ValueError
        The sentence says what is wrong with X, mask or weights.
    """
    if is_sparse(X):
        if weights is not None or isinstance(mask, np.ndarray):
            raise ValueError(
                "mask: a sparse X takes mask='unstored' or None; give a dense X for weights or a mask array"
            )
        X = _sparse(X, unstored=mask == "unstored")
        found = survey(X.data)
    else:
        if isinstance(mask, str):
            raise ValueError("mask: 'unstored' is for sparse X; mark missing cells of a dense X with NaN")
        X, weights, found = _dense(X, mask, weights)
    n, m = X.shape
    low, high, total, squares = found
    known = X.nnz if is_sparse(X) else weights is None or weights.any()
    if np.isnan(total) or not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError("X: holds infinite or NaN values; remove them or mark them as missing")
    if low < 0:
        raise ValueError(f"X: negative values (smallest {low:.6g}); NMF needs X ≥ 0")
    unstored = is_sparse(X) and mask == "unstored"
    if not known and (weights is not None or unstored):
        raise ValueError("X: every cell is missing; there is nothing to fit")
    least, most = _RANGE[X.dtype]
    if high and not least <= high <= most:
        raise ValueError(
            f"X: its largest value {high:.3g} is outside {least:g} … {most:g}, where {X.dtype} squares stay exact; "
            "multiply X by a constant (W and H only change by that constant)"
        )
    has_zeros = (is_sparse(X) and not unstored and X.nnz < n * m) or bool(known and low == 0)
    if beta <= 0 and has_zeros:
        raise ValueError(
            "When beta_loss <= 0 and X contains zeros, the solver may diverge. "
            "Please add small values to X, or use a positive beta_loss."
        )
    if is_sparse(X) and not unstored and X.nnz == n * m and beta not in (1.0, 2.0):
        X = np.ascontiguousarray(X.toarray())  # nothing is gained from sparse storage, and a dense pass is quicker
    l_H = alpha_W if alpha_H == "same" else alpha_H
    cells = float(X.nnz) if unstored else float(n) * m
    if weights is not None:
        total, squares, cells = _weighted_sums(X, weights)
    mean = total / cells
    sparse = is_sparse(X)
    return Problem(
        X=X,
        Xt=X.T.tocsr() if sparse else None,
        beta=float(beta),
        weights=weights,
        unstored=unstored,
        l1_W=m * alpha_W * l1_ratio,
        l2_W=m * alpha_W * (1.0 - l1_ratio),
        l1_H=n * l_H * l1_ratio,
        l2_H=n * l_H * (1.0 - l1_ratio),
        update_H=update_H,
        total=total,
        squares=squares,
        mean=mean,
        cells=cells,
        floor=_floor(beta, mean, X.dtype) if floor is None else floor,
        row_of=row_of_stored(X) if sparse else None,
    )


def row_of_stored(X: Any) -> Array:
    """Return the row of each stored cell of a CSR matrix."""
    return np.repeat(np.arange(X.shape[0], dtype=np.int32), np.diff(X.indptr))


def _floor(beta: float, mean: float, dtype: np.dtype) -> float:
    """Return a value so far below X's mean that its power β − 2 just stays in range."""
    digits = 150.0 if dtype == np.float64 else 24.0
    return max(mean, 1e-300) * 10.0 ** (-digits / max(2.0 - beta, 1.0)) if mean else 1e-30


def _sparse(X: Any, *, unstored: bool) -> Any:
    import scipy.sparse as sp

    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"X: needs rows and columns, got shape {X.shape}")
    X = sp.csr_array(X)
    if X.dtype not in (np.float32, np.float64):
        X = X.astype(np.float64)
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    if not unstored and X.nnz and not X.data.all():
        X = X.copy()
        X.eliminate_zeros()
    if X.indices.dtype != np.int32 and max(X.nnz, *X.shape) < 2**31:  # what the kernels take, at half the memory
        X = short_indices(X)
    return X


def _dense(X: Any, mask: Array | None, weights: Array | None) -> tuple[Array, Array | None, Survey]:
    X = np.ascontiguousarray(X, dtype=X.dtype if getattr(X, "dtype", None) == np.float32 else np.float64)
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"X: needs rows and columns, got shape {X.shape}")
    found = survey(X)
    # The sum tells of any NaN at a fraction of the cost of looking for each.
    missing = np.isnan(X) if np.isnan(found[2]) else np.zeros((), dtype=bool)
    if mask is not None:
        mask = np.asarray(mask)
        if mask.shape != X.shape:
            raise ValueError(f"mask: shape {mask.shape} does not match X {X.shape}")
        missing = missing | mask.astype(bool)
    if weights is not None:
        weights = np.array(weights, dtype=X.dtype)
        if weights.shape != X.shape:
            raise ValueError(f"weights: shape {weights.shape} does not match X {X.shape}")
        if not np.isfinite(weights).all() or weights.min() < 0:
            raise ValueError("weights: must be finite and ≥ 0")
        weights[missing] = 0
        missing = weights == 0
    elif missing.any():
        weights = np.where(missing, X.dtype.type(0), X.dtype.type(1))
    if missing.any():
        X = np.where(missing, X.dtype.type(0), X)
    return X, weights, found if weights is None else survey(X[weights > 0])


def survey(values: Array) -> Survey:
    """Return the smallest and the largest of some numbers, their sum and that of their squares; all 0 for none."""
    if not values.size:
        return 0.0, 0.0, 0.0, 0.0
    return (kernels.get("survey", "survey", values.dtype) or twins.survey)(values.reshape(-1))


def _weighted_sums(X: Array, weights: Array) -> tuple[float, float, float]:
    """Return Σ wX, Σ wX², Σ w in double precision, without a second array as large as X."""
    step = max(1, BLOCK_CELLS // X.shape[1])
    total = squares = cells = 0.0
    for i in range(0, len(X), step):
        x, w = (part[i : i + step].astype(np.float64, copy=False) for part in (X, weights))
        total += float(np.vdot(w, x))
        squares += float(np.vdot(w * x, x))
        cells += float(w.sum())
    return total, squares, cells
