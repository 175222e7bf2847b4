"""Topics as bars of words: all at a glance, and one in depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.palette import OTHER_COLOR, with_alpha
from nmf_core.figures.template import LINE, MUTED, axis_id, axis_key, figure, grid_domains
from nmf_core.figures.text import count, label, number, percent
from nmf_core.lenses.text.topics import Topics
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

PANELS = 12  # topics in one figure; the page turns over to the next dozen


@dataclass(frozen=True, slots=True, eq=False)
class TopicWords:
    """The most relevant words of every topic; the solid part of a bar is the topic's own.

    Attributes
    ----------
    topics : Topics
    colors : tuple of str
        ``#rrggbb`` per topic.
    coherence : ndarray of shape (n_topics,)
        NPMI, shown in the headings.
    n : int
        Words per topic.
    weight : float
        λ of the relevance that orders them.
    first : int
        First topic shown; up to :data:`PANELS` fit.
    columns : int
    """

    topics: Topics
    colors: tuple[str, ...]
    coherence: Array
    n: int = 8
    weight: float = 1.0
    first: int = 0
    columns: int = 3

    def build(self) -> go.Figure:
        """Return the figure."""
        shown = self._shown()
        top, exclusivity = self.topics.top(self.n, self.weight), self.topics.exclusivity
        domains = grid_domains(len(shown), self.columns, gap_x=0.06, gap_y=0.2)
        data: list[dict[str, Any]] = []
        notes: list[dict[str, Any]] = []
        layout: dict[str, Any] = {"barmode": "stack", "bargap": 0.25, "showlegend": False}
        rows = -(-len(shown) // max(1, min(self.columns, len(shown))))
        for i, t in enumerate(shown):
            columns = top[t][self.topics.words[t, top[t]] > 0]
            weight = self.topics.words[t, columns].astype(np.float32)
            own = (weight * exclusivity[t, columns]).astype(np.float32)
            words = [label(word, 24) for word in self.topics.vocabulary[columns]]
            hover = [
                f"<b>{word}</b><br>weight {percent(w)} of the topic<br>exclusivity {number(o / w if w else 0, 3)}"
                for word, w, o in zip(words, weight, own, strict=True)
            ]
            place = {"xaxis": axis_id("x", i), "yaxis": axis_id("y", i)}
            for values, alpha in ((own, 0.95), (weight - own, 0.3)):
                data.append(
                    {
                        "type": "bar",
                        "orientation": "h",
                        "x": values,
                        "y": np.arange(len(columns)),
                        "marker": {"color": with_alpha(self.colors[t], alpha)},
                        "hovertext": hover,
                        "hovertemplate": "%{hovertext}<extra></extra>",
                        **place,
                    }
                )
            (x0, x1), (y0, y1) = domains[i]
            words_end = x0 + 0.4 * (x1 - x0)
            layout[axis_key("x", i)] = {
                "domain": [words_end, x1],
                "anchor": axis_id("y", i),
                "showticklabels": False,
                "showgrid": False,
                "rangemode": "tozero",
                "fixedrange": True,
            }
            layout[axis_key("y", i)] = {
                "domain": [y0, y1],
                "anchor": axis_id("x", i),
                "range": [max(len(columns), 1) - 0.4, -0.6],
                "tickmode": "array",
                "tickvals": list(range(len(columns))),
                "ticktext": words,
                "showgrid": False,
                "automargin": False,
                "fixedrange": True,
            }
            notes.append(self._heading(t, x0, y1))
        layout |= {
            "annotations": notes,
            "height": 40 + rows * (64 + 21 * self.n),
            "margin": {"l": 4, "r": 4, "t": 38, "b": 4},
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Name the topics with their first words."""
        top = self.topics.top(3, self.weight)
        shown = self._shown()
        said = [
            f"topic {t + 1} ({percent(self.topics.size[t], 2)}): {', '.join(self.topics.vocabulary[top[t]])}"
            for t in shown[:8]
        ]
        more = f" and {len(shown) - 8} more" if len(shown) > 8 else ""
        return f"Bars of the most relevant words of {count(len(shown), 'topic')}: {'; '.join(said)}{more}."

    def table(self) -> pd.DataFrame:
        """Return topic, word, weight, exclusivity, relevance and lift for all topics."""
        import pandas as pd

        frames = [
            self.topics.table(t, max(self.n, 20), self.weight).assign(topic=t + 1, name=self.topics.names[t])
            for t in range(self.topics.rank)
        ]
        table = pd.concat(frames, ignore_index=True)
        return table[["topic", "name", *[c for c in table.columns if c not in ("topic", "name")]]]

    def _shown(self) -> range:
        return range(self.first, min(self.topics.rank, self.first + PANELS))

    def _heading(self, t: int, x: float, y: float) -> dict[str, Any]:
        npmi = self.coherence[t]
        facts = f"{percent(self.topics.size[t], 2)} of the corpus · coherence {npmi:.2f}" if npmi == npmi else ""
        title = label(f"{t + 1} {self.topics.names[t]}", 34)
        return {
            "text": f'<b><span style="color:{self.colors[t]}">■</span> {title}</b><br>'
            f'<span style="color:{MUTED};font-size:11px">{facts}</span>',
            "x": x,
            "y": y,
            "xref": "paper",
            "yref": "paper",
            "xanchor": "left",
            "yanchor": "bottom",
            "align": "left",
            "showarrow": False,
            "hovertext": label(self.topics.names[t], 120),
        }


