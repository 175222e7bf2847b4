"""Two results: which component is which, what differs in each, and what changed in the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.components import Matching, Parts, dominant, match
from nmf_core.types import Array, Dataset, FitRequest

if TYPE_CHECKING:
    import pandas as pd

#: What people read for the fields of a request.
SETTINGS = {
    "rank": "rank",
    "solver": "solver",
    "loss": "loss",
    "init": "initialization",
    "seed": "seed",
    "n_restarts": "restarts",
    "max_iter": "iterations at most",
    "tol": "tolerance",
    "stop_rule": "stopping rule",
    "time_limit": "seconds at most",
    "alpha_W": "penalty on W",
    "alpha_H": "penalty on H",
    "l1_ratio": "share of L1 in the penalty",
    "options": "options of the solver",
}


def changes(a: FitRequest, b: FitRequest) -> list[tuple[str, Any, Any]]:
    """Return the settings that differ: (name, value in a, value in b)."""
    one, two = a.to_json(), b.to_json()
    return [(name, one[name], two[name]) for name in one if one[name] != two[name]]


def data_changes(a: Dataset, b: Dataset) -> list[tuple[str, str, str]]:
    """Return how two data sets differ: name, size, features, preparation; empty for the same data."""
    if a.id == b.id:
        return []
    found = [("data", a.name, b.name)] if a.name != b.name else []
    before, after = (f"{d.shape[0]:,} × {d.shape[1]:,}" for d in (a, b))
    if before != after:
        found.append(("rows × columns", before, after))
    steps = ["; ".join(_step(step) for step in d.steps) for d in (a, b)]
    if steps[0] != steps[1]:
        found.append(("preparation", steps[0] or "none", steps[1] or "none"))
    return found or [("data", "other numbers", "in the same table")]


def told_apart(titles: Sequence[str], datasets: Sequence[Dataset], requests: Sequence[FitRequest]) -> list[str]:
    """Return titles of results, all different: those that are alike say what their results differ in.

    Parameters
    ----------
    titles : sequence of str
    datasets, requests : sequences
        Of the results, in the same order.
    """
    out = list(titles)
    for title in dict.fromkeys(titles):
        alike = [i for i, other in enumerate(titles) if other == title]
        differ = dict.fromkeys(
            name for i in alike[1:] for name, _, _ in changes(requests[alike[0]], requests[i]) if name != "dataset_id"
        )
        others = dict.fromkeys(name for i in alike[1:] for name, _, _ in data_changes(datasets[alike[0]], datasets[i]))
        for i in alike:
            values = requests[i].to_json()
            told = [f"{SETTINGS.get(name, name)} {values[name]}" for name in differ]
            if "rows × columns" in others:
                told.append(f"{datasets[i].shape[0]:,} × {datasets[i].shape[1]:,}")
            if "preparation" in others:
                told.append("; ".join(_step(step) for step in datasets[i].steps) or "not prepared")
            out[i] = ", ".join([title, *told])
    seen: dict[str, int] = {}
    for i, title in enumerate(out):  # the same request on the same data: fits from starts of one's own
        seen[title] = seen.get(title, 0) + 1
        out[i] = title if seen[title] == 1 else f"{title} ({seen[title]})"
    return out


def _step(step: Mapping[str, Any]) -> str:
    """Return a step of the preparation in words: its name, and its options without what it learned from the data."""
    options = [f"{key} {value}" for key, value in step.items() if key not in ("step", "learned")]
    return f"{step.get('step', 'step')}" + (f" ({', '.join(options)})" if options else "")


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two results on the features they share.

    Attributes
    ----------
    a, b : Parts
        H cut down to the shared features and brought to sums of 1.
    cols : ndarray of str
        The shared features.
    matching : Matching
    left_out : tuple of int
        Features of a and of b that the other does not have.
    """

    a: Parts
    b: Parts
    cols: Array
    matching: Matching
    left_out: tuple[int, int]


def pair(a: Parts, cols_a: Array, b: Parts, cols_b: Array) -> Pair | None:
    """Put two results side by side on the features both have, by name; None if there are fewer than two.

    Preparing data may drop or add features; those that stay are compared. Names that occur twice tell no feature apart,
    so then all features must be the same in the same order.
    """
    if np.array_equal(cols_a, cols_b):
        at_a = at_b = np.arange(len(cols_a))
    elif len(np.unique(cols_a)) < len(cols_a) or len(np.unique(cols_b)) < len(cols_b):
        return None
    else:
        _, at_a, at_b = np.intersect1d(cols_a, cols_b, return_indices=True)
        order = np.argsort(at_b)
        at_a, at_b = at_a[order], at_b[order]
    if len(at_a) < 2:
        return None
    a, b = (replace(p, H=_shares(p.H[:, at])) for p, at in ((a, at_a), (b, at_b)))
    left_out = (len(cols_a) - len(at_a), len(cols_b) - len(at_b))
    return Pair(a, b, cols_b[at_b], match(a.H, b.H), left_out)


def matched(pair: Pair, n: int = 3) -> pd.DataFrame:
    """Return the pairs of components, the most similar first, with the features that differ most.

    Parameters
    ----------
    pair : Pair
    n : int
        Features named per pair.
    """
    import pandas as pd

    a, b, found = pair.a, pair.b, pair.matching
    rows = []
    for i, j, similarity in zip(found.a, found.b, found.similarity, strict=True):
        gap = b.H[j] - a.H[i]
        most = np.argsort(-np.abs(gap), kind="stable")[:n]
        told = [f"{pair.cols[m]} {100 * gap[m]:+.1f}" for m in most if abs(gap[m]) >= 5e-4]
        rows.append((a.names[i], b.names[j], float(similarity), ", ".join(told)))
    rows.sort(key=lambda row: -row[2])
    partner_a, partner_b = set(found.a.tolist()), set(found.b.tolist())
    rows += [(a.names[i], "", np.nan, "no counterpart") for i in range(a.rank) if i not in partner_a]
    rows += [("", b.names[j], np.nan, "no counterpart") for j in range(b.rank) if j not in partner_b]
    return pd.DataFrame(rows, columns=["first", "second", "cosine", "largest differences (points of share)"])


def same_main_part(pair: Pair) -> float | None:
    """Return the share of samples whose main part in one result is the counterpart of that in the other.

    None where the two results are not of the same number of samples. Samples without any part in both count as equal.
    """
    if len(pair.a.W) != len(pair.b.W) or not len(pair.a.W):
        return None
    partner = np.full(pair.a.rank + 1, -2)  # −2: a part without counterpart agrees with nothing
    partner[-1] = -1
    partner[pair.matching.a] = pair.matching.b
    return float((partner[dominant(pair.a)] == dominant(pair.b)).mean())


def _shares(H: Array) -> Array:
    return np.asarray(H / np.maximum(H.sum(axis=1, keepdims=True), 1e-300), dtype=np.float64)
