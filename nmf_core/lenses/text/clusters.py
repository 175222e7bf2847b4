"""Documents in groups, and how well the groups agree with a label that comes with the data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.lenses.text.documents import dominant
from nmf_core.lenses.text.vectorize import short_indices
from nmf_core.types import Array, Chunk, Dataset, Stop

if TYPE_CHECKING:
    import pandas as pd

MISSING = ("", "nan", "NaN", "None", "NA")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well groups of documents agree with a label.

    Attributes
    ----------
    ari : float
        Adjusted Rand index (Hubert & Arabie 1985): 0 by chance, 1 for equal groups.
    nmi : float
        Normalised mutual information, arithmetic mean; not corrected for chance.
    ami : float
        Adjusted mutual information (Vinh, Epps & Bailey 2010): 0 by chance.
    n : int
        Documents compared: those with a label and a group.
    n_labels : int
        Different labels among them.
    """

    ari: float
    nmi: float
    ami: float
    n: int
    n_labels: int


def known(labels: Array) -> Array:
    """Tell which labels hold something."""
    return ~np.isin(np.asarray(labels).astype(str), MISSING)


def by_dominant(shares: Array) -> Array:
    """Put each document with its largest topic; −1 for a document without words."""
    return dominant(shares)


def by_kmeans(shares: Array, n_clusters: int, seed: int = 0) -> Array:
    """Put documents into groups by k-means on their topic shares scaled to length 1; −1: a document without words."""
    from sklearn.cluster import KMeans

    lengths = np.linalg.norm(shares, axis=1)
    held = lengths > 0
    groups = np.full(len(shares), -1)
    points = shares[held] / lengths[held, None]
    n_clusters = min(n_clusters, len(np.unique(points.round(12), axis=0)))
    if n_clusters >= 1:
        groups[held] = KMeans(n_clusters, n_init=5, random_state=seed).fit_predict(points)
    return groups


def by_words(X: Any, n_clusters: int, seed: int = 0) -> Array:
    """The usual alternative without topics: k-means on the words themselves, rows scaled to length 1."""
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import normalize

    held = np.diff(X.indptr) > 0
    groups = np.full(X.shape[0], -1)
    n_clusters = min(n_clusters, int(held.sum()))
    if n_clusters >= 1:
        groups[held] = KMeans(n_clusters, n_init=1, random_state=seed).fit_predict(short_indices(normalize(X[held])))
    return groups


def agreement(groups: Array, labels: Array) -> Agreement:
    """Compare groups with labels over the documents that have both.

    Parameters
    ----------
    groups : ndarray of int of shape (n_documents,)
        −1: no group.
    labels : ndarray of shape (n_documents,)
        Empty or "nan": no label.
    """
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, normalized_mutual_info_score

    both = (groups >= 0) & known(labels)
    g, codes = groups[both], np.unique(np.asarray(labels).astype(str)[both], return_inverse=True)[1]
    if not len(g):
        return Agreement(float("nan"), float("nan"), float("nan"), 0, 0)
    return Agreement(
        float(adjusted_rand_score(codes, g)),
        float(normalized_mutual_info_score(codes, g)),
        float(adjusted_mutual_info_score(codes, g)),
        len(g),
        int(codes.max()) + 1,
    )


def cross_table(groups: Array, labels: Array, group_names: tuple[str, ...], most: int = 20) -> pd.DataFrame:
    """Count documents per label (rows, the most frequent first) and group (columns).

    Labels beyond the `most` frequent are added up as "(others)", missing ones are left out.
    """
    import pandas as pd

    both = (groups >= 0) & known(labels)
    text = np.asarray(labels).astype(str)[both]
    names, codes, counts = np.unique(text, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    rank_of = np.empty(len(names), dtype=int)
    rank_of[order] = np.arange(len(names))
    rows = [str(names[i]) for i in order[:most]]
    place = np.minimum(rank_of[codes], most)
    table = np.zeros((len(rows) + (len(names) > most), len(group_names)), dtype=int)
    np.add.at(table, (place, groups[both]), 1)
    return pd.DataFrame(table, index=rows + (["(others)"] if len(names) > most else []), columns=list(group_names))


@dataclass(frozen=True, slots=True)
class PlainGroups:
    """Work: :func:`by_words` on a data set, which takes seconds on a large corpus.

    Attributes
    ----------
    dataset_id : str
    n_clusters : int
    seed : int
    """

    dataset_id: str
    n_clusters: int
    seed: int = 0

    @property
    def key(self) -> str:
        """Digest of everything that decides the result."""
        return hashlib.blake2b(f"plain groups {self!r}".encode(), digest_size=12).hexdigest()

    def advance(self, dataset: Dataset, state: Any, budget: float) -> Chunk:
        """Do it all: scikit-learn's k-means cannot be cut."""
        return Chunk(by_words(dataset.X, self.n_clusters, self.seed), Stop.CONVERGED, 1.0, "grouped by words")

    def result(self, dataset: Dataset, state: Array | None, stop: Stop) -> Array | None:
        """Return the group of each document."""
        return state
