"""All criteria of one rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nmf_core.selection import consensus, parsimony, stability
from nmf_core.types import Array


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


def relative(values: Array, reference: Array) -> Array:
    """Divide by the mean of the reference over the sets finished in both."""
    both = np.isfinite(values) & np.isfinite(reference)
    base = reference[both].mean() if both.any() else np.nan
    return values / base if base > 0 else np.full_like(values, np.nan)


def row(e: RankEvidence) -> dict[str, Any]:
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
