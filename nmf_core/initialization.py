"""Where a fit starts: random, NNDSVD and its kin, k-means, or factors given by the caller.

For restart 0 the values are those of scikit-learn for ``random_state=seed``: ``random`` draws the same numbers from the
same stream; the NNDSVD family differs only by the accuracy of the singular vectors, which here are exact wherever that
is cheap. The start of restart i > 0 is drawn from a stream of its own; `nndsvd`, `nndsvda` and `custom` have nothing
to draw, so their further restarts are random. Where a solver begins on a sample of a large X, they are drawn for the sample.

Missing cells are taken, for the start alone, as row mean × column mean / mean of the known cells.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import numpy as np

from nmf_core.leading import filled, leading_triplets
from nmf_core.problem import Problem
from nmf_core.types import Array

DRAW_NOTHING = ("nndsvd", "nndsvda", "custom")
# NNDSVD treats smaller entries as zero (scikit-learn's eps).
_TINY = 1e-6


def stream(seed: int, restart: int) -> np.random.RandomState:
    """Return the generator of one restart; restart 0 is scikit-learn's ``RandomState(seed)``."""
    if restart == 0:
        return np.random.RandomState(seed)
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed, spawn_key=(restart,))))


_kept = threading.local()


def _again(seed: int) -> np.random.RandomState:
    """Return ``RandomState(seed)`` for use at once: one generator per thread, as making one takes longer than a small start."""
    if not hasattr(_kept, "generator"):
        _kept.generator = np.random.RandomState(seed)
    _kept.generator.seed(seed)
    return _kept.generator


@dataclass(frozen=True, eq=False)
class Start:
    """A start that is not drawn before it is known of which lines of X; fields as in :func:`initialize`, and:

    Attributes
    ----------
    turn : int
        Which sample of X goes with it.
    """

    rank: int
    init: str
    seed: int = 0
    restart: int = 0
    W: Array | None = None
    H: Array | None = None
    keeps_zeros: bool = False
    turn: int = 0

    def of(self, problem: Problem) -> tuple[Array, Array]:
        """Return W and H."""
        fields = {"seed": self.seed, "restart": self.restart, "W": self.W, "H": self.H, "keeps_zeros": self.keeps_zeros}
        return initialize(problem, self.rank, self.init, **fields)  # type: ignore[arg-type]

    def drawn(self, problem: Problem) -> Start:
        """Return the same start, drawn now."""
        W, H = self.of(problem)
        return replace(self, init="custom", restart=0, W=W, H=H)

    def some(self, lines: Array, wide: bool) -> Start:
        """Return the start of some rows of X, or of some columns if wide."""
        if self.W is None or self.H is None:
            return self
        return replace(self, H=np.asarray(self.H)[:, lines]) if wide else replace(self, W=np.asarray(self.W)[lines])


def initialize(
    problem: Problem,
    rank: int,
    init: str,
    *,
    seed: int = 0,
    restart: int = 0,
    W: Array | None = None,
    H: Array | None = None,
    keeps_zeros: bool = False,
) -> tuple[Array, Array]:
    """Return W and H to start from.

    Parameters
    ----------
    problem : Problem
    rank : int
    init : {"random", "nndsvd", "nndsvda", "nndsvdar", "kmeans", "custom"}
    seed, restart : int
    W, H : ndarray, optional
        For ``"custom"``, and H whenever only W is sought.
    keeps_zeros : bool
        The solver cannot leave 0: when only W is sought it starts at a constant instead.

    Returns
    -------
    W, H : ndarray of shape (n_samples, rank), (rank, n_features)
        Of X's dtype, C order.

    Raises
    ------
    ValueError
        If the rank is too large for this start, or given factors do not fit.
    """
    n, m = problem.shape
    if not problem.update_H:
        if H is None:
            raise ValueError("H: give the components when only W is sought")
        H = _checked(H, (rank, m), "H", problem)
        level = np.sqrt(max(problem.mean, 0.0) / rank) if keeps_zeros else 0.0
        return np.full((n, rank), level, dtype=problem.dtype), H
    if init == "custom":
        if W is None or H is None:
            raise ValueError("init: 'custom' needs both W and H")
        W, H = _checked(W, (n, rank), "W", problem), _checked(H, (rank, m), "H", problem)
        if restart == 0:
            return W, H
    elif W is not None or H is not None:
        raise ValueError(f"init: W and H are only used with init='custom', not {init!r}")
    if init == "random" or (restart > 0 and init in DRAW_NOTHING):
        return _random(problem, rank, stream(seed, restart) if restart else _again(seed))
    if rank > min(n, m) and init != "kmeans":
        raise ValueError(
            f"init = '{init}' can only be used when n_components <= min(n_samples, n_features), "
            f"here {min(n, m)}; use init='random' for {rank} components"
        )
    if init == "kmeans":
        return _kmeans(problem, rank, stream(seed, restart))
    return _nndsvd(problem, rank, init, seed, restart)


