"""Who fell fastest, who ended lowest, and how many different answers there were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.comparison.run import Run
from nmf_core.components import match
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd

#: Components of two results count as the same solution when every matched pair is at least so similar.
SAME = 0.99
#: A run has arrived when it is no more than this above the best.
ARRIVED = 0.01
#: Where less than this share of the loss at the start is left, X is met exactly: what differs below is rounding.
EXACT = 1e-6
_LOSSES = {"frobenius": "Frobenius", "kullback-leibler": "Kullback-Leibler", "itakura-saito": "Itakura-Saito"}


def loss_title(loss: str | float) -> str:
    """Return how people call a loss."""
    return _LOSSES.get(loss, str(loss)) if isinstance(loss, str) else f"β = {loss:g}"


def best_known(runs: tuple[Run, ...], known: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return the smallest loss of each kind: of these runs, or `known` from elsewhere."""
    best = dict(known or {})
    for run in runs:
        name = loss_title(run.request.loss)
        best[name] = min(run.loss, best.get(name, np.inf))
    return best


def started(runs: Iterable[Any]) -> dict[str, float]:
    """Return the largest loss at the start among the runs of each kind: what "exactly" is measured by."""
    out: dict[str, float] = {}
    for run in runs:
        name = loss_title(run.request.loss)
        out[name] = max(float(run.losses[0]), out.get(name, 0.0))
    return out


def above(loss: Array | float, best: float, start: float = 0.0) -> Array:
    """Return how far losses are above the best, as a share of it.

    Parameters
    ----------
    loss : float or ndarray
    best : float
    start : float
        Loss at the start, see `started`. A best below a millionth of it is rounding; distances are then shares of that
        millionth, or one run at 1e-12 would be called thousands of times better than another at 1e-9. If that is 0, too,
        they are losses as they are.
    """
    unit = max(best, EXACT * start)
    return np.maximum(np.asarray(loss, dtype=float) - best, 0.0) / (unit if unit > 0 else 1.0)


def exact(runs: Iterable[Any], best: Mapping[str, float]) -> tuple[str, ...]:
    """Return the kinds of loss whose best known value is mere rounding: X is met exactly."""
    return tuple(title for title, start in started(runs).items() if best[title] < EXACT * start)


def standings(runs: tuple[Run, ...], best: Mapping[str, float], same: float = SAME) -> pd.DataFrame:
    """Return one row per run.

    Parameters
    ----------
    runs : tuple of Run
    best : mapping of loss title to the best known value
    same : float
        See `solutions`; solutions are numbered within each loss.
    """
    import pandas as pd

    numbers, start = _numbered(runs, same), started(runs)
    rows = []
    for run, number in zip(runs, numbers, strict=True):
        title = loss_title(run.request.loss)
        over = above(run.losses, best[title], start[title])
        there = np.flatnonzero(over <= ARRIVED)
        rows.append(
            {
                "loss": title,
                "solver": f"scikit-learn’s {run.request.solver}" if run.own else run.request.solver,
                "start": run.request.init,
                "seed": run.request.seed,
                "final loss": run.loss,
                "above the best": float(over[-1]),
                "seconds to within 1 %": float(run.seconds[there[0]]) if there.size else np.nan,
                "seconds": float(run.seconds[-1]),
                "iterations": int(run.iterations[-1]),
                "solution": number,
                "relative error": run.error,
                "KL divergence": run.divergence,
                "ended": run.ended,
            }
        )
    return pd.DataFrame(rows).astype({"solution": "Int64"})


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per loss: the best, who made it, how many runs arrived, how many different answers they gave.

    Parameters
    ----------
    table : DataFrame
        Of `standings`.
    """
    import pandas as pd

    rows = []
    for loss, part in table.groupby("loss", sort=False):
        ours = part[part["solution"].notna()]
        if ours.empty:
            continue
        first = ours.sort_values("final loss", kind="stable").iloc[0]
        near = ours[ours["above the best"] <= ARRIVED]
        quick = ours.dropna(subset="seconds to within 1 %").sort_values("seconds to within 1 %", kind="stable")
        own = part[part["solution"].isna()]
        rows.append(
            {
                "loss": loss,
                "best loss": float(first["final loss"]),
                "above the best known": float(first["above the best"]),
                "by": f"{first['solver']} from {first['start']}, seed {first['seed']}",
                "runs": len(ours),
                "within 1 % of the best": len(near),
                "different solutions": int(ours["solution"].nunique()),
                "of them within 1 %": int(near["solution"].nunique()),
                "quickest to within 1 %": float(quick["seconds to within 1 %"].iloc[0]) if len(quick) else np.nan,
                "by the solver": str(quick["solver"].iloc[0]) if len(quick) else "",
                "scikit-learn above the best": float(own["above the best"].iloc[0]) if len(own) else np.nan,
            }
        )
    return pd.DataFrame(rows)


def seeds(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many different solutions each solver found from how many seeds of each start that has several."""
    import pandas as pd

    rows = []
    for (loss, solver, start), part in table[table["solution"].notna()].groupby(
        ["loss", "solver", "start"], sort=False
    ):
        if len(part) > 1:
            rows.append(
                {
                    "loss": loss,
                    "solver": solver,
                    "start": start,
                    "seeds": len(part),
                    "different solutions": int(part["solution"].nunique()),
                    "best above the best known": float(part["above the best"].min()),
                    "worst above the best known": float(part["above the best"].max()),
                }
            )
    return pd.DataFrame(rows)


def _numbered(runs: tuple[Run, ...], same: float) -> list[int | None]:
    out: list[int | None] = [None] * len(runs)
    for loss in dict.fromkeys(run.request.loss for run in runs):
        at = [i for i, run in enumerate(runs) if run.request.loss == loss and not run.own]
        for i, number in zip(at, solutions([runs[i].H for i in at], same), strict=True):
            out[i] = int(number) + 1
    return out


def solutions(parts: list[Array], same: float = SAME) -> Array:
    """Return the number of the solution each result belongs to, from 0: equal numbers have like components.

    Parameters
    ----------
    parts : list of ndarray of shape (rank, n_features)
        H of each result.
    same : float
        Smallest cosine of a matched pair.
    """
    found: list[Array] = []
    out = np.zeros(len(parts), dtype=int)
    for i, H in enumerate(parts):
        for g, seen in enumerate(found):
            if len(seen) == len(H) and match(seen, H).similarity.min() >= same:
                out[i] = g
                break
        else:
            out[i] = len(found)
            found.append(H)
    return out
