"""Is it robust? Corrupt the data more and more and hold every method against the clean data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.optimize import linear_sum_assignment

from nmf_core.lenses.images.methods import pca, quantization
from nmf_core.lenses.images.prepare import dense
from nmf_core.lenses.images.staged import Fit, StagedWork, Step
from nmf_core.types import Array, Dataset, FitRequest

if TYPE_CHECKING:
    import pandas as pd

KINDS = {
    "noise": "Noise: standard deviation as a share of the data's",
    "outliers": "Outliers: share of cells set to ten times the largest value",
    "missing": "Missing: share of cells unknown",
}
LEVELS = {
    "noise": (0.0, 0.1, 0.25, 0.5, 1.0),
    "outliers": (0.0, 0.001, 0.003, 0.01, 0.03),
    "missing": (0.0, 0.1, 0.2, 0.4, 0.6),
}
#: Name, loss of the NMF variants.
LOSSES: dict[str, str | float] = {
    "NMF, Frobenius": "frobenius",
    "NMF, Kullback-Leibler": "kullback-leibler",
    "NMF, β = 0.5": 0.5,
}
RIVALS = ("PCA", "VQ")


def corrupted(X: Array, kind: str, level: float, seed: int = 0) -> Array:
    """Return X made worse.

    Parameters
    ----------
    X : ndarray of shape (n, m)
        Clean, ≥ 0.
    kind : {"noise", "outliers", "missing"}
    level : float
        See `KINDS`. Zero returns X itself.
    seed : int
        A higher level of the same seed spoils the same cells and more.

    Raises
    ------
    ValueError
        For an unknown kind or a negative level.
    """
    if kind not in KINDS or not level >= 0:
        raise ValueError(f"corruption: {kind!r} at {level!r} is not one of {', '.join(KINDS)} at a level ≥ 0")
    if level == 0:
        return X
    rng = np.random.default_rng([seed, 7])
    if kind == "noise":
        return np.maximum(X + level * X.std() * rng.standard_normal(X.shape), 0.0)
    hit = rng.random(X.shape) < level
    out = X.copy()
    out[hit] = np.nan if kind == "missing" else 10.0 * X.max()
    if kind == "missing":  # a row or column without any known cell has nothing to say
        out[np.isnan(out).all(axis=1)] = X[np.isnan(out).all(axis=1)]
        out[:, np.isnan(out).all(axis=0)] = X[:, np.isnan(out).all(axis=0)]
    return out


@dataclass(frozen=True, slots=True)
class RobustnessWork(StagedWork):
    """Fit every method at every level of one corruption.

    Attributes
    ----------
    rank : int
    kind : str
        One of `KINDS`.
    seed : int
    max_iter : int
    """

    rank: int = 3
    kind: str = "noise"
    seed: int = 0
    max_iter: int = 300
    NAME: ClassVar[str] = "robustness"

    def plan(self, dataset: Dataset) -> tuple[Step | Fit, ...]:
        """All methods at the first level, then at the next."""
        clean = self._clean(dataset)
        rank = min(self.rank, *clean.shape)
        stages: list[Step | Fit] = []
        for level in LEVELS[self.kind]:
            bad = corrupted(clean, self.kind, level, self.seed)
            for name, loss in LOSSES.items():
                request = FitRequest(rank=rank, loss=loss, max_iter=self.max_iter, tol=1e-5)
                stages.append(Fit(f"{name}, level {level:g}", lambda done, X=bad, r=request: (Dataset.of(X), r)))  # type: ignore[misc]
            filled = dense(Dataset.of(bad))[0].astype(np.float64)
            stages.append(Step(f"PCA, level {level:g}", lambda done, X=filled: pca(X, rank)))  # type: ignore[misc]
            stages.append(Step(f"VQ, level {level:g}", lambda done, X=filled: quantization(X, rank, self.seed)))  # type: ignore[misc]
        return tuple(stages)

    @staticmethod
    def _clean(dataset: Dataset) -> Array:
        return dense(dataset)[0].astype(np.float64)

    def finish(self, dataset: Dataset, done: tuple[Any, ...]) -> pd.DataFrame | None:
        """Return one row per method and level: error against the clean data, drift of the components."""
        import pandas as pd

        clean = self._clean(dataset)
        names = [*LOSSES, *RIVALS]
        size = float(np.linalg.norm(clean)) or 1.0
        rows = []
        for i, fitted in enumerate(done):
            name = names[i % len(names)]
            parts, model = _model(fitted)
            first = _model(done[i % len(names)])[0]
            rows.append(
                {
                    "method": name,
                    "level": LEVELS[self.kind][i // len(names)],
                    "error against the clean data": float(np.linalg.norm(clean - model)) / size,
                    "drift of the components": drift(first, parts),
                }
            )
        return pd.DataFrame(rows) if rows else None


def _model(fitted: Any) -> tuple[Array, Array]:
    """Return components and reconstruction of a factorization or of a rival."""
    if hasattr(fitted, "codes"):
        return fitted.parts, fitted.offset + fitted.codes @ fitted.parts
    return fitted.H, fitted.W @ fitted.H


def drift(before: Array, after: Array) -> float:
    """Return 1 − the mean |cosine| of matched components: 0 they are the same, 1 they share nothing.

    The sign of an axis of PCA is arbitrary, hence the absolute value.
    """
    a, b = (F / np.maximum(np.linalg.norm(F, axis=1, keepdims=True), 1e-300) for F in (before, after))
    cosine = np.abs(a @ b.T)
    rows, cols = linear_sum_assignment(cosine, maximize=True)
    return float(1.0 - cosine[rows, cols].mean())
