"""Other decompositions of the same data at the same rank: SVD, PCA, vector quantization, ICA, LDA."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from nmf_core.comparison.corruption import clean, filled, off
from nmf_core.components import Parts
from nmf_core.lenses.images.methods import Method, measured, pca, quantization
from nmf_core.staged import Fit, StagedWork, Step
from nmf_core.types import Array, Dataset, FitResult

#: What people read; NMF itself comes from the result on the screen.
TITLES = {
    "NMF": "NMF: parts that only add",
    "SVD": "Truncated SVD: the smallest error, any sign",
    "PCA": "PCA: SVD around the mean",
    "VQ": "Vector quantization (k-means): one whole each",
    "ICA": "ICA: independent sources, any sign",
    "LDA": "LDA: topics of counts",
}
#: The same where there is little room.
SHORT = {
    "NMF": "NMF: only adds",
    "SVD": "SVD: any sign",
    "PCA": "PCA: mean, any sign",
    "VQ": "VQ: one whole each",
    "ICA": "ICA: any sign",
    "LDA": "LDA: topics",
}


def offered(dataset: Dataset) -> tuple[str, ...]:
    """Return the rivals that make sense for a data set: LDA is for counts alone."""
    values = dataset.X.data if hasattr(dataset.X, "indptr") else dataset.X[~np.isnan(dataset.X)]
    counts = bool(values.size and (values == np.round(values)).all() and values.max() > 1)
    return ("SVD", "PCA", "VQ", "ICA", *(("LDA",) if counts else ()))


@dataclass(frozen=True, slots=True)
class RivalsWork(StagedWork):
    """Decompose the data by several methods, one after the other.

    Attributes
    ----------
    rank : int
    names : tuple of str
        Of `TITLES`, without NMF.
    seed : int
        For the methods that start at random.
    """

    rank: int = 3
    names: tuple[str, ...] = ("SVD", "PCA", "VQ", "ICA")
    seed: int = 0
    NAME: ClassVar[str] = "other-methods"

    def plan(self, dataset: Dataset) -> tuple[Step | Fit, ...]:
        """One method after the other."""
        X = matrix(dataset)
        rank = min(self.rank, *X.shape)
        make: dict[str, Any] = {
            "SVD": lambda: trimmed(svd(X, rank)),
            "PCA": lambda: trimmed(pca(X, rank)),
            "VQ": lambda: quantization(X, rank, self.seed),
            "ICA": lambda: ica(X, rank, self.seed),
            "LDA": lambda: lda(X, rank, self.seed),
        }
        unknown = [name for name in self.names if name not in make]
        if unknown:
            raise ValueError(f"names: unknown method {unknown[0]!r}; use some of {', '.join(make)}")

        def stage(name: str) -> Step:
            return Step(TITLES[name], lambda done: on_known_cells(dataset, make[name]()))

        return tuple(map(stage, self.names))

    def finish(self, dataset: Dataset, done: tuple[Any, ...]) -> tuple[Method, ...] | None:
        """Return the methods done so far."""
        return done or None


@lru_cache(maxsize=2)  # by identity: data sets are immutable
def matrix(dataset: Dataset) -> Array:
    """Return X dense in double precision, unknown cells filled with the mean of their column."""
    return filled(clean(dataset))


def nmf(dataset: Dataset, model: FitResult | Parts) -> Method:
    """Return a factorization, as fitted or as named and ordered by a visitor, in the same form as its rivals."""
    W = model.recipe if isinstance(model, Parts) else model.W
    X = matrix(dataset)
    return on_known_cells(dataset, measured("NMF", X, model.H, W, np.zeros(X.shape[1])))


def on_known_cells(dataset: Dataset, method: Method) -> Method:
    """Return the method with its error over known cells alone: what stands in the others nobody knows.

    An error of mere rounding is 0.
    """
    if dataset.mask is None:
        return method if method.error > 1e-9 else replace(method, error=0.0)
    return replace(method, error=off(clean(dataset), method.offset + method.codes @ method.parts))


def trimmed(method: Method) -> Method:
    """Return the method without components that hold nothing: data of a low rank leave axes of pure rounding."""
    amount = np.linalg.norm(method.codes, axis=0) * np.linalg.norm(method.parts, axis=1)
    kept = amount > 1e-9 * amount.max()
    if kept.all() or not kept.any():
        return method
    return replace(
        method,
        parts=method.parts[kept],
        codes=method.codes[:, kept],
        sparseness_parts=method.sparseness_parts[kept],
    )


def svd(X: Array, rank: int) -> Method:
    """Return the truncated singular value decomposition: no other sum of `rank` products is nearer to X."""
    if min(X.shape) <= 1000:
        U, s, V = np.linalg.svd(X, full_matrices=False)
    else:
        from sklearn.utils.extmath import randomized_svd

        U, s, V = randomized_svd(X, rank, n_iter=7, random_state=0)
    # Each axis points to where most of it lies, so that the mean direction is positive.
    sign = np.where(V[:rank].sum(axis=1) < 0, -1.0, 1.0)[:, None]
    return measured("SVD", X, V[:rank] * sign, U[:, :rank] * s[:rank] * sign.T, np.zeros(X.shape[1]))


def ica(X: Array, rank: int, seed: int = 0) -> Method:
    """Return independent component analysis (FastICA): samples as sums of sources that are as independent as can be."""
    from sklearn.decomposition import FastICA

    # Directions without any variance would be blown up to sources of pure rounding.
    rank = len(trimmed(pca(X, min(rank, max(1, min(X.shape) - 1)))).parts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says when it has not converged; what it has found is shown all the same
        model = FastICA(rank, random_state=seed, whiten="unit-variance", max_iter=400, tol=1e-3).fit(X)
    codes = model.transform(X)
    return measured("ICA", X, model.mixing_.T, codes, model.mean_)


def lda(X: Array, rank: int, seed: int = 0) -> Method:
    """Return latent Dirichlet allocation: topics (rows sum to 1) and how many words of each a document holds."""
    from sklearn.decomposition import LatentDirichletAllocation

    model = LatentDirichletAllocation(rank, random_state=seed, max_iter=20, learning_method="batch")
    share = model.fit_transform(X)
    topics = model.components_ / model.components_.sum(axis=1, keepdims=True)
    return measured("LDA", X, topics, share * X.sum(axis=1, keepdims=True), np.zeros(X.shape[1]))


def negatives(method: Method) -> float:
    """Return the share of entries of parts and codes below zero (rounding aside)."""
    count = below(method.parts) * method.parts.size + below(method.codes) * method.codes.size
    return count / (method.parts.size + method.codes.size)


def signs(method: Method) -> tuple[float, float]:
    """Return the share of negative entries of the components and of the codes."""
    return below(method.parts), below(method.codes)


def below(values: Array) -> float:
    """Return the share of entries below zero, beyond rounding."""
    return float((values < -1e-9 * np.abs(values).max()).mean()) if values.size else 0.0


def running_sum(method: Method, row: int) -> tuple[Array, Array]:
    """Return a sample's contributions, the largest first: order of shape (rank,), contributions (rank, n_features).

    The offset (PCA's and ICA's mean) is not among them.
    """
    contributions = method.codes[row][:, None] * method.parts
    order = np.argsort(-np.abs(contributions).sum(axis=1), kind="stable")
    return order, contributions[order]
