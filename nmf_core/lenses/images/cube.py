"""Spectral cubes: where each material lies and what its spectrum is, beside ground truth and k-means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nmf_core.components import Parts
from nmf_core.lenses.images.prepare import dense
from nmf_core.staged import Fit, StagedWork, Step
from nmf_core.types import Array, Dataset

if TYPE_CHECKING:
    import pandas as pd

UNLABELLED = ("unlabelled", "unlabeled", "background", "unknown", "none", "0", "")


def image_shape(dataset: Dataset) -> tuple[int, int]:
    """Return (height, width) of the scene.

    Raises
    ------
    ValueError
        If the data set does not say, or its pixels do not fill the scene.
    """
    shape = dataset.extra.get("image_shape")
    n = dataset.shape[0]
    if shape is None or len(shape) != 2 or int(shape[0]) * int(shape[1]) != n:
        raise ValueError(
            f"image_shape: {n:,} spectra without the height and width of the scene; open the cube as a NumPy array of "
            "height × width × bands"
        )
    return (int(shape[0]), int(shape[1]))


def abundances(parts: Parts) -> Array:
    """Return the share of each part in every pixel, (n_pixels, rank), rows summing to 1 (0 for a black pixel)."""
    amounts = parts.amounts
    total = amounts.sum(axis=1, keepdims=True)
    return np.divide(amounts, total, out=np.zeros_like(amounts), where=total > 0)


def maps(values: Array, shape: tuple[int, int]) -> Array:
    """Return columns of (n_pixels, k) as k pictures."""
    return np.ascontiguousarray(np.asarray(values).T).reshape(-1, *shape)


def false_color(dataset: Dataset, shape: tuple[int, int]) -> Array:
    """Return the scene as a colour picture of three bands (late, middle and early), each stretched over its 2–98 %."""
    m = dataset.shape[1]
    picked = [round(q * (m - 1)) for q in (0.75, 0.4, 0.12)]
    X, _ = dense(dataset)
    planes = []
    for band in picked:
        low, high = np.percentile(X[:, band], (2, 98))
        planes.append(np.clip((X[:, band] - low) / (high - low if high > low else 1.0), 0, 1))
    return np.stack(planes, axis=1).reshape(*shape, 3)


def is_labelled(classes: Array) -> Array:
    """Tell which pixels have a class: those whose label is not a word for "none"."""
    return ~np.isin(np.char.lower(np.asarray(classes).astype(str)), UNLABELLED)


def mean_by_class(shares: Array, classes: Array) -> pd.DataFrame:
    """Return the mean share of each part (columns) over the pixels of each class (rows), with the number of pixels."""
    import pandas as pd

    frame = pd.DataFrame(shares, columns=[f"part {k + 1}" for k in range(shares.shape[1])])
    frame.insert(0, "class", np.asarray(classes).astype(str))
    out = frame.groupby("class").mean()
    out.insert(0, "pixels", frame.groupby("class").size())
    return out[is_labelled(out.index.to_numpy())].sort_values("pixels", ascending=False)


def telling(shares: Array, classes: Array) -> pd.DataFrame:
    """Return, for each class, the part whose share tells its pixels best from all other labelled ones.

    Columns: class, pixels, part (position), AUC: the chance that a pixel of the class holds more of the part than a
    labelled pixel of another class (½: no better than a coin).
    """
    import pandas as pd
    from scipy.stats import rankdata

    known = is_labelled(classes)
    names = np.asarray(classes).astype(str)[known]
    ranks = rankdata(shares[known], axis=0)
    rows = []
    for name in np.unique(names):
        inside = names == name
        n, rest = int(inside.sum()), int((~inside).sum())
        if rest == 0:
            continue
        area = (ranks[inside].sum(axis=0) - n * (n + 1) / 2) / (n * rest)
        best = int(area.argmax())
        rows.append({"class": name, "pixels": n, "part": best, "AUC": float(area[best])})
    return pd.DataFrame(rows, columns=["class", "pixels", "part", "AUC"]).sort_values("AUC", ascending=False)


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """How well materials agree with the ground truth, for NMF and for k-means at the same rank.

    Attributes
    ----------
    nmf, kmeans, pca : float
        Normalised mutual information between classes and: the part with the largest share; the cluster; the cluster
        of the first PCA scores (as many as parts). Labelled pixels alone.
    pixels : int
    """

    nmf: float
    kmeans: float
    pca: float
    pixels: int


def agreement(shares: Array, X: Array, classes: Array, seed: int = 0) -> Agreement | None:
    """Compare the strongest part per pixel, and the two usual alternatives, with the ground truth."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from sklearn.metrics import normalized_mutual_info_score

    known = is_labelled(classes)
    names = np.asarray(classes).astype(str)[known]
    if len(np.unique(names)) < 2:
        return None
    rank = shares.shape[1]
    # Balanced by their means, else the brightest material would be the strongest nearly everywhere.
    balanced = shares / np.maximum(shares.mean(axis=0), 1e-12)
    strongest = balanced[known].argmax(axis=1)
    clusters = KMeans(rank, n_init=4, random_state=seed).fit_predict(X[known])
    scores = PCA(min(rank, X.shape[1]), random_state=seed, whiten=True).fit_transform(X)[known]
    pca_clusters = KMeans(rank, n_init=4, random_state=seed).fit_predict(scores)
    nmi = normalized_mutual_info_score
    return Agreement(
        float(nmi(names, strongest)), float(nmi(names, clusters)), float(nmi(names, pca_clusters)), int(known.sum())
    )


def spectral_angle(spectrum: Array, others: Array) -> Array:
    """Return the angle in degrees between one spectrum and each of others, (n, n_bands): 0 for equal shapes."""
    a = np.asarray(spectrum, dtype=np.float64)
    B = np.asarray(others, dtype=np.float64)
    size = np.linalg.norm(a) * np.linalg.norm(B, axis=1)
    cos = np.divide(B @ a, size, out=np.zeros(len(B)), where=size > 0)
    return np.degrees(np.arccos(np.clip(cos, -1, 1)))


@dataclass(frozen=True, slots=True)
class AgreementWork(StagedWork):
    """Compare a factorization with the ground truth as a work, for scenes where that takes a while.

    Attributes
    ----------
    request : FitRequest
        Of the factorization.
    label : str
        Column of labels with the ground truth.
    """

    request: Any = None
    label: str = ""
    NAME: ClassVar[str] = "cube-agreement"

    def plan(self, dataset: Dataset) -> tuple[Step | Fit, ...]:
        """Fit (found again in no time if it is known), then cluster."""
        from nmf_core.components import present

        X, _ = dense(dataset)
        classes = np.asarray(dataset.labels[self.label])
        return (
            Fit("Finding the materials", lambda done: (dataset, self.request)),
            Step("k-means beside it", lambda done: (agreement(abundances(present(dataset, done[0])), X, classes),)),
        )

    def finish(self, dataset: Dataset, done: tuple[Any, ...]) -> Agreement | None:
        """Return the agreement."""
        return done[1][0] if len(done) > 1 else None
