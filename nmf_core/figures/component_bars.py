"""The strongest features of every component as bars, and all components side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.components import Parts, top_features, well_known
from nmf_core.figures.palette import with_alpha
from nmf_core.figures.template import CLEAR, LINE, MUTED, SMALL, axis_id, axis_key, figure, grid_domains, titled
from nmf_core.figures.text import count, label, number, percent, plain, shorten
from nmf_core.types import Array, Dataset

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

#: Panels drawn at most (each costs two axes), and features in the grouped view at most.
PANELS, GROUPED = 24, 40
#: Characters that fit into the whole width of a narrow page.
_WIDTH = 120
#: Pixels over a panel for its heading of two lines.
HEAD = 46


@dataclass(frozen=True, slots=True, eq=False)
class ComponentBars:
    """One panel per component with its strongest features; the names are written on the bars.

    Attributes
    ----------
    dataset : Dataset
    parts : Parts
    n : int
        Features per component.
    by : {"weight", "distinctive"}
        See `nmf_core.components.top_features`.
    same_features : bool
        All features in file order in every panel, to compare panels (for data with few features).
    low, high : ndarray of shape (rank, n_features), optional
        Ends of an interval for each value of H, drawn as error bars; rows in display order of the visible components.
    columns : int, optional
        Panels side by side; chosen from the length of the names when left out.
    """

    dataset: Dataset
    parts: Parts
    n: int = 10
    by: str = "weight"
    same_features: bool = False
    low: Array | None = None
    high: Array | None = None
    columns: int | None = None

    def build(self) -> go.Figure:
        """Return the figure."""
        parts, (picked, values) = self._parts(), self._picked()
        rank, n = values.shape
        names = [[plain(self.dataset.cols[j]) or "(no name)" for j in row] for row in picked]
        # One very long name in ten is cut rather than all panels made as wide as it.
        longest = min(64, int(np.quantile([len(name) for row in names for name in row], 0.9)))
        columns = self.columns or max(1, min(4, rank, _WIDTH // max(longest + 4, 24)))
        if not self.columns and rank > columns:  # no nearly empty last line: 4 panels as 2 + 2, not 3 + 1
            columns = -(-rank // -(-rank // columns))
        room = max(12, _WIDTH // columns - 4)
        rows = -(-rank // columns)
        panel = HEAD + 22 * n
        domains = grid_domains(rank, columns, gap_x=0.06, gap_y=HEAD / panel)
        data: list[dict[str, Any]] = []
        layout: dict[str, Any] = {
            "height": 34 + rows * panel,
            "showlegend": False,
            "bargap": 0.18,
            "annotations": [],
            "margin": {"l": 10, "r": 10, "t": 24, "b": 10},
        }
        extent = self._extent(picked, values)
        for k in range(rank):
            at = np.arange(n)
            error = self._error(k, picked[k], values[k])
            # Own range per panel, or the strongest panel would flatten the others; the same features share one.
            limit = float(np.nanmax(extent if self.same_features else extent[k])) or 1.0
            data.append(
                {
                    "type": "bar",
                    "orientation": "h",
                    "x": values[k].astype(np.float32),
                    "y": at,
                    "xaxis": axis_id("x", k),
                    "yaxis": axis_id("y", k),
                    "marker": {
                        "color": with_alpha(parts.colors[k], 0.55),
                        "line": {"color": parts.colors[k], "width": 1},
                    },
                    "text": [label(shorten(name, room)) for name in names[k]],
                    "customdata": [label(name, 0) for name in names[k]],
                    "hovertemplate": f"%{{customdata}}<br>{label(parts.names[k], 40)}: %{{x:.4g}}<extra></extra>",
                    "textposition": "none",
                    "name": label(parts.names[k]),
                    **({"error_x": error} if error else {}),
                }
            )
            data.append(
                {
                    # The names: text over the bars that begins at zero, so that the longest one never loses its bar.
                    "type": "scatter",
                    "mode": "text",
                    "x": np.zeros(n, dtype=np.float32),
                    "y": at,
                    "xaxis": axis_id("x", k),
                    "yaxis": axis_id("y", k),
                    "text": [" " + label(shorten(name, room)) for name in names[k]],
                    "textposition": "middle right",
                    "textfont": {"size": 12},
                    "cliponaxis": False,
                    "hoverinfo": "skip",
                    "name": "names",
                }
            )
            x, y = domains[k]
            layout[axis_key("x", k)] = {
                "domain": x,
                "anchor": axis_id("y", k),
                "range": [0, limit * 1.02],
                "showgrid": False,
                "showticklabels": False,
                "zeroline": False,
                "fixedrange": True,
            }
            layout[axis_key("y", k)] = {
                "domain": y,
                "anchor": axis_id("x", k),
                "range": [n - 0.4, -0.6],
                "showgrid": False,
                "showticklabels": False,
                "zeroline": False,
                "showline": True,
                "linecolor": LINE,
                "fixedrange": True,
            }
            layout["annotations"].append(heading(parts, k, x[0], y[1], columns, f" · full width {number(limit, 3)}"))
        first = f"first {rank} of {self.parts.visible().rank} components" if rank < self.parts.visible().rank else ""
        if notes := [note for note in (first, self._passed_over()) if note]:
            layout |= titled("Strongest features", notes)
            layout["height"] += 46
            layout["margin"] = {"l": 10, "r": 10, "t": 70, "b": 10}
        return figure(data, layout)

    def describe(self) -> str:
        """Say the strongest features of every component."""
        parts, (picked, _) = self._parts(), self._picked()
        said = [
            f"{parts.names[k]}: {', '.join(str(self.dataset.cols[j]) for j in picked[k][:3])}"
            for k in range(min(len(picked), 8))
        ]
        more = f" and {len(picked) - 8} more" if len(picked) > 8 else ""
        which = "strongest" if self.by == "weight" else "most distinctive"
        passed = f" {self._passed_over()}." if self._passed_over() else ""
        return (
            f"Bar charts of the {which} features of {count(len(picked), 'component')}. {'; '.join(said)}{more}.{passed}"
        )

    def table(self) -> pd.DataFrame:
        """Return component, rank, feature and value (and the interval, if given) for all visible components."""
        import pandas as pd

        parts = self.parts.visible()
        picked, values = self._picked(everything=True)
        rank, n = values.shape
        k = np.repeat(np.arange(rank), n)
        frame = pd.DataFrame(
            {
                "component": np.array(parts.names, dtype=object)[k],
                "place": np.tile(np.arange(1, n + 1), rank),
                "feature": self.dataset.cols[picked.ravel()],
                "value": values.ravel(),
            }
        )
        if self.low is not None and self.high is not None:
            frame["from"] = self.low[k, picked.ravel()]
            frame["to"] = self.high[k, picked.ravel()]
        return frame

    def _parts(self) -> Parts:
        parts = self.parts.visible()
        return parts if parts.rank <= PANELS else parts.take(range(PANELS))

    def _picked(self, everything: bool = False) -> tuple[Array, Array]:
        parts = self.parts.visible() if everything else self._parts()
        if self.same_features:
            m = min(parts.H.shape[1], max(self.n, 1))
            at = np.sort(np.argsort(-parts.H.max(axis=0), kind="stable")[:m])
            return np.tile(at, (parts.rank, 1)), parts.H[:, at]
        return top_features(parts, self.n, self.by, self._among())

    def _among(self) -> Array | None:
        return well_known(self.dataset, self.parts.visible().rank)

    def _passed_over(self) -> str:
        """Say which features are not shown, however large their value."""
        among = self._among()
        if self.same_features or among is None or among.all():
            return ""
        return f"{count(int((~among).sum()), 'feature')} with few known cells passed over"

    def _extent(self, picked: Array, values: Array) -> Array:
        if self.high is None:
            return values
        return np.maximum(values, np.take_along_axis(np.asarray(self.high)[: len(picked)], picked, axis=1))

    def _error(self, k: int, picked: Array, values: Array) -> dict[str, Any] | None:
        if self.low is None or self.high is None:
            return None
        return {
            "type": "data",
            "symmetric": False,
            "array": np.maximum(self.high[k, picked] - values, 0).astype(np.float32),
            "arrayminus": np.maximum(values - self.low[k, picked], 0).astype(np.float32),
            "thickness": 1.5,
            "width": 3,
            "color": LINE,
        }


@dataclass(frozen=True, slots=True, eq=False)
class GroupedBars:
    """All components side by side on the same features: where they differ.

    Attributes
    ----------
    dataset : Dataset
    parts : Parts
    n : int
        Features shown: all if there are no more, else those strongest in some component.
    """

    dataset: Dataset
    parts: Parts
    n: int = 12

    def build(self) -> go.Figure:
        """Return the figure."""
        parts, at = self.parts.visible(), self._features()
        parts = parts if parts.rank <= PANELS else parts.take(range(PANELS))
        names = [label(self.dataset.cols[j], 44) for j in at]
        data = [
            {
                "type": "bar",
                "orientation": "h",
                "x": parts.H[k, at].astype(np.float32),
                "y": np.arange(len(at)),
                "marker": {"color": parts.colors[k]},
                "name": label(parts.names[k], 40),
                "customdata": names,
                "hovertemplate": f"%{{customdata}}<br>{label(parts.names[k], 40)}: %{{x:.4g}}<extra></extra>",
            }
            for k in range(parts.rank)
        ]
        layout = {
            "height": int(min(1400, 110 + len(at) * max(24, 9 * parts.rank))),
            "barmode": "group",
            "bargap": 0.25,
            "xaxis": {"rangemode": "tozero", "title": {"text": value_words(parts.scale)}, "side": "bottom"},
            "yaxis": {
                "range": [len(at) - 0.5, -0.5],
                "tickmode": "array",
                "tickvals": list(range(len(at))),
                "ticktext": names,
                "showgrid": False,
            },
            "legend": {"y": 1.0, "yanchor": "bottom"},
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Say which component leads in which feature."""
        parts, at = self.parts.visible(), self._features()
        leads = [f"{self.dataset.cols[j]}: {parts.names[int(parts.H[:, j].argmax())]}" for j in at[:8]]
        return (
            f"Grouped bars of {count(len(at), 'feature')} in {count(parts.rank, 'component')}. "
            f"The component that uses each feature most: {'; '.join(leads)}."
        )

    def table(self) -> pd.DataFrame:
        """Return one row per feature shown, one column per component."""
        import pandas as pd

        parts, at = self.parts.visible(), self._features()
        frame = pd.DataFrame(parts.H[:, at].T, columns=list(parts.names))
        frame.insert(0, "feature", self.dataset.cols[at], allow_duplicates=True)
        return frame

    def _features(self) -> Array:
        H = self.parts.visible().H
        n = min(self.n, GROUPED)
        if H.shape[1] <= n:
            return np.arange(H.shape[1])
        among = well_known(self.dataset, len(H))
        H = H if among is None else np.where(among, H, 0)
        peak = H.max(axis=1, keepdims=True)
        relative = (H / np.where(peak > 0, peak, 1)).max(axis=0)
        return np.sort(np.argsort(-relative, kind="stable")[:n])


def heading(parts: Parts, k: int, x: float, y: float, columns: int, note: str = "") -> dict[str, Any]:
    """Return the annotation over a panel: colour and name of a component, and on a line of its own its share.

    Two lines, because name, share and note side by side run into the next panel's on a narrow page.
    """
    share = percent(max(parts.share[k], 0.0))
    return {
        "text": f'<span style="color:{parts.colors[k]}">■</span> <b>{label(parts.names[k], max(16, 84 // columns))}</b><br>'
        f'<span style="color:{MUTED};font-size:{SMALL}px">{share}{note}</span>',
        "x": x,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "align": "left",
        "showarrow": False,
        "bgcolor": CLEAR,
        "hovertext": f"{label(parts.names[k])} alone explains {share} of the variation",
        "font": {"size": 14},
    }


def value_words(scale: str) -> str:
    """Say what the numbers in H are under a scale."""
    return {
        "component sums 1": "share of the component",
        "W·D·H": "share of the component",
        "max 1": "of the component's largest value",
        "unit L2": "value (components of length 1)",
    }.get(scale, "value in H")
