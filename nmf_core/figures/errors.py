"""Which samples and which features the model describes badly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.components import Parts, dominant
from nmf_core.figures.groups import groups_of
from nmf_core.figures.palette import with_alpha
from nmf_core.figures.template import MUTED, SMALL, figure, titled
from nmf_core.figures.text import count, label, number, percent
from nmf_core.quality import Errors, errors_of
from nmf_core.types import Array, Dataset

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

#: Samples drawn as points at most: beyond, the worst and an even selection of the others.
SAMPLES = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class SampleErrors:
    """The relative error ‖x − wH‖ / ‖x‖ of every sample, in file order; the table begins with the worst.

    Attributes
    ----------
    dataset : Dataset
    parts : Parts
    color : str
        ``"dominant"`` (component) or a key of ``dataset.labels``.

    Notes
    -----
    A click gives ``customdata = [row of the file]``.
    """

    dataset: Dataset
    parts: Parts
    color: str = "dominant"

    def build(self) -> go.Figure:
        """Return the figure."""
        relative = self._relative(self._errors())
        groups = groups_of(self.dataset, self.parts.visible(), self.color)
        shown = self._shown(relative)
        data: list[dict[str, Any]] = []
        few = len(shown) <= 3000
        for g, name in enumerate(groups.names):
            at = shown[groups.codes[shown] == g]
            if not len(at):
                continue
            names: dict[str, Any] = {"text": [label(self.dataset.rows[i], 40) for i in at]} if few else {}
            data.append(
                {
                    "type": "scattergl" if len(shown) > 1000 else "scatter",
                    "mode": "markers",
                    "x": (at + 1).astype(np.int32),
                    "y": (100 * relative[at]).astype(np.float32),
                    "marker": {"color": groups.colors[g], "symbol": groups.symbols[g], "size": 6, "opacity": 0.8},
                    "customdata": at.astype(np.int32)[:, None],
                    "name": label(name, 30),
                    "hovertemplate": ("%{text}" if few else "row %{x}") + "<br>error %{y:.3g} %<extra></extra>",
                    **names,
                }
            )
        middle = float(100 * np.nanmedian(relative)) if np.isfinite(relative).any() else 0.0
        thinned = f"{len(shown):,} of {len(relative):,} shown, the worst among them"
        layout = {
            "height": 340,
            **titled("Error of each sample", [thinned] if len(shown) < len(relative) else ()),
            "xaxis": {"title": {"text": "row of the data"}, "showgrid": False},
            "yaxis": {"title": {"text": "relative error, %"}, "rangemode": "tozero"},
            "shapes": [_level(middle)],
            "annotations": [_level_note(middle, "median")],
            "legend": {"y": -0.2},
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Say the range of errors and name the worst sample."""
        relative = self._relative(self._errors())
        known = np.flatnonzero(np.isfinite(relative))
        if not len(known):
            return "No sample has a relative error: all are zero."
        worst = int(known[relative[known].argmax()])
        return (
            f"Relative error of {count(len(known), 'sample')}: from {percent(relative[known].min())} to "
            f"{percent(relative[worst])}, median {percent(float(np.median(relative[known])))}. "
            f"The worst is {self.dataset.rows[worst]}."
        )

    def table(self) -> pd.DataFrame:
        """Return one row per sample, the worst first: error, share of all error, dominant component, labels."""
        import pandas as pd

        seen = self._errors()
        relative = self._relative(seen)
        at = np.argsort(-np.nan_to_num(relative, nan=-1.0), kind="stable")
        names = np.array([*self.parts.names, "(none)"], dtype=object)
        frame: dict[str, Any] = {
            "sample": self.dataset.rows[at],
            "row": at + 1,
            "relative error": relative[at],
            "share of all squared error": seen.rows[at] / seen.rss if seen.rss else seen.rows[at],
            "dominant component": names[dominant(self.parts)[at]],
        }
        for key, values in self.dataset.labels.items():
            frame.setdefault(key, values[at])
        return pd.DataFrame(frame)

    def _errors(self) -> Errors:
        return errors_of(self.dataset, self.parts)

    @staticmethod
    def _relative(seen: Errors) -> Array:
        squares = seen.row_squares
        return np.sqrt(np.divide(seen.rows, squares, out=np.full(len(squares), np.nan), where=squares > 0))

    def _shown(self, relative: Array) -> Array:
        n = len(relative)
        if n <= SAMPLES:
            return np.arange(n)
        worst = np.argsort(-np.nan_to_num(relative, nan=-1.0), kind="stable")[: SAMPLES // 4]
        even = (np.arange(SAMPLES - len(worst)) * n) // (SAMPLES - len(worst))
        return np.unique(np.concatenate([worst, even]))


@dataclass(frozen=True, slots=True, eq=False)
class FeatureErrors:
    """The relative error of the features, the worst first.

    Attributes
    ----------
    dataset : Dataset
    parts : Parts
    n : int
        Bars drawn; the table holds all.
    """

    dataset: Dataset
    parts: Parts
    n: int = 20

    def build(self) -> go.Figure:
        """Return the figure."""
        relative, at = self._sorted()
        shown = at[: self.n]
        names = [label(self.dataset.cols[j], 44) for j in shown]
        data = [
            {
                "type": "bar",
                "orientation": "h",
                "x": (100 * np.nan_to_num(relative[shown])).astype(np.float32),
                "y": np.arange(len(shown)),
                "marker": {"color": with_alpha("#808080", 0.6)},
                "customdata": names,
                "hovertemplate": "%{customdata}<br>error %{x:.3g} %<extra></extra>",
                "name": "features",
            }
        ]
        more = [f"the worst {len(shown)} of {len(relative):,}"] if len(shown) < len(relative) else []
        layout = {
            "height": 90 + 22 * len(shown),
            **titled("Error of each feature", more),
            "xaxis": {"title": {"text": "relative error, %"}, "rangemode": "tozero"},
            "yaxis": {
                "range": [len(shown) - 0.4, -0.6],
                "tickmode": "array",
                "tickvals": list(range(len(shown))),
                "ticktext": names,
                "showgrid": False,
                "tickfont": {"size": 12},
            },
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Name the best and the worst described feature."""
        relative, at = self._sorted()
        known = [j for j in at if np.isfinite(relative[j])]
        if not known:
            return "No feature has a relative error: all are zero."
        worst, best = known[0], known[-1]
        return (
            f"Relative error of {count(len(known), 'feature')}. Worst: {self.dataset.cols[worst]} with "
            f"{percent(relative[worst])}; best: {self.dataset.cols[best]} with {percent(relative[best])}."
        )

    def table(self) -> pd.DataFrame:
        """Return one row per feature, the worst first."""
        import pandas as pd

        seen = errors_of(self.dataset, self.parts)
        relative, at = self._sorted()
        share = seen.cols / seen.rss if seen.rss else seen.cols
        return pd.DataFrame(
            {
                "feature": self.dataset.cols[at],
                "column": at + 1,
                "relative error": relative[at],
                "share of all squared error": share[at],
            }
        )

    def _sorted(self) -> tuple[Array, Array]:
        seen = errors_of(self.dataset, self.parts)
        squares = seen.col_squares
        relative = np.sqrt(np.divide(seen.cols, squares, out=np.full(len(squares), np.nan), where=squares > 0))
        return relative, np.argsort(-np.nan_to_num(relative, nan=-1.0), kind="stable")


def _level(y: float) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": y,
        "y1": y,
        "line": {"color": MUTED, "width": 1, "dash": "dot"},
    }


def _level_note(y: float, words: str) -> dict[str, Any]:
    return {
        "text": f"{words} {number(y, 3)} %",
        "xref": "paper",
        "x": 1,
        "y": y,
        "xanchor": "right",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": SMALL, "color": MUTED},
    }
