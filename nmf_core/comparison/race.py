"""Solvers side by side on one problem: who falls fastest, who ends lowest, how many answers there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nmf_core.components import match
from nmf_core.lenses.images.staged import Fit, StagedWork, Step
from nmf_core.types import Array, Dataset, FitRequest, FitResult

if TYPE_CHECKING:
    import pandas as pd

#: Components of two results count as the same solution when every matched pair is at least so similar.
SAME = 0.99


@dataclass(frozen=True, slots=True)
class RaceWork(StagedWork):
    """Run requests one after the other, compiled code warmed before.

    Attributes
    ----------
    requests : tuple of FitRequest
        Of one loss and one data set, or their losses cannot be compared.
    """

    requests: tuple[FitRequest, ...] = ()
    NAME: ClassVar[str] = "race"

    def plan(self, dataset: Dataset) -> tuple[Step | Fit, ...]:
        """Warm every solver by two iterations of it, then run the requests in order."""
        stages: list[Step | Fit] = []
        for solver in dict.fromkeys(r.solver for r in self.requests):
            first = next(r for r in self.requests if r.solver == solver).with_(max_iter=2, n_restarts=1)
            stages.append(Fit(f"warming {solver}", lambda done, request=first: (dataset, request)))  # type: ignore[misc]
        for request in self.requests:
            label = f"{request.solver} from {request.init}, seed {request.seed}"
            stages.append(Fit(label, lambda done, request=request: (dataset, request)))  # type: ignore[misc]
        return tuple(stages)

    def finish(self, dataset: Dataset, done: tuple[Any, ...]) -> tuple[FitResult, ...] | None:
        """Return the results so far, without the warm-up."""
        warm = len({r.solver for r in self.requests})
        return tuple(done[warm:]) or None


def standings(results: tuple[FitResult, ...]) -> pd.DataFrame:
    """Return one row per run: final loss, distance to the best, time, iterations, which solution it found."""
    import pandas as pd

    best = min(r.loss for r in results)
    group = solutions([r.H for r in results])
    return pd.DataFrame(
        [
            {
                "solver": r.request.solver,
                "start": r.request.init,
                "seed": r.request.seed,
                "final loss": r.loss,
                "above the best": r.loss / best - 1 if best > 0 else r.loss - best,
                "iterations": r.n_iter,
                "seconds": float(r.trace.seconds[-1]),
                "solution": int(g) + 1,
                "ended": str(r.stop),
            }
            for r, g in zip(results, group, strict=True)
        ]
    )


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