def _checked(F: Array, shape: tuple[int, int], name: str, problem: Problem) -> Array:
    F = np.array(F, dtype=problem.dtype, order="C")
    if F.shape != shape:
        raise ValueError(f"{name}: needs shape {shape}, got {F.shape}")
    if not (F.min() >= 0 and F.max() < np.inf):  # false for NaN, too
        raise ValueError(f"{name}: must be finite and ≥ 0")
    return F


def _random(problem: Problem, rank: int, rng: np.random.RandomState) -> tuple[Array, Array]:
    """Return |normal| · √(mean / rank), H drawn first, as scikit-learn does."""
    level = problem.dtype.type(np.sqrt(problem.mean / rank))
    n, m = problem.shape
    H = level * rng.standard_normal(size=(rank, m)).astype(problem.dtype, copy=False)
    W = level * rng.standard_normal(size=(n, rank)).astype(problem.dtype, copy=False)
    return np.abs(W), np.abs(H)


def _nndsvd(problem: Problem, rank: int, init: str, seed: int, restart: int) -> tuple[Array, Array]:
    """Return the non-negative double SVD of Boutsidis & Gallopoulos (2008), Pattern Recognition 41(4)."""
    U, S, Vt = leading_triplets(problem, rank, seed)
    # The limit below which entries count as zero and the fill of X's mean in both factors suit values near 1 only:
    # data of quite another magnitude start as if brought there by a power of four.
    mean, unit = problem.mean, 1.0
    if mean > 0 and not 1e-6 <= mean <= 1e6:
        unit = 2.0 ** round(np.log2(mean) / 2)
        S, mean = S / unit / unit, mean / unit / unit
    Wt, H = np.zeros((rank, U.shape[0]), dtype=U.dtype), np.zeros_like(Vt)
    Ut = np.ascontiguousarray(U.T)
    Wt[0] = np.sqrt(S[0]) * np.abs(Ut[0])
    H[0] = np.sqrt(S[0]) * np.abs(Vt[0])
    for j in range(1, rank):
        u, v = np.maximum(Ut[j], 0), np.maximum(Vt[j], 0)
        opposite_u, opposite_v = u - Ut[j], v - Vt[j]
        size, other = _size(u) * _size(v), _size(opposite_u) * _size(opposite_v)
        if other >= size:
            u, v, size = opposite_u, opposite_v, other
        if size > 0:
            scale = np.sqrt(S[j] * size)
            np.multiply(u, scale / _size(u), out=Wt[j])
            np.multiply(v, scale / _size(v), out=H[j])
    W = np.ascontiguousarray(Wt.T)
    W[W < _TINY] = 0
    H[H < _TINY] = 0
    if init == "nndsvda":
        W[W == 0] = mean
        H[H == 0] = mean
    elif init == "nndsvdar":
        rng = stream(seed, restart)
        for F in (W, H):
            empty = F == 0
            F[empty] = np.abs(mean * rng.standard_normal(size=int(empty.sum())) / 100)
    return (W * unit).astype(problem.dtype, order="C"), (H * unit).astype(problem.dtype, order="C")


def _size(v: Array) -> float:
    return float(np.sqrt(v @ v))


def _kmeans(problem: Problem, rank: int, rng: np.random.RandomState) -> tuple[Array, Array]:
    """Return cluster centres as H and membership + 0.2 as W, scaled to X (Ding, Li & Jordan 2010, TPAMI 32(1))."""
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    n = problem.shape[0]
    if rank > n:
        raise ValueError(f"init: 'kmeans' needs at least as many samples as components, here {n} and {rank}")
    X = filled(problem)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct rows than clusters: centres repeat
        model = KMeans(rank, n_init=1, random_state=rng).fit(X)
    H = np.maximum(model.cluster_centers_, 0)
    W = np.full((n, rank), 0.2)
    W[np.arange(n), model.labels_] += 1.0
    weight = float(((W.T @ W) * (H @ H.T)).sum())
    if weight > 0:
        W *= float((W * (X @ H.T)).sum()) / weight
    return W.astype(problem.dtype, order="C"), H.astype(problem.dtype, order="C")
