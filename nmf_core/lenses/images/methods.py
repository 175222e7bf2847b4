"""NMF, PCA and vector quantization of the same pictures at the same rank (Lee & Seung 1999, Figure 1)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nmf_core.lenses.images.prepare import dense
from nmf_core.quality import hoyer
from nmf_core.staged import Fit, StagedWork, Step
from nmf_core.types import Array, Dataset, FitRequest, FitResult

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("NMF", "PCA", "VQ")
LONG = {
    "NMF": "NMF: parts",
    "PCA": "PCA: both signs",
    "VQ": "VQ (k-means): wholes",
}
#: Pictures beyond which k-means runs on small batches.
BATCH_ROWS = 3000


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """Pictures coded by one method: X ≈ offset + codes · parts.

    Attributes
    ----------
    name : str
        One of `NAMES`.
    parts : ndarray of shape (rank, n_features)
        Rows of H, principal axes, or prototypes.
    codes : ndarray of shape (n_samples, rank)
        W, scores, or a single 1 at the nearest prototype.
    offset : ndarray of shape (n_features,)
        The mean picture for PCA; zeros for the others.
    error : float
        ‖X − rebuilt‖ / ‖X‖ over all pictures.
    sparseness_parts : ndarray of shape (rank,)
    sparseness_codes : ndarray of shape (n_samples,)
        Hoyer's, of absolute values; NaN where undefined.
    """

    name: str
    parts: Array
    codes: Array
    offset: Array
    error: float
    sparseness_parts: Array
    sparseness_codes: Array

    def rebuilt(self, row: int) -> Array:
        """Return one picture as the method gives it back."""
        return self.offset + self.codes[row] @ self.parts


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The methods side by side.

    Attributes
    ----------
    rank : int
    methods : tuple of Method
        As far as computed, in the order of `NAMES`.
    note : str
        What was filled in; empty if nothing was.
    """

    rank: int
    methods: tuple[Method, ...]
    note: str = ""

    def of(self, name: str) -> Method | None:
        """Return one method, or None if it is not there yet."""
        return next((m for m in self.methods if m.name == name), None)


@dataclass(frozen=True, slots=True)
class RivalsWork(StagedWork):
    """Code the pictures by PCA and by vector quantization.

    Attributes
    ----------
    rank : int
    seed : int
    """

    rank: int = 25
    seed: int = 0
    NAME: ClassVar[str] = "rivals"

    def plan(self, dataset: Dataset) -> tuple[Step | Fit, ...]:
        """One after the other."""
        X, _ = dense(dataset)
        rank = min(self.rank, *X.shape)
        return (
            Step("PCA", lambda done: pca(X, rank)),
            Step("Vector quantization", lambda done: quantization(X, rank, self.seed)),
        )

    def finish(self, dataset: Dataset, done: tuple[Any, ...]) -> tuple[Method, ...] | None:
        """Return the methods done so far."""
        return done or None


def compare(dataset: Dataset, result: FitResult, rivals: tuple[Method, ...]) -> Comparison:
    """Put a factorization beside its rivals."""
    X, note = dense(dataset)
    nothing = np.zeros(X.shape[1], dtype=np.float32)
    nmf = measured("NMF", X, result.H.astype(np.float32), result.W.astype(np.float32), nothing)
    return Comparison(len(result.H), (nmf, *rivals), note)


def nmf_request(rank: int, sparseness: float = 0.0, seed: int = 0, max_iter: int = 200) -> FitRequest:
    """Return the request for plain NMF, or for NMF whose parts have a smallest sparseness (Hoyer's, 0 to 1)."""
    if sparseness > 0:
        return FitRequest(
            rank=rank,
            solver="sparse_parts",
            options=(("sparseness", float(sparseness)),),
            seed=seed,
            max_iter=max_iter,
            tol=1e-4,
        )
    # The filled start converges in the fewest steps; a random one finds its own way, seed by seed.
    return FitRequest(rank=rank, init="nndsvda" if seed == 0 else "random", seed=seed, max_iter=max_iter, tol=1e-4)


def measured(name: str, X: Array, parts: Array, codes: Array, offset: Array) -> Method:
    """Return a method with its error and sparseness."""
    rest = X - offset - codes @ parts
    size = float(np.linalg.norm(X))
    error = float(np.linalg.norm(rest)) / size if size > 0 else 0.0
    return Method(name, parts, codes, offset, error, hoyer(parts, axis=1), hoyer(codes, axis=1))


