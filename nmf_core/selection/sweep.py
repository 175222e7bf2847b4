"""What a sweep found: one row of evidence per rank."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nmf_core.selection import consensus, fit_quality, parsimony, stability
from nmf_core.selection.blending import Step, step
from nmf_core.selection.pieces import FitPiece, SweepState, planned
from nmf_core.selection.request import SweepRequest
from nmf_core.selection.sample import consensus_rows, heldout_of
from nmf_core.types import Array, Dataset, FitRequest, Stop, is_sparse

if TYPE_CHECKING:
    import pandas as pd

_NONE = np.zeros(0)


@dataclass(frozen=True, slots=True, eq=False)
class RankEvidence:
    """All criteria of one rank; an empty array or NaN means "not measured (yet) or not defined here".

    Attributes
    ----------
    rank : int
    losses, errors : ndarray of shape (n_fits,)
        Objective and relative error ‖X − WH‖/‖X‖ of every restart.
    best : int
        The restart with the smallest loss.
    share : float
        Of total variation, 1 − RSS/ΣX², uncentred, of the best restart.
    svd_error : float
        Relative error that no matrix of this rank can undercut.
    shuffled_errors : ndarray
        Relative errors on column-permuted copies.
    heldout, shuffled_heldout : ndarray of shape (n_folds,)
        Mean loss per held-out cell, divided by that of rank 1 on the same data (mean over the same sets).
    block : ndarray
        Mean squared error of bi-cross-validation, divided likewise by that of the smallest rank measured.
    consensus : ConsensusScore
    similarity : ndarray of shape (n_fits − 1, rank)
        Cosine of each component of the best restart with its partner in every other one.
    silhouette : ndarray of shape (rank,)
        Of the components over restarts.
    amari : float
        Mean Amari-type distance between restarts.
    n_distinct : int
        Distinct solutions among the restarts.
    lean : Parsimony or None
    aic, bic : float
    """

    rank: int
    losses: Array
    errors: Array
    best: int
    share: float
    svd_error: float
    shuffled_errors: Array
    heldout: Array
    shuffled_heldout: Array
    block: Array
    consensus: consensus.ConsensusScore
    similarity: Array
    silhouette: Array
    amari: float
    n_distinct: int
    lean: parsimony.Parsimony | None
    aic: float
    bic: float

    @property
    def weakest(self) -> float:
        """Median likeness (cosine) over restarts of the least stable component; NaN with one restart, 1 at rank 1."""
        if len(self.similarity) == 0:
            return float("nan")
        return float(np.median(self.similarity, axis=0).min())

    @property
    def badges(self) -> tuple[stability.Badge, ...]:
        """One word per component of the best restart."""
        return stability.badges(self.similarity)


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """Evidence over ranks, with the fits kept.

    Attributes
    ----------
    request : SweepRequest
    shape : tuple of int
    evidence : tuple of RankEvidence
        In the order of ranks; ranks without a finished restart are left out.
    stop : Stop
    progress : float
    notes : tuple of str
        What could not be measured on this data and why, in sentences.
    state : SweepState
        Where a larger sweep starts from.
    sample_rows : ndarray of int
        The samples that the consensus compares.
    total : float
        Sum of squares of the known cells.
    known : int
        Number of known cells.
    """

    request: SweepRequest
    shape: tuple[int, int]
    evidence: tuple[RankEvidence, ...]
    stop: Stop
    progress: float
    notes: tuple[str, ...]
    state: SweepState
    sample_rows: Array
    total: float
    known: int

    @property
    def sparse_knowledge(self) -> bool:
        """Whether fewer than one cell in five is known."""
        return self.known < 0.2 * self.shape[0] * self.shape[1]

    @property
    def ranks(self) -> tuple[int, ...]:
        """Ranks with at least one finished restart."""
        return tuple(e.rank for e in self.evidence)

    def at(self, rank: int) -> RankEvidence:
        """Return the evidence of one rank.

        Raises
        ------
        KeyError
            If the sweep holds no fit of that rank.
        """
        for e in self.evidence:
            if e.rank == rank:
                return e
        raise KeyError(rank)

    def factors(self, rank: int) -> tuple[Array, Array]:
        """Return W and H of the best restart of a rank."""
        return self.state.best[rank][2], self.state.best[rank][3]

    def best_request(self, rank: int) -> FitRequest:
        """Return the request that computes the best restart of a rank again."""
        return self.request.fit_request(rank, self.state.best[rank][0])

    def step(self, lower: int, higher: int) -> Step | None:
        """Return what held-out cells say about going from one rank to another; None if they were not predicted at both."""
        held = self.state.heldout
        common = [i for i in range(self.request.n_folds) if (0, i) in held and {(lower, i), (higher, i)} <= held.keys()]
        cells, below, above = ([held[k, i] for i in common] for k in (0, lower, higher))
        return step(cells, below, above, self.request.model.loss)

    def groups(self, rank: int) -> Array:
        """Return the strongest component of each compared sample in every restart, shape (n_fits, n_rows)."""
        fits = _fits(self.state, self.request, rank)
        return np.stack([piece.groups for _, piece in fits])

    def components(self, rank: int) -> list[Array]:
        """Return the unit components of every restart (a sketch of them beyond 512 features)."""
        return [piece.components for _, piece in _fits(self.state, self.request, rank)]

    def table(self) -> pd.DataFrame:
        """Return one row per rank, one column per criterion."""
        import pandas as pd

        return pd.DataFrame([_row(e) for e in self.evidence])

    def long(self) -> pd.DataFrame:
        """Return one row per rank and criterion."""
        return (
            self.table().melt(id_vars="rank", var_name="criterion", value_name="value").dropna().reset_index(drop=True)
        )


def sweep(
    X: Any,
    ranks: Iterable[int],
    n_restarts: int = 10,
    *,
    mask: Array | Literal["unstored"] | None = None,
    start: Sweep | None = None,
    n_folds: int = 10,
    n_shuffles: int = 2,
    bicross: bool = True,
    **model: Any,
) -> Sweep:
    """Fit many ranks many times and gather evidence on each.

    Parameters
    ----------
    X : array-like, sparse matrix or Dataset of shape (n_samples, n_features)
    ranks : iterable of int
    n_restarts : int
    mask : see :func:`nmf_core.fit.fit`
    start : Sweep, optional
        An earlier sweep on the same data and model: its pieces are not computed again.
    n_folds, n_shuffles, bicross : see :class:`SweepRequest`
    **model
        Fields of :class:`~nmf_core.types.FitRequest`: solver, loss, seed, max_iter, tol, penalties …

    Returns
    -------
    Sweep

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> found = sweep(load_iris().data, range(1, 4), n_restarts=3, n_folds=2)
    >>> found.ranks
    (1, 2, 3)
    """
    from nmf_core.selection.work import SweepWork

    dataset = X if isinstance(X, Dataset) else Dataset.of(X, mask=mask)
    base = FitRequest(**{"dataset_id": dataset.id, "tol": 1e-4, "max_iter": 500, **model})
    work = SweepWork(SweepRequest(tuple(ranks), n_restarts, base, n_folds, n_shuffles, bicross))
    state = None if start is None else start.state
    while True:
        chunk = work.advance(dataset, state, float("inf"))
        state = chunk.state
        if chunk.stop is not Stop.RUNNING:
            return work.result(dataset, state, chunk.stop)


def _fits(state: SweepState, request: SweepRequest, rank: int) -> list[tuple[int, FitPiece]]:
    found = [(i, state.pieces.get(("fit", rank, i))) for i in range(request.n_restarts)]
    return [(i, piece) for i, piece in found if piece is not None]


def _numbers(state: SweepState, kind: str, rank: int, count: int) -> Array:
    """Return the finished values of a kind at a rank, NaN where not finished."""
    return np.array([state.pieces.get((kind, rank, i), np.nan) for i in range(count)], dtype=np.float64)


def _relative(values: Array, reference: Array) -> Array:
    """Divide by the mean of the reference over the sets finished in both."""
    both = np.isfinite(values) & np.isfinite(reference)
    base = reference[both].mean() if both.any() else np.nan
    return values / base if base > 0 else np.full_like(values, np.nan)


def summarize(request: SweepRequest, dataset: Dataset, state: SweepState, stop: Stop) -> Sweep:
    """Turn finished pieces into evidence per rank."""
    total = fit_quality.total_variation(dataset.X, dataset.mask if isinstance(dataset.mask, np.ndarray) else None)
    ranks = [k for k in request.ranks if k in state.best]
    if dataset.mask is None and ranks:
        bounds = np.sqrt(fit_quality.svd_bound(dataset.X, np.array(ranks)) / max(total, 1e-300))
    else:
        bounds = np.full(len(ranks), np.nan)
    n_known = _known_cells(dataset)
    speckle_one = _numbers(state, "speckle", 1, request.n_folds)
    null_one = _numbers(state, "null", 1, request.n_folds)
    block_ranks = sorted(k for kind, k, _ in state.pieces if kind == "block")
    block_one = _numbers(state, "block", block_ranks[0], 9) if block_ranks else np.full(9, np.nan)
    rows = []
    for k, bound in zip(ranks, bounds, strict=True):
        fits = _fits(state, request, k)
        if not fits:
            continue
        losses = np.array([piece.loss for _, piece in fits])
        rss = np.array([piece.rss for _, piece in fits])
        best = int(np.argmin(losses))
        components = [piece.components for _, piece in fits]
        others = [c for i, c in enumerate(components) if i != best]
        W, H = state.best[k][2], state.best[k][3]
        aic, bic = _scores(request, dataset, k, float(rss[best]), float(losses[best]), n_known)
        rows.append(
            RankEvidence(
                rank=k,
                losses=losses,
                errors=np.sqrt(rss / max(total, 1e-300)),
                best=best,
                share=fit_quality.share_of_variation(float(rss[best]), total),
                svd_error=float(bound),
                shuffled_errors=np.sqrt(
                    _finite(_numbers(state, "shuffle", k, request.n_shuffles)) / max(total, 1e-300)
                ),
                heldout=_relative(_numbers(state, "speckle", k, request.n_folds), speckle_one),
                shuffled_heldout=_relative(_numbers(state, "null", k, request.n_folds), null_one),
                block=_relative(_numbers(state, "block", k, 9), block_one),
                consensus=consensus.score(np.stack([piece.groups for _, piece in fits]), best),
                similarity=stability.matched_similarity(components[best], others),
                silhouette=stability.component_silhouette([components[best], *others]),
                amari=stability.mean_amari(components[:20]),
                n_distinct=int(stability.distinct_solutions(losses, components).max()) + 1,
                lean=parsimony.parsimony(W, H),
                aic=aic,
                bic=bic,
            )
        )
    names = list(planned(request, dataset))
    done = sum(name in state.pieces for name in names) / max(len(names), 1)
    return Sweep(
        request,
        dataset.shape,
        tuple(rows),
        stop,
        done,
        _notes(request, dataset),
        state,
        consensus_rows(dataset.shape[0]),
        total,
        n_known,
    )


def _finite(values: Array) -> Array:
    return values[np.isfinite(values)]


def _known_cells(dataset: Dataset) -> int:
    if dataset.mask is None:
        return int(dataset.shape[0]) * int(dataset.shape[1])
    return int(dataset.X.nnz) if is_sparse(dataset.X) else int((~dataset.mask).sum())  # type: ignore[operator]


def _scores(
    request: SweepRequest, dataset: Dataset, rank: int, rss: float, loss: float, n_known: int
) -> tuple[float, float]:
    parameters = parsimony.n_parameters(*dataset.shape, rank)
    if request.model.beta == 2.0:
        return parsimony.information_criteria(rss, n_known, parameters)
    if request.model.beta == 1.0:
        return parsimony.poisson_information_criteria(loss, n_known, parameters)
    return float("nan"), float("nan")


def _notes(request: SweepRequest, dataset: Dataset) -> tuple[str, ...]:
    notes = []
    too_large = [k for k in request.ranks if k > dataset.max_rank]
    if too_large:
        n, m = dataset.shape
        notes.append(f"Ranks above {dataset.max_rank} are left out: the data has {n:,} rows and {m:,} columns.")
    if request.n_folds and not isinstance(dataset.mask, str) and heldout_of(dataset).note:
        notes.append(heldout_of(dataset).note)
    if dataset.mask is not None:
        notes.append("Cells are missing: the SVD bound and bi-cross-validation need complete data and are left out.")
    if dataset.shape[0] > len(consensus_rows(dataset.shape[0])):
        notes.append(f"The consensus compares {len(consensus_rows(dataset.shape[0])):,} evenly spread rows.")
    if request.n_restarts < 2:
        notes.append("With one restart there is nothing to compare: stability is not defined.")
    return tuple(notes)


def _row(e: RankEvidence) -> dict[str, Any]:
    def mean(values: Array) -> float:
        kept = values[np.isfinite(values)]
        return float(kept.mean()) if len(kept) else float("nan")

    lean = e.lean
    return {
        "rank": e.rank,
        "restarts": len(e.losses),
        "loss": float(e.losses[e.best]),
        "relative error": float(e.errors[e.best]),
        "share of total variation": e.share,
        "SVD bound of the relative error": e.svd_error,
        "relative error, shuffled columns": mean(e.shuffled_errors),
        "held-out error / rank 1": mean(e.heldout),
        "held-out error / rank 1, shuffled columns": mean(e.shuffled_heldout),
        "bi-cross-validation error / smallest rank": mean(e.block),
        "cophenetic correlation": e.consensus.cophenetic,
        "dispersion": e.consensus.dispersion,
        "PAC": e.consensus.pac,
        "silhouette of samples": e.consensus.silhouette,
        "likeness of the least stable component": e.weakest,
        "silhouette of components": mean(e.silhouette),
        "Amari-type distance": e.amari,
        "distinct solutions": e.n_distinct,
        "sparseness of W": lean.sparseness_W if lean else float("nan"),
        "sparseness of H": lean.sparseness_H if lean else float("nan"),
        "smallest share": lean.smallest_share if lean else float("nan"),
        "duplicate components": lean.duplicates if lean else float("nan"),
        "similar components": lean.similar if lean else float("nan"),
        "empty components": lean.empty if lean else float("nan"),
        "AIC": e.aic,
        "BIC": e.bic,
    }
