"""Documents as mixtures of topics, and groups of documents against a label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.palette import OTHER_COLOR
from nmf_core.figures.template import figure
from nmf_core.figures.text import count, label, percent
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

SHOWN = 8  # topics with a colour of their own in one stacked figure


@dataclass(frozen=True, slots=True, eq=False)
class TopicShares:
    """The topics of one or some documents as stacked bars.

    Attributes
    ----------
    names, colors : tuple of str
        Of the topics.
    shares : ndarray of shape (n_documents, n_topics)
    documents : tuple of str
        Names, from files.
    """

    names: tuple[str, ...]
    colors: tuple[str, ...]
    shares: Array
    documents: tuple[str, ...]

    def build(self) -> go.Figure:
        """Return the figure."""
        n = len(self.documents)
        order = np.argsort(-self.shares.sum(axis=0), kind="stable")
        single = [int(t) for t in order[:SHOWN] if self.shares[:, t].max() > 0.005]
        rest = 1 - self.shares[:, single].sum(axis=1)
        rest = np.where(self.shares.sum(axis=1) > 0, np.clip(rest, 0, 1), 0)
        data: list[dict[str, Any]] = [
            self._bar(self.shares[:, t], self.colors[t], f"{t + 1} {label(self.names[t], 40)}") for t in single
        ]
        if rest.max(initial=0) > 0.005:
            data.append(self._bar(rest, OTHER_COLOR, "other topics"))
        layout = {
            "barmode": "stack",
            "bargap": 0.3,
            "height": 110 + 30 * n + 16 * len(data) // 2,
            "xaxis": {"range": [0, 1], "tickformat": ".0%", "showgrid": False},
            "yaxis": {
                "range": [n - 0.5, -0.5],
                "tickmode": "array",
                "tickvals": list(range(n)),
                "ticktext": [label(name, 34) for name in self.documents] if n > 1 else [""],
                "showgrid": False,
            },
            "showlegend": True,
            "legend": {"traceorder": "normal", "y": -0.25 if n < 3 else -0.1},
            "margin": {"l": 4, "r": 4, "t": 10, "b": 4},
        }
        return figure(data, layout)

    def _bar(self, values: Array, color: str, name: str) -> dict[str, Any]:
        return {
            "type": "bar",
            "orientation": "h",
            "x": values.astype(np.float32),
            "y": np.arange(len(values)),
            "marker": {"color": color},
            "name": name,
            "text": [percent(v, 2) if v >= 0.12 else "" for v in values],
            "textposition": "inside",
            "insidetextanchor": "middle",
            "textangle": 0,
            "customdata": [percent(v) for v in values],
            "hovertemplate": f"{name}: %{{customdata}}<extra></extra>",
        }

    def describe(self) -> str:
        """Name the leading topics."""
        said = []
        for name, row in list(zip(self.documents, self.shares, strict=True))[:4]:
            leading = [t for t in np.argsort(-row, kind="stable")[:2] if row[t] > 0]
            told = " and ".join(f"{self.names[t]} ({percent(row[t], 2)})" for t in leading) or "none of the topics"
            said.append(f"{name[:60]}: {told}")
        return f"Topic shares of {count(len(self.documents), 'document')}. {'; '.join(said)}."

    def table(self) -> pd.DataFrame:
        """Return one row per document, one column per topic."""
        import pandas as pd

        columns = [f"{t + 1} {name}" for t, name in enumerate(self.names)]
        table = pd.DataFrame(self.shares, columns=columns)
        table.insert(0, "document", list(self.documents), allow_duplicates=True)
        return table


@dataclass(frozen=True, slots=True, eq=False)
class GroupTable:
    """Groups of documents (columns) against a label (rows): share of each label's documents in each group.

    Attributes
    ----------
    counts : DataFrame
        Of `nmf_core.lenses.text.clusters.cross_table`.
    title : str
        Name of the label column.
    """

    counts: pd.DataFrame
    title: str

    def build(self) -> go.Figure:
        """Return the figure."""
        values = self.counts.to_numpy(dtype=float)
        total = values.sum(axis=1, keepdims=True)
        share = values / np.where(total > 0, total, 1)
        rows = [f"{label(name, 28)} ({int(n):,})" for name, n in zip(self.counts.index, total[:, 0], strict=True)]
        columns = [label(name, 24) for name in self.counts.columns]
        data = [
            {
                "type": "heatmap",
                "z": share.astype(np.float32),
                "x": np.arange(len(columns)),
                "y": np.arange(len(rows)),
                "colorscale": "Viridis",
                "zmin": 0,
                "zmax": _ceiling(share, total),
                "text": values.astype(int).astype(str),
                "texttemplate": "%{text}" if len(columns) <= 20 else "",
                "customdata": [[percent(v, 2) for v in row] for row in share],
                "hovertemplate": "%{text} documents, %{customdata} of the row<extra></extra>",
                "colorbar": {"tickformat": ".0%", "thickness": 12, "title": {"text": "of the row"}},
            }
        ]
        axis = {"tickmode": "array", "showgrid": False}
        layout = {
            "height": 150 + 26 * max(len(rows), 2),
            "xaxis": {
                **axis,
                "tickvals": list(range(len(columns))),
                "ticktext": columns,
                "side": "top",
                "tickangle": -40,
            },
            "yaxis": {
                **axis,
                "tickvals": list(range(len(rows))),
                "ticktext": rows,
                "autorange": "reversed",
                "title": {"text": label(self.title, 30)},
            },
            "margin": {"l": 4, "r": 4, "t": 10, "b": 10},
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Say which group holds most of each of the frequent labels."""
        said = []
        for name, row in list(self.counts.iterrows())[:5]:
            total = int(row.sum())
            if total:
                said.append(f"{name}: most in {row.index[int(row.to_numpy().argmax())]} ({int(row.max())} of {total})")
        size = f"{count(len(self.counts), 'label')} against {count(self.counts.shape[1], 'group')}"
        return f"Table of {size}. {'; '.join(said)}."

    def table(self) -> pd.DataFrame:
        """Return the numbers of documents."""
        return self.counts


def _ceiling(share: Array, total: Array) -> float:
    """Return the largest share among labels with ten documents or more, so that single documents do not fade the rest."""
    often = total[:, 0] >= 10
    return float(share[often].max()) if often.any() and share[often].max() > 0 else 1.0