def pca(X: Array, rank: int) -> Method:
    """Return principal component analysis: scores and axes around the mean picture."""
    from sklearn.decomposition import PCA

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # equal pictures: no variance, a division by zero inside
        model = PCA(min(rank, *X.shape), svd_solver="auto", random_state=0).fit(X)
    codes = model.transform(X)
    return measured("PCA", X, model.components_, codes, model.mean_)


def quantization(X: Array, rank: int, seed: int = 0) -> Method:
    """Return vector quantization: prototypes by k-means, each picture replaced by the nearest."""
    from sklearn.cluster import KMeans, MiniBatchKMeans

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer different pictures than prototypes
        if len(X) > BATCH_ROWS:
            model: Any = MiniBatchKMeans(rank, n_init=3, random_state=seed, batch_size=1024).fit(X)
        else:
            model = KMeans(rank, n_init=2, random_state=seed).fit(X)
    codes = np.zeros((len(X), rank), dtype=np.float32)
    codes[np.arange(len(X)), model.labels_] = 1
    return measured("VQ", X, model.cluster_centers_, codes, np.zeros(X.shape[1], dtype=np.float32))


def comparison_table(comparison: Comparison) -> pd.DataFrame:
    """Return one row per method: sparseness of parts and codes, error, share of negative values."""
    import pandas as pd

    rows = [
        {
            "method": m.name,
            "sparseness of parts": float(np.nanmean(m.sparseness_parts)),
            "sparseness of codes": _mean(m.sparseness_codes),
            "relative error": m.error,
            "negative values in parts": float((m.parts < 0).mean()),
            "parts used for a picture": float((np.abs(m.codes) > 1e-3 * np.abs(m.codes).max()).sum(axis=1).mean()),
        }
        for m in comparison.methods
    ]
    return pd.DataFrame(rows)


def _mean(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


@dataclass(frozen=True, slots=True)
class ErrorsWork(StagedWork):
    """Relative error of the three methods at several ranks.

    Attributes
    ----------
    ranks : tuple of int
        Rising.
    sparseness, seed, max_iter : see `nmf_request`
    """

    ranks: tuple[int, ...] = (4, 9, 16, 25, 36, 49)
    sparseness: float = 0.0
    seed: int = 0
    max_iter: int = 60
    NAME: ClassVar[str] = "method-errors"

    def plan(self, dataset: Dataset) -> tuple[Step | Fit, ...]:
        """All ranks of PCA from one decomposition, then NMF and VQ rank by rank."""
        X, _ = dense(dataset)
        ranks = self._ranks(X)
        stages: list[Step | Fit] = [Step("PCA", lambda done: pca_errors(X, ranks))]
        for rank in ranks:
            request = nmf_request(rank, self.sparseness, self.seed, self.max_iter)
            stages.append(
                Fit(
                    f"NMF, rank {rank}",
                    lambda done, request=request: (Dataset.of(X), request),  # type: ignore[misc]
                    lambda result: result.loss,
                )
            )
            stages.append(Step(f"VQ, rank {rank}", lambda done, rank=rank: quantization(X, rank, self.seed).error))  # type: ignore[misc]
        return tuple(stages)

    def _ranks(self, X: Array) -> tuple[int, ...]:
        return tuple(sorted({min(r, *X.shape) for r in self.ranks}))

    def finish(self, dataset: Dataset, done: tuple[Any, ...]) -> pd.DataFrame | None:
        """Return one row per rank done, with a column per method."""
        import pandas as pd

        if not done:
            return None
        X, _ = dense(dataset)
        size = float(np.linalg.norm(X)) or 1.0
        rows = []
        for i, rank in enumerate(self._ranks(X)):
            at = 1 + 2 * i
            nmf = float(np.sqrt(2 * done[at])) / size if at < len(done) else np.nan
            vq = done[at + 1] if at + 1 < len(done) else np.nan
            rows.append({"rank": rank, "NMF": nmf, "PCA": done[0][i], "VQ": vq})
        return pd.DataFrame(rows)


def pca_errors(X: Array, ranks: tuple[int, ...]) -> list[float]:
    """Return PCA's relative error at each rank, from the eigenvalues of the smaller Gram matrix."""
    centred = (X - X.mean(axis=0)).astype(np.float64)
    gram = centred @ centred.T if len(X) <= X.shape[1] else centred.T @ centred
    values = np.maximum(np.linalg.eigvalsh(gram)[::-1], 0)
    left = np.append(np.cumsum(values[::-1])[::-1], 0.0)
    size = float(np.linalg.norm(X)) or 1.0
    return [float(np.sqrt(left[min(r, len(values))])) / size for r in ranks]
