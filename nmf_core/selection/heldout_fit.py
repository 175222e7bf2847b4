"""A factorization that has never seen some cells: the heart of cross-validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nmf_core import kernels
from nmf_core.types import Array, beta_of

CHECK_EVERY, PASSES = 10, 2
# How long to wait for compiled kernels that only need loading.
PATIENCE = 5.0


def masked_fit(
    X: Array,
    held: tuple[Array, Array],
    rank: int,
    *,
    seed: int | tuple[int, ...],
    loss: str | float = "frobenius",
    n_starts: int = 2,
    max_iter: int = 200,
    tol: float = 1e-4,
    penalties: Mapping[str, Any] | None = None,
) -> tuple[Array, Array, float]:
    """Factorize the cells of X that are not held out and return the best of a few random starts.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Non-negative; held-out cells may hold anything, NaN included. They are overwritten before anything is computed,
        so the result cannot depend on them.
    held : (rows, columns)
        Index arrays of the held-out (and the missing) cells.
    rank : int
    seed : int or tuple of int
    loss : str or float
    n_starts, max_iter, tol : see :class:`~nmf_core.types.FitRequest`
        `tol` is the relative fall of the training loss over ten iterations.
    penalties : mapping, optional
        ``alpha_W``, ``alpha_H``, ``l1_ratio`` of the model; the fits then go through the engine.

    Returns
    -------
    W : ndarray of shape (n_samples, rank)
    H : ndarray of shape (rank, n_features)
    loss : float
        RSS (Frobenius) or divergence over the cells that were used.

    Notes
    -----
    Frobenius: the held-out cells are filled with the model's own values before each half-step of HALS (a majorization;
    Srebro & Jaakkola 2003), so the loss on the other cells never rises. Kullback–Leibler: multiplicative updates with
    weights 0 and 1. Any other β goes through the engine with a mask.

    The engine's own solvers for missing cells come closer to the cells they see and worse to those they do not, where the
    data leaves a part open: iris at rank 2 has a held-out squared error of 45 with them and of 0.44 here, 300 × 100 cells
    at twice their rank of 5 one of 289 and of 0.14. They take 1.5 to 11 times as long.
    """
    beta = beta_of(loss)
    rows, cols = (np.ascontiguousarray(part, dtype=np.intp) for part in held)
    clean = np.array(X, dtype=np.float64, order="C")
    clean[rows, cols] = 0.0
    n_used = clean.size - rows.size
    mean = float(clean.sum() / max(n_used, 1))
    streams = np.random.SeedSequence(seed if isinstance(seed, int) else list(seed)).spawn(n_starts)
    best: tuple[Array, Array, float] | None = None
    for stream in streams:
        rng = np.random.default_rng(stream)
        W, H = _start(rng, clean.shape[0], clean.shape[1], rank, mean)
        if penalties:
            found = _fit_any(clean, rows, cols, W, H, loss, max_iter, penalties)
        elif beta == 2.0:
            found = _fit_frobenius(clean, rows, cols, W, H, max_iter, tol)
        elif beta == 1.0:
            found = _fit_kl(clean, rows, cols, W, H, max_iter, tol)
        else:
            found = _fit_any(clean, rows, cols, W, H, loss, max_iter, {})
        if best is None or found[2] < best[2]:
            best = found
    assert best is not None
    return best


def _start(rng: np.random.Generator, n: int, m: int, rank: int, mean: float) -> tuple[Array, Array]:
    """Draw uniform factors whose product has the mean of the data."""
    scale = 2.0 * np.sqrt(max(mean, 1e-300) / rank)
    return scale * rng.random((n, rank)), scale * rng.random((rank, m))


def _fit_frobenius(
    X: Array, rows: Array, cols: Array, W: Array, H: Array, max_iter: int, tol: float
) -> tuple[Array, Array, float]:
    Ht = np.ascontiguousarray(H.T)
    work = X.copy()
    compiled = kernels.get("heldout", "masked_hals", np.float64, PATIENCE)
    run = masked_hals if compiled is None else compiled
    rss, _ = run(work, rows, cols, W, Ht, max_iter, tol, PASSES)
    return W, np.ascontiguousarray(Ht.T), float(rss)


def _fit_kl(
    X: Array, rows: Array, cols: Array, W: Array, H: Array, max_iter: int, tol: float
) -> tuple[Array, Array, float]:
    keep = np.ones_like(X)
    keep[rows, cols] = 0.0
    floor = 1e-12 * max(float(X.mean()), 1e-300)
    compiled = kernels.get("heldout", "masked_kl", np.float64, PATIENCE)
    run = masked_kl if compiled is None else compiled
    loss, _ = run(X, keep, W, H, max_iter, tol, floor)
    return W, H, float(loss)


def _fit_any(
    X: Array, rows: Array, cols: Array, W: Array, H: Array, loss: Any, max_iter: int, penalties: Mapping[str, Any]
) -> tuple[Array, Array, float]:
    from nmf_core.fit import fit

    mask = np.zeros(X.shape, dtype=bool)
    mask[rows, cols] = True
    result = fit(
        X, rank=W.shape[1], loss=loss, init="custom", W=W, H=H, mask=mask, max_iter=max_iter, tol=1e-4, **penalties
    )
    return result.W, result.H, result.loss


def nonnegative_passes(product: Array, gram: Array, start: Array, count: int) -> Array:
    """Solve min_{F ≥ 0} ‖X − F H‖ by coordinate passes, given product = X Hᵀ and gram = H Hᵀ.

    Parameters
    ----------
    product, start : ndarray of shape (n, rank)
    gram : ndarray of shape (rank, rank)
    count : int
        Number of passes; stops early once nothing moves any more.
    """
    F = np.array(start, dtype=np.float64, order="C")
    product, gram = np.ascontiguousarray(product, np.float64), np.ascontiguousarray(gram, np.float64)
    compiled = kernels.get("heldout", "passes", np.float64, PATIENCE)
    run = passes if compiled is None else compiled
    scale = max(float(F.max(initial=0.0)), 1e-300)
    for _ in range(-(-count // 20)):
        before = F.copy()
        run(product, gram, F, 20)
        if np.abs(F - before).max(initial=0.0) <= 1e-12 * scale:
            break
    return F


def passes(P: Array, G: Array, F: Array, count: int) -> None:
    """NumPy twin of the compiled ``passes``: coordinate passes over the columns of F, in place."""
    for _ in range(count):
        for j in range(F.shape[1]):
            if G[j, j] > 1e-300:
                np.maximum(F[:, j] + (P[:, j] - F @ G[j]) / G[j, j], 0.0, out=F[:, j])


def masked_hals(
    X: Array, rows: Array, cols: Array, W: Array, Ht: Array, max_iter: int, tol: float, count: int
) -> tuple[float, int]:
    """NumPy twin of the compiled ``masked_hals``."""
    before, now, n_iter = -1.0, 0.0, 0
    for n_iter in range(1, max_iter + 1):
        X[rows, cols] = np.einsum("ij,ij->i", W[rows], Ht[cols])
        passes(X @ Ht, Ht.T @ Ht, W, count)
        X[rows, cols] = np.einsum("ij,ij->i", W[rows], Ht[cols])
        passes(X.T @ W, W.T @ W, Ht, count)
        if n_iter % CHECK_EVERY == 0 or n_iter == max_iter:
            residual = X - W @ Ht.T
            residual[rows, cols] = 0.0
            now = float((residual * residual).sum())
            if before >= 0 and before - now <= tol * before:
                break
            before = now
    return now, n_iter


def masked_kl(X: Array, keep: Array, W: Array, H: Array, max_iter: int, tol: float, floor: float) -> tuple[float, int]:
    """NumPy twin of the compiled ``masked_kl``."""
    before, now, n_iter = -1.0, 0.0, 0
    for n_iter in range(1, max_iter + 1):
        up, down = (keep * X / (W @ H + floor)) @ H.T, keep @ H.T
        W *= np.divide(up, down, out=np.ones_like(W), where=down > 1e-300)
        model = W @ H + floor
        if n_iter % CHECK_EVERY == 0 or n_iter == max_iter:
            logs = np.log(np.divide(X, model, out=np.ones_like(X), where=X > 0))
            now = float((keep * (X * logs + model - X)).sum())
        up, down = W.T @ (keep * X / model), W.T @ keep
        H *= np.divide(up, down, out=np.ones_like(H), where=down > 1e-300)
        if n_iter % CHECK_EVERY == 0 or n_iter == max_iter:
            if before >= 0 and before - now <= tol * before:
                break
            before = now
    return now, n_iter
