"""Turn the finished pieces of a sweep into evidence per rank."""

from __future__ import annotations

import numpy as np

from nmf_core.selection import consensus, fit_quality, parsimony, stability
from nmf_core.selection.baseline import drift
from nmf_core.selection.evidence import RankEvidence, relative
from nmf_core.selection.pieces import SweepState
from nmf_core.selection.plan import planned, unfinished
from nmf_core.selection.request import SweepRequest
from nmf_core.selection.sample import consensus_rows, heldout_of
from nmf_core.selection.sweep import Sweep
from nmf_core.types import Array, Dataset, Stop


def summarize(request: SweepRequest, dataset: Dataset, state: SweepState, stop: Stop) -> Sweep:
    """Turn finished pieces into evidence per rank."""
    total = fit_quality.total_variation(dataset.X, dataset.mask if isinstance(dataset.mask, np.ndarray) else None)
    ranks = [k for k in request.ranks if k in state.best and state.best[k][0] < request.n_restarts]
    if dataset.mask is None and ranks:
        bounds = np.sqrt(fit_quality.svd_bound(dataset.X, np.array(ranks)) / max(total, 1e-300))
    else:
        bounds = np.full(len(ranks), np.nan)
    n_known = _known_cells(dataset)
    speckle_one = state.numbers("speckle", 1, request.n_folds)
    null_one = state.numbers("null", 1, request.n_folds)
    block_ranks = sorted(k for kind, k, _ in state.pieces if kind == "block")
    block_one = state.numbers("block", block_ranks[0], 9) if block_ranks else np.full(9, np.nan)
    rows = []
    for k, bound in zip(ranks, bounds, strict=True):
        fits = state.fits(k, request.n_restarts)
        if not fits:
            continue
        losses = np.array([piece.loss for piece in fits])
        rss = np.array([piece.rss for piece in fits])
        best = state.restarts(k, request.n_restarts).index(state.best[k][0])
        components = [piece.components for piece in fits]
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
                shuffled_errors=np.sqrt(_finite(state.numbers("shuffle", k, request.n_shuffles)) / max(total, 1e-300)),
                heldout=relative(state.numbers("speckle", k, request.n_folds), speckle_one),
                shuffled_heldout=relative(state.numbers("null", k, request.n_folds), null_one),
                block=relative(state.numbers("block", k, 9), block_one),
                consensus=consensus.score(np.stack([piece.groups for piece in fits]), best),
                similarity=stability.matched_similarity(components[best], others),
                silhouette=stability.component_silhouette([components[best], *others]),
                amari=stability.mean_amari(components[:20]),
                n_distinct=int(stability.distinct_solutions(losses, components).max()) + 1,
                lean=parsimony.parsimony(W, H),
                aic=aic,
                bic=bic,
            )
        )
    n_pieces = sum(1 for _ in planned(request, dataset))
    left = len(unfinished(request, dataset, state.pieces, state.best))
    done = max(n_pieces - left, 0) / max(n_pieces, 1)
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
        _drift(dataset),
    )


def _drift(dataset: Dataset) -> float:
    """Return how alike neighbouring rows are, beyond what any known classes (by which rows may be sorted) explain."""
    found = [drift(dataset.X)]
    for values in dataset.labels.values():
        classes, groups = np.unique(np.asarray(values).astype(str), return_inverse=True)
        if 2 <= len(classes) <= 30:
            found.append(drift(dataset.X, groups))
    return min(found)


def _finite(values: Array) -> Array:
    return values[np.isfinite(values)]


def _known_cells(dataset: Dataset) -> int:
    if isinstance(dataset.mask, np.ndarray):
        return int((~dataset.mask).sum())
    return int(dataset.shape[0]) * int(dataset.shape[1]) if dataset.mask is None else int(dataset.X.nnz)


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
    if request.n_folds and isinstance(dataset.mask, str):
        notes.append("Predictions of held-out cells are kept within the range of the known values.")
    if dataset.mask is not None:
        notes.append("Cells are missing: the SVD bound and bi-cross-validation need complete data and are left out.")
    if dataset.shape[0] > len(consensus_rows(dataset.shape[0])):
        notes.append(f"The consensus compares {len(consensus_rows(dataset.shape[0])):,} evenly spread rows.")
    if request.n_restarts < 2:
        notes.append("With one restart there is nothing to compare: stability is not defined.")
    return tuple(notes)