@dataclass(frozen=True, slots=True, eq=False)
class RelevantWords:
    """One topic in depth: how much of each word belongs to it, after Chuang et al. and Sievert & Shirley (2014).

    Attributes
    ----------
    topics : Topics
    topic : int
    color : str
    weight : float
        λ of the relevance that picks and orders the words.
    n : int
    """

    topics: Topics
    topic: int
    color: str
    weight: float = 0.6
    n: int = 25

    def build(self) -> go.Figure:
        """Return the figure."""
        table = self.topics.table(self.topic, self.n, self.weight)
        at = np.arange(len(table))
        words = [label(word, 40) for word in table["word"]]
        weight, marginal = table["weight"].to_numpy(), table["share in corpus"].to_numpy()
        facts = [
            f"<b>{word}</b><br>weight in the topic {percent(w)}<br>share in the corpus {percent(m)}"
            f"<br>lift {number(w / m if m else float('nan'), 3)}<br>exclusivity {number(e, 3)}"
            f"<br>relevance {number(r, 3)}"
            for word, w, m, e, r in zip(words, weight, marginal, table["exclusivity"], table["relevance"], strict=True)
        ]
        shared = {
            "type": "bar",
            "orientation": "h",
            "y": at,
            "hovertext": facts,
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
        data = [
            {
                **shared,
                "x": weight.astype(np.float32),
                "marker": {"color": self.color},
                "name": "weight in this topic",
                "width": 0.72,
            },
            {
                **shared,
                "x": marginal.astype(np.float32),
                "marker": {"color": with_alpha(OTHER_COLOR, 0.9), "line": {"width": 0}},
                "name": "share in the whole corpus",
                "width": 0.3,
            },
        ]
        layout = {
            "barmode": "overlay",
            "height": 110 + 22 * max(len(table), 3),
            "xaxis": {"title": {"text": "share of all words"}, "tickformat": ".1%", "rangemode": "tozero"},
            "yaxis": {
                "range": [len(table) - 0.4, -0.6],
                "tickmode": "array",
                "tickvals": at.tolist(),
                "ticktext": words,
                "showgrid": False,
            },
            "legend": {"y": 1.0, "yanchor": "bottom"},
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Say which words the λ brings up and how much of them is the topic's own."""
        table = self.topics.table(self.topic, self.n, self.weight)
        first = table.head(5)
        own = [f"{w} (exclusivity {e:.2f})" for w, e in zip(first["word"], first["exclusivity"], strict=True)]
        return (
            f"Bars of the {count(len(table), 'word')} most relevant to topic {self.topic + 1} at λ = {self.weight:g}; "
            f"first {', '.join(own)}."
        )

    def table(self) -> pd.DataFrame:
        """Return the words with all measures."""
        return self.topics.table(self.topic, max(self.n, 100), self.weight)


@dataclass(frozen=True, slots=True, eq=False)
class TopicMap:
    """Topics as circles: near when they use the same words; the area is the size.

    Attributes
    ----------
    topics : Topics
    colors : tuple of str
    xy : ndarray of shape (n_topics, 2)
    stress : float
        Kruskal's stress-1 of the map.
    distances : ndarray of shape (n_topics, n_topics)
    """

    topics: Topics
    colors: tuple[str, ...]
    xy: Array
    stress: float
    distances: Array

    def build(self) -> go.Figure:
        """Return the figure."""
        k = self.topics.rank
        biggest = max(float(self.topics.size.max()), 1e-12)
        radius = 12 + 40 * np.sqrt(self.topics.size / biggest)
        nearest = self._nearest()
        hover = [
            f"<b>{t + 1} {label(self.topics.names[t])}</b><br>{percent(self.topics.size[t])} of the corpus"
            + (
                f"<br>nearest: {nearest[t] + 1} {label(self.topics.names[nearest[t]])}"
                f"<br>distance {number(self.distances[t, nearest[t]], 3)}"
                if k > 1
                else ""
            )
            for t in range(k)
        ]
        data = [
            {
                "type": "scatter",
                "mode": "markers+text",
                "x": self.xy[:, 0].astype(np.float32),
                "y": self.xy[:, 1].astype(np.float32),
                "marker": {
                    "size": radius.astype(np.float32),
                    "color": [with_alpha(color, 0.75) for color in self.colors],
                    "line": {"width": 1, "color": LINE},
                },
                "text": [f"{t + 1} {label(self.topics.names[t].split(' · ')[0], 18)}" for t in range(k)],
                "textposition": "top center",
                "customdata": np.arange(k),
                "hovertext": hover,
                "hovertemplate": "%{hovertext}<extra></extra>",
                "cliponaxis": False,
            }
        ]
        span = float(np.ptp(self.xy, axis=0).max()) if k > 1 else 1.0
        pad = 0.14 * (span or 1.0)
        low, high = self.xy.min(axis=0) - pad, self.xy.max(axis=0) + pad
        axis = {"showticklabels": False, "zeroline": True}
        layout = {
            "height": 480,
            "showlegend": False,
            "xaxis": {**axis, "range": [low[0], high[0]]},
            "yaxis": {**axis, "range": [low[1], high[1]]},
            "margin": {"l": 4, "r": 4, "t": 16, "b": 4},
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Say how much the map shows and which topics lie nearest."""
        k = self.topics.rank
        if k < 2:
            return "A map of one topic."
        upper = self.distances + np.eye(k) * 9
        i, j = divmod(int(upper.argmin()), k)
        return (
            f"Map of {k} topics by Jensen–Shannon distance of their words; stress "
            f"{number(self.stress, 2)} (0 is a faithful map). Nearest are topic {i + 1} "
            f"({self.topics.names[i]}) and topic {j + 1} "
            f"({self.topics.names[j]}), {number(self.distances[i, j], 3)} apart on a scale from 0 to 1."
        )

    def table(self) -> pd.DataFrame:
        """Return the distances between all topics."""
        import pandas as pd

        names = [f"{t + 1} {name}" for t, name in enumerate(self.topics.names)]
        table = pd.DataFrame(self.distances, index=names, columns=names)
        table.insert(0, "size", self.topics.size)
        return table

    def _nearest(self) -> Array:
        return (self.distances + np.eye(self.topics.rank) * 9).argmin(axis=1)
