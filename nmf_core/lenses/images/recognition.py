"""Who is it? Nearest neighbour on codes, cross-validated, for NMF, PCA, VQ and raw pixels."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nmf_core.lenses.images.prepare import dense
from nmf_core.staged import Fit, StagedWork, Step
from nmf_core.types import Array, Dataset, FitRequest

if TYPE_CHECKING:
    import pandas as pd

RAW = "raw pixels"
#: What is compared: name → explanation.
FEATURES = {
    "NMF": "rows of W (parts scaled to length 1), cosine",
    "NMF, rebuilt": "the pictures WH themselves, Euclidean",
    "PCA": "scores, the better of cosine and Euclidean",
    "VQ": "the nearest prototype: pictures that share it count as equal",
    "VQ, distances": "distances to all prototypes, Euclidean",
    RAW: "all pixels, the better of cosine and Euclidean",
}
MAX_ROWS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Recognition:
    """Cross-validated recognition.

    Attributes
    ----------
    classes : ndarray of str of shape (n,)
        Of the pictures used.
    rows : ndarray of int of shape (n,)
        Their rows in the data set.
    folds : int
    ranks : tuple of int
        Done so far.
    nearest : mapping of (method, rank) to ndarray of int of shape (n,)
        For each picture, the position of the training picture nearest to it when it was held out. Raw pixels: rank 0.
    fold_of : ndarray of int of shape (n,)
    complete : bool
        All ranks asked for are done.
    """

    classes: Array
    rows: Array
    folds: int
    ranks: tuple[int, ...]
    nearest: Mapping[tuple[str, int], Array]
    fold_of: Array
    complete: bool = True

    def accuracy(self, method: str, rank: int) -> tuple[float, float]:
        """Return the share of pictures whose neighbour is of the same class, and its standard error over folds."""
        right = self.classes[self.nearest[method, rank]] == self.classes
        per_fold = np.array([right[self.fold_of == f].mean() for f in range(self.folds)])
        return float(right.mean()), float(per_fold.std(ddof=1) / np.sqrt(self.folds))

    def best(self, method: str) -> tuple[int, float]:
        """Return the rank at which a method does best (the smallest of equals) and its accuracy there."""
        ranks = [r for m, r in self.nearest if m == method]
        rank = max(sorted(ranks), key=lambda r: self.accuracy(method, r)[0])
        return rank, self.accuracy(method, rank)[0]

    def confusions(self, method: str, rank: int) -> tuple[Array, Array]:
        """Return positions of the pictures taken for someone else, and of the pictures they were taken for."""
        near = self.nearest[method, rank]
        wrong = np.flatnonzero(self.classes[near] != self.classes)
        return wrong, near[wrong]

    def table(self) -> pd.DataFrame:
        """Return one row per method and rank: accuracy and its standard error."""
        import pandas as pd

        out = []
        for method, rank in self.nearest:
            mean, error = self.accuracy(method, rank)
            out.append({"method": method, "rank": rank or None, "accuracy": mean, "standard error": error})
        return pd.DataFrame(out)


@dataclass(frozen=True, slots=True)
class RecognitionWork(StagedWork):
    """Hold out one fold after another; learn parts from the rest, fold the held-out pictures in, find neighbours.

    Attributes
    ----------
    label : str
        Column of ``dataset.labels`` that says who it is.
    ranks : tuple of int
        Rising.
    folds : int
    seed : int
    max_iter : int
    """

    label: str = "person"
    ranks: tuple[int, ...] = (10, 20, 40, 60)
    folds: int = 5
    seed: int = 0
    max_iter: int = 100
    NAME: ClassVar[str] = "recognition"

    def plan(self, dataset: Dataset) -> tuple[Step | Fit, ...]:
        """Raw pixels first, then rank by rank and fold by fold."""
        X, _, classes, fold_of, folds = self._split(dataset)
        stages: list[Step | Fit] = [Step("Raw pixels", lambda done: _raw(X, classes, fold_of, folds))]
        for rank in self._ranks(X, folds):
            for fold in range(folds):
                train, test = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
                request = FitRequest(rank=rank, init="nndsvda", seed=self.seed, max_iter=self.max_iter, tol=1e-4)

                def make(done: tuple[Any, ...], train: Array = train, request: FitRequest = request) -> Any:
                    return Dataset.of(X[train]), request

                def then(result: Any, train: Array = train, test: Array = test, rank: int = rank) -> Any:
                    return _neighbours(X, classes, train, test, rank, result.H, self.seed)

                stages.append(Fit(f"Rank {rank}, fold {fold + 1} of {folds}", make, then))
        return tuple(stages)

    def finish(self, dataset: Dataset, done: tuple[Any, ...]) -> Recognition | None:
        """Return the ranks for which all folds are done."""
        if not done:
            return None
        X, rows, classes, fold_of, folds = self._split(dataset)
        nearest: dict[tuple[str, int], Array] = {(RAW, 0): done[0]}
        finished = []
        for i, rank in enumerate(self._ranks(X, folds)):
            parts = done[1 + folds * i : 1 + folds * (i + 1)]
            if len(parts) < folds:
                break
            finished.append(rank)
            for method in parts[0]:
                near = np.zeros(len(X), dtype=np.int64)
                for fold, found in enumerate(parts):
                    near[fold_of == fold] = found[method]
                nearest[method, rank] = near
        complete = len(finished) == len(self._ranks(X, folds))
        return Recognition(classes, rows, folds, tuple(finished), nearest, fold_of, complete)

    def _split(self, dataset: Dataset) -> tuple[Array, Array, Array, Array, int]:
        X, _ = dense(dataset)
        if self.label not in dataset.labels:
            raise ValueError(
                f"label: there is no column {self.label!r}; there are {', '.join(dataset.labels) or 'none'}"
            )
        rows, classes, fold_of, folds = split(np.asarray(dataset.labels[self.label]).astype(str), self.folds, self.seed)
        return X[rows], rows, classes, fold_of, folds

    def _ranks(self, X: Array, folds: int) -> tuple[int, ...]:
        top = min(len(X) - -(-len(X) // folds), X.shape[1])
        return tuple(sorted({min(r, top) for r in self.ranks}))


def usable_labels(dataset: Dataset) -> list[str]:
    """Return the label columns that name classes with two or more pictures each, on the whole."""
    out = []
    for name, values in dataset.labels.items():
        _, counts = np.unique(np.asarray(values).astype(str), return_counts=True)
        if len(counts) >= 2 and counts[counts >= 2].sum() >= 0.5 * len(values):
            out.append(name)
    return out


def split(classes: Array, folds: int, seed: int) -> tuple[Array, Array, Array, int]:
    """Return which pictures take part, their classes and folds, and the number of folds.

    Classes of a single picture are left out; more than `MAX_ROWS` pictures are thinned out at random. Each class is
    spread over the folds as evenly as it goes.

    Raises
    ------
    ValueError
        If fewer than two classes have two pictures.
    """
    names, inverse, counts = np.unique(classes, return_inverse=True, return_counts=True)
    rows = np.flatnonzero(counts[inverse] >= 2)
    if len(np.unique(inverse[rows])) < 2:
        raise ValueError("label: recognition needs two classes or more with at least two pictures each")
    rng = np.random.default_rng(seed)
    if len(rows) > MAX_ROWS:
        rows = np.sort(rng.permutation(rows)[:MAX_ROWS])
        kept = np.bincount(inverse[rows], minlength=len(names))
        rows = rows[kept[inverse[rows]] >= 2]
    folds = int(max(2, min(folds, counts[counts >= 2].max())))
    fold_of = np.zeros(len(rows), dtype=np.int64)
    for c in np.unique(inverse[rows]):
        members = rng.permutation(np.flatnonzero(inverse[rows] == c))
        fold_of[members] = (np.arange(len(members)) + rng.integers(folds)) % folds
    return rows, classes[rows], fold_of, folds


def fold_in(X: Array, H: Array) -> Array:
    """Return W ≥ 0 for pictures and fixed parts: non-negative least squares, to a tight tolerance."""
    from nmf_core.fit import fit

    request = FitRequest(rank=len(H), init="custom", max_iter=300, tol=1e-6)
    start = np.full((len(X), len(H)), np.float32(X.mean() / max(float(H.sum(axis=0).mean()), 1e-12)), dtype=X.dtype)
    return fit(X, request, W=start, H=np.asarray(H, dtype=X.dtype), update_H=False).W


def _nearest(train: Array, test: Array, *, cosine: bool) -> Array:
    """Return, for each test row, the nearest training row; the first of equals."""
    A, B = (np.asarray(F, dtype=np.float64) for F in (train, test))
    if cosine:
        A, B = (F / np.maximum(np.linalg.norm(F, axis=1, keepdims=True), 1e-12) for F in (A, B))
    distance = (A**2).sum(axis=1)[None] - 2 * B @ A.T
    return distance.argmin(axis=1)


def _better(train: Array, test: Array, classes: Array, at: Array, to: Array) -> Array:
    """Return neighbours by cosine or Euclidean distance, whichever is right more often on these pictures."""
    found = [at[_nearest(train, test, cosine=c)] for c in (False, True)]
    return max(found, key=lambda near: float((classes[near] == classes[to]).mean()))


def _raw(X: Array, classes: Array, fold_of: Array, folds: int) -> Array:
    near = np.zeros(len(X), dtype=np.int64)
    for fold in range(folds):
        train, test = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        near[test] = _better(X[train], X[test], classes, train, test)
    return near


def _neighbours(
    X: Array, classes: Array, train: Array, test: Array, rank: int, H: Array, seed: int
) -> dict[str, Array]:
    """Return for each method the training pictures nearest to the test pictures."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    A, B = X[train], X[test]
    W_train, W_test = fold_in(A, H), fold_in(B, H)
    length = np.linalg.norm(H, axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # equal pictures
        pca = PCA(rank, svd_solver="randomized", random_state=seed).fit(A)
        vq = KMeans(rank, n_init=1, random_state=seed).fit(A)
    centres = vq.cluster_centers_
    return {
        "NMF": train[_nearest(W_train * length, W_test * length, cosine=True)],
        "NMF, rebuilt": train[_nearest(W_train @ H, W_test @ H, cosine=False)],
        "PCA": _better(pca.transform(A), pca.transform(B), classes, train, test),
        "VQ": train[_nearest(centres[vq.labels_], centres[vq.predict(B)], cosine=False)],
        "VQ, distances": train[_nearest(vq.transform(A), vq.transform(B), cosine=False)],
    }
