"""The pieces a sweep is made of: each is small, seeded by its own name, and never computed twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nmf_core.batch import fit_many
from nmf_core.fit import one_thread
from nmf_core.kernels import threads
from nmf_core.selection import crossval
from nmf_core.selection.consensus import assignments
from nmf_core.selection.matching import unit_rows
from nmf_core.selection.request import BLOCK_FOLDS, SPECKLE_SHARE, SweepRequest
from nmf_core.selection.sample import consensus_rows, heldout_of, remembered, shuffled
from nmf_core.types import Array, Dataset, FitResult, is_sparse

# Kind of piece, rank, number within the kind.
Name = tuple[str, int, int]
SKETCH = 512
# Predictions kept of one set of held-out cells: they travel between processes with every state of a sweep.
KEPT_CELLS = 3000


@dataclass(frozen=True, slots=True, eq=False)
class FitPiece:
    """What is kept of one restart.

    Attributes
    ----------
    loss, rss : float
    n_iter : int
    groups : ndarray of uint16
        Strongest component of the compared samples.
    components : ndarray of float32 of shape (rank, ≤ 512)
        Unit rows of H; beyond 512 features a random sketch that keeps cosines (Charikar et al. 2002).
    """

    loss: float
    rss: float
    n_iter: int
    groups: Array
    components: Array


@dataclass(frozen=True, slots=True, eq=False)
class SweepState:
    """All finished pieces by name, and the best factors of every rank: the start of any larger sweep.

    Attributes
    ----------
    model_key : str
    pieces : dict of name to number or FitPiece
    best : dict of rank to (restart, loss, W, H)
    heldout : dict of (rank, set) to ndarray
        Predictions of held-out cells, the first 3,000 of each set; rank 0 holds the cells themselves.
    """

    model_key: str
    pieces: dict[Name, Any] = field(default_factory=dict)
    best: dict[int, tuple[int, float, Array, Array]] = field(default_factory=dict)
    heldout: dict[tuple[int, int], Array] = field(default_factory=dict)

    def fits(self, rank: int, count: int) -> list[FitPiece]:
        """Return what is kept of the finished ones among the first `count` restarts of a rank."""
        return [self.pieces["fit", rank, i] for i in self.restarts(rank, count)]

    def restarts(self, rank: int, count: int) -> list[int]:
        """Return the numbers of the finished ones among the first `count` restarts of a rank."""
        return [i for i in range(count) if ("fit", rank, i) in self.pieces]

    def numbers(self, kind: str, rank: int, count: int) -> Array:
        """Return the first `count` pieces of a kind at a rank, NaN where not finished; not for restarts."""
        return np.array([self.pieces.get((kind, rank, i), np.nan) for i in range(count)], dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A computed piece with what else came of it.

    Attributes
    ----------
    piece : FitPiece or float
    fit : FitResult, optional
        Of a restart.
    heldout : (actual, predicted), optional
        Of a set of held-out cells.
    """

    piece: Any
    fit: FitResult | None = None
    heldout: tuple[Array, Array] | None = None


def compute(names: Sequence[Name], request: SweepRequest, dataset: Dataset) -> list[Outcome]:
    """Compute pieces, in order; what they share is prepared once, and small ones run beside each other on threads.

    No number depends on which pieces are computed together.
    """
    found: dict[Name, Outcome] = {}
    restarts = [name for name in names if name[0] == "fit"]
    if restarts:
        results = fit_many(dataset, [request.fit_request(rank, i) for _, rank, i in restarts])
        for name, result in zip(restarts, results, strict=True):
            found[name] = Outcome(_kept(dataset, result), result)
    for copy in sorted({i for kind, _, i in names if kind == "shuffle"}):
        found |= _shuffles([name for name in names if name[0] == "shuffle" and name[2] == copy], copy, request, dataset)
    others = [name for name in names if name not in found]
    with one_thread():
        outcomes = threads.run(_other, [(name, request, dataset) for name in others])
    found |= dict(zip(others, outcomes, strict=True))
    return [found[name] for name in names]


def _kept(dataset: Dataset, result: FitResult) -> FitPiece:
    rows = consensus_rows(dataset.shape[0])
    groups = assignments(result.W[rows], result.H).astype(np.uint16)
    rss = residual_squares(dataset.X, result.W, result.H, dataset.mask)
    return FitPiece(result.loss, rss, result.n_iter, groups, sketch(result.H))


def _shuffles(names: list[Name], copy: int, request: SweepRequest, dataset: Dataset) -> dict[Name, Outcome]:
    X = shuffled(dataset, copy)
    mask = dataset.mask if isinstance(dataset.mask, str) else None
    asked = [request.fit_request(rank, copy).with_(dataset_id="") for _, rank, _ in names]
    results = fit_many(X, asked, mask=mask)
    return {
        name: Outcome(residual_squares(X, result.W, result.H, dataset.mask))
        for name, result in zip(names, results, strict=True)
    }


