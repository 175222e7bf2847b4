"""Evidence for a rank: several kinds of curves over one rank axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.palette import COMPONENT_COLORS, with_alpha
from nmf_core.figures.template import MUTED, axis_id, axis_key, figure
from nmf_core.figures.text import percent
from nmf_core.selection.advice import Advice
from nmf_core.selection.evidence import RankEvidence
from nmf_core.selection.heldout_choice import LEAST
from nmf_core.selection.stability import STABLE
from nmf_core.selection.sweep import Sweep
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

BLUE, ORANGE, GREEN, RED, PINK = COMPONENT_COLORS[:5]


@dataclass(frozen=True, slots=True)
class _Curve:
    """One line of a panel: middle, ends of its band, and how it is drawn."""

    name: str
    middle: Array
    low: Array | None = None
    high: Array | None = None
    color: str = BLUE
    dash: str = "solid"
    symbol: str = "circle"


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    curves: tuple[_Curve, ...]
    percent: bool = False
    log: bool = False
    limit: tuple[float, float] | None = None
    line: float | None = None
    coming: bool = False

    @property
    def measured(self) -> bool:
        """Whether any of its curves has a point."""
        return any(np.isfinite(c.middle).any() for c in self.curves)


@dataclass(frozen=True, slots=True, eq=False)
class RankCurves:
    """Panels over one rank axis: fit, held-out error, stability of components, of groups, parsimony.

    Bands are the range over restarts (fit, stability) or one standard error (held-out). Every point carries its rank as
    ``customdata``, so that a click can open that fit.

    Attributes
    ----------
    sweep : Sweep
    advice : Advice, optional
        Its rank is marked.
    chosen : int, optional
        A rank the reader looks at.
    more : bool
        Show the further criteria (bi-cross-validation, dispersion, PAC, silhouettes, Amari, sparseness) as well.
    """

    sweep: Sweep
    advice: Advice | None = None
    chosen: int | None = None
    more: bool = False

    def build(self) -> go.Figure:
        """Return the figure."""
        panels = self._panels()
        ranks = np.array(self.sweep.ranks)
        gap, n = 0.075 if len(panels) < 6 else 0.05, max(len(panels), 1)
        height = (1 - gap * (n - 1)) / n
        data: list[dict[str, Any]] = []
        layout: dict[str, Any] = {
            "height": 70 + 138 * n,
            "showlegend": False,
            "hovermode": "closest",
            "clickmode": "event+select",
            "annotations": [],
            "shapes": [],
            "margin": {"l": 10, "r": 10, "t": 26, "b": 10},
            "xaxis": {
                "title": {"text": "rank (number of components)"},
                "anchor": axis_id("y", n - 1),
                "tickmode": "array" if len(ranks) <= 25 else "auto",
                "tickvals": ranks if len(ranks) <= 25 else None,
                "range": [ranks.min() - 0.4, ranks.max() + 0.4] if len(ranks) else [0.5, 1.5],
            },
        }
        for i, panel in enumerate(panels):
            top = 1 - i * (height + gap)
            y = axis_id("y", i)
            axis: dict[str, Any] = {
                "domain": [max(top - height, 0), top],
                "anchor": "x",
                "nticks": 4,
                "title": {"text": ""},
            }
            if panel.percent:
                axis["tickformat"] = "~%"
            if panel.log:
                axis["type"] = "log"
            if panel.limit:
                axis["range"] = list(panel.limit)
            if not panel.measured:
                axis |= {"range": [0, 1], "showticklabels": False, "type": "linear"}
            layout[axis_key("y", i)] = axis
            for curve in panel.curves:
                data += self._lines(ranks, curve, y, panel.percent)
            layout["annotations"].append(self._title(panel, top))
            if panel.line is not None and panel.measured:
                layout["shapes"].append(_rule(y, panel.line))
        layout["shapes"] += self._marks()
        return figure(data, layout)

    def describe(self) -> str:
        """Say what the sweep covered and what the curves show at the advised rank."""
        ranks = self.sweep.ranks
        if not ranks:
            return "No rank has been fitted yet."
        text = f"Evidence for ranks {ranks[0]} to {ranks[-1]}, up to {self.sweep.request.n_restarts} restarts each."
        if self.advice is not None and self.advice.rank in ranks:
            e = self.sweep.at(self.advice.rank)
            text += f" At the advised rank {e.rank} the relative error is {percent(float(e.errors[e.best]))}"
            if np.isfinite(e.heldout).any():
                text += f", the held-out error {percent(float(np.nanmean(e.heldout)))} of that of rank 1"
            if np.isfinite(e.weakest):
                text += f", and the least stable component has a likeness of {e.weakest:.2f} over restarts"
            text += "."
        elif self.advice is not None:
            text += f" {self.advice.headline}."
        return text

    def table(self) -> pd.DataFrame:
        """Return one row per rank, one column per criterion."""
        return self.sweep.table()

    def _lines(self, ranks: Array, curve: _Curve, y: str, as_percent: bool) -> list[dict[str, Any]]:
        keep = np.isfinite(curve.middle)
        if not keep.any():
            return []
        x = ranks[keep]
        out: list[dict[str, Any]] = []
        if curve.low is not None and curve.high is not None and len(x) > 1:
            band = np.isfinite(curve.low) & np.isfinite(curve.high) & keep
            xs = np.concatenate([ranks[band], ranks[band][::-1]])
            ys = np.concatenate([curve.low[band], curve.high[band][::-1]])
            out.append(
                {
                    "type": "scatter",
                    "x": xs,
                    "y": ys.astype(np.float32),
                    "yaxis": y,
                    "fill": "toself",
                    "fillcolor": with_alpha(curve.color, 0.18),
                    "line": {"width": 0},
                    "mode": "lines",
                    "hoverinfo": "skip",
                }
            )
        value = "%{y:.3~%}" if as_percent else "%{y:.4~g}"
        chosen = x == self.chosen
        out.append(
            {
                "type": "scatter",
                "x": x,
                "y": curve.middle[keep].astype(np.float32),
                "yaxis": y,
                "mode": "lines+markers",
                "name": curve.name,
                "customdata": x,
                "line": {"color": curve.color, "dash": curve.dash, "width": 2},
                "marker": {"size": np.where(chosen, 12, 8), "symbol": curve.symbol, "color": curve.color},
                "selected": {"marker": {"opacity": 1}},
                "unselected": {"marker": {"opacity": 1}},
                "hovertemplate": f"rank %{{x}}<br>{curve.name} {value}<extra></extra>",
            }
        )
        return out

    def _title(self, panel: _Panel, top: float) -> dict[str, Any]:
        drawn = [c for c in panel.curves if np.isfinite(c.middle).any()]
        signs = {"circle": "●", "diamond": "◆", "square": "■", "triangle-up": "▲", "x": "✕"}
        keys = "   ".join(f'<span style="color:{c.color}">{signs[c.symbol]}</span> {c.name}' for c in drawn)
        # Four names do not fit beside the title on a narrow screen; above a panel there is room for a second line.
        gap = "   " if len(drawn) < 4 else "<br>"
        if not drawn:
            keys = "not measured yet"
        return {
            "text": f"<b>{panel.title}</b>{gap}{keys}",
            "xref": "paper",
            "yref": "paper",
            "x": 0,
            "y": top,
            "xanchor": "left",
            "yanchor": "bottom",
            "showarrow": False,
            "align": "left",
            "font": {"size": 11.5},
        }

    def _marks(self) -> list[dict[str, Any]]:
        marks = []
        if self.advice is not None and self.advice.rank is not None:
            k = self.advice.rank
            marks.append(
                {
                    "type": "rect",
                    "xref": "x",
                    "yref": "paper",
                    "x0": k - 0.28,
                    "x1": k + 0.28,
                    "y0": 0,
                    "y1": 1,
                    "fillcolor": with_alpha(GREEN, 0.13),
                    "line": {"width": 0},
                    "layer": "below",
                }
            )
        if self.chosen is not None and (self.advice is None or self.chosen != self.advice.rank):
            marks.append(
                {
                    "type": "line",
                    "xref": "x",
                    "yref": "paper",
                    "x0": self.chosen,
                    "x1": self.chosen,
                    "y0": 0,
                    "y1": 1,
                    "line": {"color": MUTED, "width": 1, "dash": "dot"},
                    "layer": "below",
                }
            )
        return marks

    def _panels(self) -> list[_Panel]:
        rows = self.sweep.evidence
        panels = [self._fit(rows), self._heldout(rows), self._components(rows), self._groups(rows), self._lean(rows)]
        if self.more:
            panels += [self._steps(), self._blocks(rows), self._distances(rows), self._scores(rows)]
        # Panels that a running sweep will fill have their place from the start: nothing below them moves later.
        return [p for p in panels if p.measured or p.coming]

    def _coming(self, kind: str) -> bool:
        """Tell whether a sweep that is not finished is still to measure something."""
        request, known = self.sweep.request, self.sweep.progress < 1.0
        enough = {"heldout": request.n_folds > 0, "restarts": request.n_restarts > 1 and max(request.ranks) > 1}
        return known and enough[kind]

    def _fit(self, rows: tuple[RankEvidence, ...]) -> _Panel:
        errors = [e.errors for e in rows]
        floor = max(min((float(e.min()) for e in errors), default=0.0), 0.0)
        shuffled = [e.shuffled_errors for e in rows if len(e.shuffled_errors)]
        top = max((float(e.max()) for e in [*errors, *shuffled]), default=1.0)
        curves = (
            _Curve("relative error", _each(errors, np.min), _each(errors, np.min), _each(errors, np.max)),
            _Curve(
                "shuffled columns", _each([e.shuffled_errors for e in rows], np.mean), color=ORANGE, symbol="diamond"
            ),
            _Curve("SVD bound", np.array([e.svd_error for e in rows]), color=MUTED_HEX, dash="dot", symbol="square"),
        )
        return _Panel("Fit", curves, percent=True, limit=None if floor > 1e-6 * top else (-0.03 * top, 1.15 * top))

    def _heldout(self, rows: tuple[RankEvidence, ...]) -> _Panel:
        middle = _each([e.heldout for e in rows], np.mean)
        spread = _each([e.heldout for e in rows], _standard_error)
        null = _each([e.shuffled_heldout for e in rows], np.mean)
        # Overfitted shuffled data can be ten times worse than rank 1: the axis keeps to where the decision is made.
        top = max(float(np.nanmax(middle, initial=1.0)), 1.0) if np.isfinite(middle).any() else 1.0
        return _Panel(
            "Held-out error, rank 1 = 100 %",
            (
                _Curve("data", middle, middle - spread, middle + spread),
                _Curve("shuffled columns", null, color=ORANGE, symbol="diamond"),
            ),
            percent=True,
            limit=(0.0 if np.nanmin(middle, initial=1.0) < 0.5 else 0.4, 1.08 * min(top, 1.5)),
            line=1.0,
            coming=self._coming("heldout"),
        )

    def _components(self, rows: tuple[RankEvidence, ...]) -> _Panel:
        typical = [np.median(e.similarity, axis=0) if len(e.similarity) else np.zeros(0) for e in rows]
        lowest = _each(typical, np.min)
        return _Panel(
            "Components over restarts",
            (
                _Curve("least stable", lowest, color=GREEN, low=lowest, high=_each(typical, np.max)),
                _Curve("median", _each(typical, np.median), color=GREEN, dash="dot", symbol="triangle-up"),
            ),
            limit=(max(0.0, float(np.nanmin(lowest, initial=1.0)) - 0.08), 1.04),
            line=STABLE,
            coming=self._coming("restarts"),
        )

    def _groups(self, rows: tuple[RankEvidence, ...]) -> _Panel:
        scores = [e.consensus if e.rank > 1 else None for e in rows]

        def value(name: str) -> Array:
            return np.array([np.nan if s is None else getattr(s, name) for s in scores], dtype=np.float64)

        curves = [
            _Curve("cophenetic correlation", value("cophenetic"), color=PINK),
            _Curve("dispersion", value("dispersion"), color=BLUE, dash="dot", symbol="diamond"),
        ]
        if self.more:
            curves += [
                _Curve("PAC", value("pac"), color=RED, dash="dash", symbol="x"),
                _Curve("silhouette", value("silhouette"), color=ORANGE, dash="dashdot", symbol="square"),
            ]
        return _Panel("Groups of samples", tuple(curves), coming=self._coming("restarts"))

    def _lean(self, rows: tuple[RankEvidence, ...]) -> _Panel:
        def value(name: str) -> Array:
            return np.array([getattr(e.lean, name) if e.lean else np.nan for e in rows], dtype=np.float64)

        return _Panel(
            "Parsimony",
            (
                _Curve("smallest share", value("smallest_share"), color=RED),
                _Curve("sparseness of H", value("sparseness_H"), color=BLUE, dash="dot", symbol="diamond"),
                _Curve("sparseness of W", value("sparseness_W"), color=ORANGE, dash="dash", symbol="square"),
            ),
            limit=(-0.04, 1.04),
        )

    def _steps(self) -> _Panel:
        return _Panel(
            "Held-out: how much of the step up to a rank is asked for",
            (_Curve("weight", self.sweep.weights()),),
            limit=(-0.1, 1.1),
            line=LEAST,
        )

    def _blocks(self, rows: tuple[RankEvidence, ...]) -> _Panel:
        middle = _each([e.block for e in rows], np.mean)
        spread = _each([e.block for e in rows], _standard_error)
        return _Panel(
            "Bi-cross-validation",
            (_Curve("3 × 3 blocks", middle, middle - spread, middle + spread),),
            percent=True,
        )

    def _distances(self, rows: tuple[RankEvidence, ...]) -> _Panel:
        return _Panel(
            "Components, more",
            (
                _Curve("silhouette", _each([e.silhouette for e in rows], np.mean), color=GREEN),
                _Curve("Amari-type distance", np.array([e.amari for e in rows]), color=RED, symbol="diamond"),
            ),
        )

    def _scores(self, rows: tuple[RankEvidence, ...]) -> _Panel:
        def centred(values: list[float]) -> Array:
            array = np.array(values, dtype=np.float64)
            return array - np.nanmin(array) if np.isfinite(array).any() else array

        return _Panel(
            "Information criteria, above their minimum",
            (
                _Curve("AIC", centred([e.aic for e in rows]), color=BLUE),
                _Curve("BIC", centred([e.bic for e in rows]), color=ORANGE, symbol="diamond"),
            ),
        )


MUTED_HEX = "#808080"


def _each(values: list[Array], measure: Any) -> Array:
    """Reduce each array to a number, NaN where nothing was measured."""
    kept = [v[np.isfinite(v)] for v in values]
    return np.array([float(measure(v)) if len(v) else np.nan for v in kept], dtype=np.float64)


def _standard_error(values: Array) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")


def _rule(y: str, at: float) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "paper",
        "yref": y,
        "x0": 0,
        "x1": 1,
        "y0": at,
        "y1": at,
        "line": {"color": MUTED, "width": 1, "dash": "dot"},
        "layer": "below",
    }
