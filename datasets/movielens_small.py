"""Film ratings: most cells are unknown."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from datasets._files import arrays, frame
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="MovieLens ratings (most cells unknown)",
    kind="ratings",
    shape=(671, 9066),
    story="100,004 ratings of films, 98 % of the cells unknown: only what was rated counts, and the parts are tastes.",
    rows_are="users",
    cols_are="films",
    source="GroupLens, in R package dslabs",
    licence="GroupLens: redistribution under the same terms, non-commercial use only, acknowledgement, no endorsement",
    citation="F. M. Harper & J. A. Konstan (2015), The MovieLens datasets: history and context, doi:10.1145/2827872",
    rank=5,
    order=190,
)


def load() -> Dataset:
    """Return 671 users × 9066 films in stars (0.5 to 5); a cell not stored is unknown."""
    raw, films = arrays("movielens_small", "ratings.npz"), frame("movielens_small", "movies.csv.gz")
    stars = raw["half_stars"].astype(float) / 2
    X = sp.coo_array((stars, (raw["user"].astype(int), raw["movie"].astype(int))), shape=(671, len(films)))
    titles = films["title"].astype(str) + " (" + films["year"].astype(str) + ")"
    return Dataset.of(
        X.tocsr(),
        INFO.title,
        kind=INFO.kind,
        mask="unstored",
        rows=[f"user {i + 1}" for i in range(671)],
        cols=titles,
        extra={"genres": films["genres"].to_numpy(str), "n_ratings": np.bincount(raw["movie"], minlength=len(films))},
    )