def _other(name: Name, request: SweepRequest, dataset: Dataset) -> Outcome:
    kind, rank, number = name
    if kind == "block":
        return Outcome(_block(request, dataset, rank, number))
    cells = _speckle(request, dataset, rank, number, copy=None if kind == "speckle" else 0)
    if cells is None:
        return Outcome(float("nan"))
    return Outcome(crossval.mean_loss(*cells, request.model.loss), heldout=cells if kind == "speckle" else None)


def _effort(cells: int) -> dict[str, Any]:
    """Return how hard the many held-out fits try; large data needs fewer starts, since its minima differ less."""
    return {"n_starts": 2 if cells <= 60_000 else 1, "max_iter": 200 if cells <= 60_000 else 100}


def _penalties(request: SweepRequest) -> dict[str, Any] | None:
    model = request.model
    if not model.alpha_W and model.alpha_H in ("same", 0.0):
        return None
    return {"alpha_W": model.alpha_W, "alpha_H": model.alpha_H, "l1_ratio": model.l1_ratio}


def _speckle(
    request: SweepRequest, dataset: Dataset, rank: int, fold: int, copy: int | None
) -> tuple[Array, Array] | None:
    """Return held-out cells and their predictions; None if the data is too small for so many sets."""
    loss, seed = request.model.loss, request.model.seed
    if isinstance(dataset.mask, str):
        order = np.random.default_rng([seed, 7]).permutation(len(dataset.X.data))
        test = np.array_split(order, round(1 / SPECKLE_SHARE))[fold]
        penalties = _penalties(request)
        return crossval.stored_prediction(dataset.X, test, rank, seed=seed, loss=loss, penalties=penalties)
    data = heldout_of(dataset, copy)
    folds = remembered(
        (dataset.id, "folds", copy, request.n_folds, seed),
        # Always cut for ten sets: a later sweep with more of them then adds to the first ones.
        lambda: crossval.speckles(data.known, 10, SPECKLE_SHARE, seed),
    )
    if fold >= len(folds):
        return None
    return crossval.speckled_prediction(
        data.X,
        folds[fold],
        rank,
        seed=(seed, rank, fold),
        missing=data.missing,
        loss=loss,
        penalties=_penalties(request),
        **_effort(data.X.size),
    )


def _block(request: SweepRequest, dataset: Dataset, rank: int, number: int) -> float:
    data = heldout_of(dataset)
    rows, cols = crossval.blocks(data.X.shape[0], data.X.shape[1], BLOCK_FOLDS, request.model.seed)[number]
    if not len(rows) or not len(cols):  # fewer than three rows or columns: some blocks are empty
        return float("nan")
    return crossval.bicross_error(
        data.X,
        rows,
        cols,
        rank,
        seed=request.model.seed,
        loss=request.model.loss,
        penalties=_penalties(request),
        **_effort(data.X.size),
    )


def sketch(H: Array) -> Array:
    """Return the unit rows of H in at most 512 numbers each.

    Beyond 512 features every feature is added, with a random sign, to one of 512 sums (count sketch). Cosines come out
    right on average, with an error of about (1 − cos²)/√512: tiny where components are alike, which is what counts here.
    """
    unit = unit_rows(H)
    n_features = H.shape[1]
    if n_features <= SKETCH:
        return unit.astype(np.float32)
    rng = np.random.default_rng(29)
    bucket, sign = rng.integers(0, SKETCH, n_features), rng.choice([-1.0, 1.0], n_features)
    return np.stack([np.bincount(bucket, weights=row * sign, minlength=SKETCH) for row in unit]).astype(np.float32)


def residual_squares(X: Any, W: Array, H: Array, mask: Any = None) -> float:
    """Σ (X − WH)² over the cells that are not missing, without forming WH for sparse X."""
    W, H = np.asarray(W, dtype=np.float64), np.asarray(H, dtype=np.float64)
    if is_sparse(X):
        coo = X.tocoo()
        total, Ht = 0.0, np.ascontiguousarray(H.T)
        for i in range(0, coo.nnz, 1 << 18):
            part = slice(i, i + (1 << 18))
            model = np.einsum("ij,ij->i", W[coo.row[part]], Ht[coo.col[part]])
            value = coo.data[part].astype(np.float64)
            total += float((((value - model) ** 2) if isinstance(mask, str) else value * (value - 2 * model)).sum())
        return total if isinstance(mask, str) else max(total + float(((W.T @ W) * (H @ H.T)).sum()), 0.0)
    total = 0.0
    step = max(1, (1 << 20) // X.shape[1])
    for i in range(0, X.shape[0], step):
        residual = np.asarray(X[i : i + step], dtype=np.float64) - W[i : i + step] @ H
        total += float(np.nansum(residual * residual))
    return total
