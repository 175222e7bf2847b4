"""Two topic models side by side: each topic of one with its partner in the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.palette import OTHER_COLOR
from nmf_core.figures.template import LINE, figure
from nmf_core.figures.text import label, number
from nmf_core.lenses.text.second_opinion import Match
from nmf_core.lenses.text.topics import Topics
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, eq=False)
class TwoOpinions:
    """Coherence of every NMF topic and of the LDA topic nearest to it, as a pair of dots.

    Attributes
    ----------
    first, second : Topics
        NMF and LDA over the same words.
    colors : tuple of str
        Of the NMF topics.
    first_npmi, second_npmi : ndarray of shape (n_topics,)
    match : Match
    """

    first: Topics
    second: Topics
    colors: tuple[str, ...]
    first_npmi: Array
    second_npmi: Array
    match: Match

    def build(self) -> go.Figure:
        """Return the figure."""
        a, b = self.match.pairs.T
        k = len(a)
        at = np.arange(k)
        hover = [
            f"NMF {i + 1} {label(self.first.names[i])}<br>LDA {label(self.second.names[j])}<br>distance {number(d, 2)}"
            for i, j, d in zip(a, b, self.match.distance, strict=True)
        ]
        lines: list[float | None] = []
        heights: list[float | None] = []
        for y, i, j in zip(at, a, b, strict=True):
            lines += [float(self.first_npmi[i]), float(self.second_npmi[j]), None]
            heights += [float(y), float(y), None]
        dots = {"type": "scatter", "mode": "markers", "y": at, "hovertext": hover}
        data: list[dict[str, Any]] = [
            {
                "type": "scatter",
                "mode": "lines",
                "x": lines,
                "y": heights,
                "line": {"color": LINE, "width": 2},
                "hoverinfo": "skip",
                "showlegend": False,
            },
            {
                **dots,
                "x": self.second_npmi[b].astype(np.float32),
                "marker": {"color": OTHER_COLOR, "size": 11, "symbol": "diamond"},
                "name": "LDA, nearest topic",
                "hovertemplate": "%{hovertext}<br>NPMI of LDA %{x:.3f}<extra></extra>",
            },
            {
                **dots,
                "x": self.first_npmi[a].astype(np.float32),
                "marker": {"color": [self.colors[i] for i in a], "size": 12, "symbol": "circle"},
                "name": "NMF",
                "hovertemplate": "%{hovertext}<br>NPMI of NMF %{x:.3f}<extra></extra>",
            },
        ]
        names = [
            f"{i + 1} {label(self.first.names[i], 26)} | {label(self.second.names[j], 26)}"
            for i, j in zip(a, b, strict=True)
        ]
        layout = {
            "height": 120 + 30 * k,
            "xaxis": {"title": {"text": "coherence (NPMI on these documents)"}},
            "yaxis": {
                "range": [k - 0.4, -0.6],
                "tickmode": "array",
                "tickvals": at.tolist(),
                "ticktext": names,
            },
            "legend": {"y": 1.0, "yanchor": "bottom"},
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Say how many topics of NMF are the more coherent ones, and which pair is nearest."""
        a, b = self.match.pairs.T
        wins = int((self.first_npmi[a] > self.second_npmi[b]).sum())
        near = int(self.match.distance.argmin())
        return (
            f"Pairs of topics from NMF and LDA. NMF's topic is the more coherent one in {wins} of {len(a)} pairs. "
            f"Nearest are {self.first.names[a[near]]} and {self.second.names[b[near]]}, "
            f"{number(self.match.distance[near], 2)} apart."
        )

    def table(self) -> pd.DataFrame:
        """Return the pairs with their words, sizes, coherence and distance."""
        import pandas as pd

        a, b = self.match.pairs.T

        def words(topics: Topics, which: Array) -> list[str]:
            top = topics.top(8)
            return [", ".join(topics.vocabulary[top[t]]) for t in which]

        return pd.DataFrame(
            {
                "NMF": words(self.first, a),
                "LDA": words(self.second, b),
                "distance": self.match.distance,
                "NPMI of NMF": self.first_npmi[a],
                "NPMI of LDA": self.second_npmi[b],
                "size in NMF": self.first.size[a],
                "size in LDA": self.second.size[b],
            }
        )
