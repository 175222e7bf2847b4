"""The error of every method at every rank."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nmf_core.comparison.corruption import clean, off
from nmf_core.comparison.rivals import lda, matrix
from nmf_core.lenses.images.methods import Method, pca_errors, quantization
from nmf_core.staged import Fit, StagedWork, Step
from nmf_core.types import Dataset, FitRequest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class RanksWork(StagedWork):
    """Relative error ‖X − model‖ / ‖X‖ of several methods at several ranks.

    Attributes
    ----------
    ranks : tuple of int
        Rising.
    names : tuple of str
        Of "NMF", "SVD", "PCA", "VQ", "ICA", "LDA". ICA turns PCA's axes without leaving their plane: its error is PCA's.
    loss : str or float
        Of NMF.
    seed : int
    max_iter : int
    """

    ranks: tuple[int, ...] = (1, 2, 3)
    names: tuple[str, ...] = ("NMF", "PCA", "VQ")
    loss: str | float = "frobenius"
    seed: int = 0
    max_iter: int = 300
    NAME: ClassVar[str] = "rank-errors"

    def plan(self, dataset: Dataset) -> tuple[Step | Fit, ...]:
        """What one decomposition gives for all ranks first, then rank by rank."""
        X, known = matrix(dataset), clean(dataset)
        stages: list[Step | Fit] = []
        if {"PCA", "ICA"} & set(self.names):
            told: list[str] = [name for name in ("PCA", "ICA") if name in self.names]
            stages.append(Step("PCA", lambda done: _rows(told, self.ranks, pca_errors(X, self.ranks))))
        if "SVD" in self.names:
            stages.append(Step("SVD", lambda done: _rows(["SVD"], self.ranks, svd_errors(X, self.ranks))))

        def factorized(rank: int) -> Fit:
            request = FitRequest(rank=rank, loss=self.loss, max_iter=self.max_iter, tol=1e-5)
            return Fit(
                f"NMF, rank {rank}",
                lambda done: (dataset, request),
                lambda result: [("NMF", rank, off(known, result.W @ result.H))],
            )

        def rival(name: str, run: Callable[..., Method], rank: int) -> Step:
            return Step(f"{name}, rank {rank}", lambda done: [(name, rank, run(X, rank, self.seed).error)])

        for rank in self.ranks:
            if "NMF" in self.names:
                stages.append(factorized(rank))
            stages += [rival(n, run, rank) for n, run in (("VQ", quantization), ("LDA", lda)) if n in self.names]
        return tuple(stages)

    def finish(self, dataset: Dataset, done: tuple[Any, ...]) -> pd.DataFrame | None:
        """Return one row per method and rank: method, rank, relative error."""
        import pandas as pd

        rows = [row for stage in done for row in stage]
        return pd.DataFrame(rows, columns=["method", "rank", "relative error"]) if rows else None


def svd_errors(X: Any, ranks: tuple[int, ...]) -> list[float]:
    """Return the relative error of the truncated SVD at each rank, from the eigenvalues of the smaller Gram matrix."""
    gram = X @ X.T if len(X) <= X.shape[1] else X.T @ X
    values = np.maximum(np.linalg.eigvalsh(gram)[::-1], 0)
    left = np.append(np.cumsum(values[::-1])[::-1], 0.0)
    size = float(np.linalg.norm(X)) or 1.0
    return [float(np.sqrt(left[min(rank, len(values))])) / size for rank in ranks]


def _rows(names: list[str], ranks: tuple[int, ...], errors: list[float]) -> list[tuple[str, int, float]]:
    return [(name, rank, error) for name in names for rank, error in zip(ranks, errors, strict=True)]
