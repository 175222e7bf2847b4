"""Is it robust? Spoil the data more and more and hold every method against the clean data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from nmf_core.comparison.absolute import AbsoluteFit
from nmf_core.comparison.corruption import LEVELS, STRENGTH, clean, corrupted, filled, off
from nmf_core.comparison.likeness import likeness
from nmf_core.lenses.images.methods import pca, quantization
from nmf_core.staged import Fit, StagedWork, Step
from nmf_core.types import Array, Dataset, FitRequest

if TYPE_CHECKING:
    import pandas as pd

#: Loss of the NMF variants of the engine.
LOSSES: dict[str, str | float] = {
    "NMF Frobenius": "frobenius",
    "NMF Kullback-Leibler": "kullback-leibler",
    "NMF β = 0.5": 0.5,
}
ABSOLUTE = "NMF absolute errors"
METHODS = (*LOSSES, ABSOLUTE, "PCA", "VQ")
ERROR, DRIFT = "error against the clean data", "drift of the components"
SPOILED = "the spoiled data themselves"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One method on one spoiled copy of the data.

    Attributes
    ----------
    method : str
    level : float
    draw : int
    parts : ndarray of shape (rank, n_features)
    error : float
        ‖clean − model‖ / ‖clean‖ over cells known in the clean data.
    spoiled : float
        The same for the spoiled data themselves, missing cells filled with the means of their columns.
    rebuilt : ndarray of shape (rows kept, n_features)
        What the model makes of some rows.
    """

    method: str
    level: float
    draw: int
    parts: Array
    error: float
    spoiled: float
    rebuilt: Array


@dataclass(frozen=True, slots=True)
class RobustnessWork(StagedWork):
    """Fit methods at every level of one corruption.

    Attributes
    ----------
    rank : int
    kind : str
        See `nmf_core.comparison.corruption.KINDS`.
    levels : tuple of float
        The first is 0; empty: `LEVELS` of the kind.
    methods : tuple of str
        Of `METHODS`.
    draws : int
        Spoiled copies at each level, each with cells of its own.
    strength : float
        Of outliers.
    seed : int
    rows : tuple of int
        Rows whose reconstruction is kept.
    max_iter : int
    alpha_W, alpha_H, l1_ratio : float
        Penalties of the engine's losses, as in `FitRequest`.
    """

    rank: int = 3
    kind: str = "noise"
    levels: tuple[float, ...] = ()
    methods: tuple[str, ...] = METHODS
    draws: int = 1
    strength: float = STRENGTH
    seed: int = 0
    rows: tuple[int, ...] = ()
    max_iter: int = 300
    alpha_W: float = 0.0
    alpha_H: float | Literal["same"] = "same"
    l1_ratio: float = 0.0
    NAME: ClassVar[str] = "robustness"

    def plan(self, dataset: Dataset) -> tuple[Any, ...]:
        """All methods at the first level, then at the next."""
        unknown = [name for name in self.methods if name not in METHODS]
        if unknown:
            raise ValueError(f"methods: unknown {unknown[0]!r}; use some of {', '.join(METHODS)}")
        X = clean(dataset)
        rank = min(self.rank, *X.shape)
        stages: list[Any] = []
        for level in self.levels or LEVELS[self.kind]:
            for draw in range(self.draws if level > 0 else 1):
                copy = partial(corrupted, X, self.kind, level, self.seed + 1000 * draw, self.strength)
                # Nothing is spoiled before its turn comes: a plan is made anew for every chunk.
                stages += [self._stage(name, X, copy, rank, level, draw) for name in self.methods]
        return tuple(stages)

    def _stage(self, name: str, X: Array, copy: Callable[[], Array], rank: int, level: float, draw: int) -> Any:
        label = f"{name}, level {level:.3g}"

        def kept(W: Array, H: Array, offset: Array | float = 0.0) -> Outcome:
            model = offset + W @ H
            rows = model[list(self.rows)].astype(np.float32)
            return Outcome(name, level, draw, H.astype(np.float32), off(X, model), off(X, filled(copy())), rows)

        if name in LOSSES:
            request = FitRequest(
                rank=rank,
                loss=LOSSES[name],
                max_iter=self.max_iter,
                tol=1e-5,
                alpha_W=self.alpha_W,
                alpha_H=self.alpha_H,
                l1_ratio=self.l1_ratio,
            )
            return Fit(label, lambda done: (Dataset.of(copy()), request), lambda result: kept(result.W, result.H))
        if name == ABSOLUTE:
            return AbsoluteFit(label, lambda done: (copy(), rank, self.seed), lambda found: kept(found.W, found.H))

        def rival(done: Any) -> Outcome:
            full = filled(copy())
            method = pca(full, rank) if name == "PCA" else quantization(full, rank, self.seed)
            return kept(method.codes, method.parts, method.offset)

        return Step(label, rival)

    def finish(self, dataset: Dataset, done: tuple[Any, ...]) -> tuple[Outcome, ...] | None:
        """Return the outcomes so far."""
        return done or None


def damage(before: float, after: float, spoiled: float) -> float:
    """Return the share of the damage that got through to a model: √(after² − before²) / spoiled.

    Parameters
    ----------
    before, after : float
        Error against the clean data of the model fitted to the clean and to the spoiled data. What a model of low rank
        leaves out of the clean data anyway is no damage.
    spoiled : float
        Error of the spoiled data themselves.
    """
    return float(np.sqrt(max(after**2 - before**2, 0.0))) / (spoiled or 1.0)


def frame(outcomes: tuple[Outcome, ...]) -> pd.DataFrame:
    """Return one row per method and level, the median of the draws: error and drift with their smallest and largest.

    Further rows, of the method `SPOILED`, say how far the spoiled data themselves are off.
    """
    import pandas as pd

    first = {o.method: o.parts for o in outcomes if o.level == 0}
    rows = [(o.method, o.level, o.error, drift(first[o.method], o.parts)) for o in outcomes if o.method in first]
    seen = {(o.level, o.draw): o.spoiled for o in outcomes}
    rows += [(SPOILED, level, spoiled, np.nan) for (level, _), spoiled in seen.items()]
    table = pd.DataFrame(rows, columns=["method", "level", ERROR, DRIFT])
    grouped = table.groupby(["method", "level"], sort=False)
    out = grouped.median()
    for name in (ERROR, DRIFT):
        out[f"{name}, least"], out[f"{name}, most"] = grouped[name].min(), grouped[name].max()
    out["draws"] = grouped.size()
    return out.reset_index()


def drift(before: Array, after: Array) -> float:
    """Return 1 − the mean |cosine| of matched components: 0 they are the same, 1 they share nothing.

    The sign of an axis of PCA is arbitrary, hence the absolute value.
    """
    left = 1.0 - float(likeness(before, after).cosine.sum()) / min(len(before), len(after))
    return left if left > 1e-9 else 0.0  # what is left of rounding
