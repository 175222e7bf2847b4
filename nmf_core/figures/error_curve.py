"""How the loss fell: per iteration or per second, with all restarts behind the best."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.palette import COMPONENT_COLORS
from nmf_core.figures.template import MUTED, figure, titled
from nmf_core.figures.text import count, number, percent
from nmf_core.types import Array, Dataset, FitResult, Trace, is_sparse

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

AXES = ("iteration", "second")
#: Points drawn of one curve, and restarts drawn behind the best.
CURVE_POINTS, CURVES = 1500, 60


@dataclass(frozen=True, slots=True, eq=False)
class ErrorCurve:
    """The objective after every iteration of one result.

    Attributes
    ----------
    dataset : Dataset
    result : FitResult
    against : {"iteration", "second"}
        Seconds count computing only.
    log : bool
        Logarithmic loss axis.
    height : int
        Pixels.

    Notes
    -----
    For the Frobenius loss without penalties the loss is ½‖X − WH‖², so a second axis reads off the relative error
    ‖X − WH‖ / ‖X‖.
    """

    dataset: Dataset
    result: FitResult
    against: str = "iteration"
    log: bool = True
    height: int = 340

    def build(self) -> go.Figure:
        """Return the figure."""
        if self.against not in AXES:
            raise ValueError(f"against: unknown {self.against!r}; use one of {', '.join(AXES)}")
        result, norm = self.result, self._norm()
        others = [t for i, t in enumerate(result.restarts) if i != result.best]
        drawn = others[:: max(1, -(-len(others) // CURVES))]
        points = CURVE_POINTS if len(drawn) < 20 else CURVE_POINTS // 5
        data: list[dict[str, Any]] = []
        if drawn:
            # One trace for all of them, with gaps between: sixty traces would take longer to draw than to compute.
            curves = [self._curve(trace, points) for trace in drawn]
            gap = np.array([np.nan], dtype=np.float32)
            data.append(
                {
                    "type": "scattergl" if sum(len(x) for x, _ in curves) > 2000 else "scatter",
                    "x": np.concatenate([np.concatenate([x, gap]) for x, _ in curves]),
                    "y": np.concatenate([np.concatenate([y, gap]) for _, y in curves]),
                    "mode": "lines",
                    "line": {"color": MUTED, "width": 1},
                    "opacity": 0.45,
                    "hoverinfo": "skip",
                    "name": "other restarts",
                }
            )
        x, y = self._curve(result.trace, CURVE_POINTS)
        unit = "s" if self.against == "second" else ""
        best: dict[str, Any] = {
            "type": "scatter",
            "x": x,
            "y": y,
            "mode": "lines+markers" if len(x) < 30 else "lines",
            "line": {"color": COMPONENT_COLORS[0], "width": 2.5},
            "marker": {"size": 5},
            "name": "best restart" if others else "loss",
            "hovertemplate": f"{self.against} %{{x}}{unit}<br>loss %{{y:.6g}}<extra></extra>",
        }
        if norm:
            best["customdata"] = (100 * np.sqrt(2 * np.maximum(y, 0)) / norm).astype(np.float32)
            best["hovertemplate"] = (
                f"{self.against} %{{x}}{unit}<br>loss %{{y:.6g}}<br>relative error %{{customdata:.4g}} %<extra></extra>"
            )
        data.append(best)
        # A loss that is rounding alone from the start on: what goes up and down then means nothing.
        zero = bool(norm) and float(np.max(result.trace.loss)) <= 1e-28 * norm**2
        scale = "log" if self.log and not zero and bool(np.min(result.trace.loss) > 0) else "linear"
        low, high = (0.0, (1e-6 * norm) ** 2) if zero else self._range(drawn, scale)
        layout: dict[str, Any] = {
            "height": self.height,
            **titled(self._title(), self._notes(len(others), len(drawn), zero)),
            "xaxis": {"title": {"text": "seconds of computing" if unit else "iteration"}, "rangemode": "tozero"},
            "yaxis": {"title": {"text": "loss"}, "type": scale, "range": [low, high], "exponentformat": "power"},
            "showlegend": bool(others),
            "legend": {"y": 1, "yanchor": "top", "x": 1, "xanchor": "right"},
            "hovermode": "x",
        }
        if scale == "log" and high - low > 1.5:
            layout["yaxis"]["dtick"] = math.ceil((high - low) / 6)  # whole powers of ten only
        if norm:
            data.append({"type": "scatter", "x": [x[0]], "y": [y[0]], "yaxis": "y2", "mode": "markers", "opacity": 0})
            data[-1] |= {"hoverinfo": "skip", "showlegend": False, "name": "relative error"}
            layout["yaxis2"] = self._second_axis(low, high, scale, norm)
        return figure(data, layout)

    def describe(self) -> str:
        """Say where the loss began and ended, in how many iterations, and why the run stopped."""
        result, norm = self.result, self._norm()
        loss = result.trace.loss
        text = (
            f"The loss fell from {number(loss[0])} to {number(loss[-1], 6)} in {count(result.n_iter, 'iteration')} "
            f"and {number(result.trace.seconds[-1], 3)} s."
        )
        if norm:
            text += f" The relative error is now {percent(math.sqrt(max(2 * loss[-1], 0)) / norm, 4)}."
        ends = [float(t.loss[-1]) for t in result.restarts]
        if len(ends) > 1:
            text += f" {len(ends)} restarts ended between {number(min(ends), 6)} and {number(max(ends), 6)}."
        return f"{text} {result.stop}"

    def table(self) -> pd.DataFrame:
        """Return iteration, seconds and loss of every restart (and the relative error, where defined)."""
        import pandas as pd

        restarts = self.result.restarts or (self.result.trace,)
        frames = []
        for i, trace in enumerate(restarts):
            frame = pd.DataFrame(
                {"iteration": np.arange(len(trace.loss)), "seconds": trace.seconds, "loss": trace.loss}
            )
            if len(restarts) > 1:
                frame.insert(0, "restart", i + 1)
            frames.append(frame)
        out = pd.concat(frames, ignore_index=True)
        norm = self._norm()
        if norm:
            out["relative error"] = np.sqrt(2 * np.maximum(out["loss"], 0)) / norm
        return out

    def _norm(self) -> float:
        """Return ‖X‖ where the loss gives the relative error, else 0."""
        request = self.result.request
        if request.beta != 2 or request.penalised:
            return 0.0
        X = self.dataset.X.data if is_sparse(self.dataset.X) else self.dataset.X
        return math.sqrt(float(np.nansum(np.square(X, dtype=np.float64))))

    def _curve(self, trace: Trace, points: int) -> tuple[Array, Array]:
        n = len(trace.loss)
        at = np.arange(n)
        if n > points:  # dense where the curve is steep: at the start
            at = np.unique(np.geomspace(1, n, points).round().astype(np.intp) - 1)
        x = at if self.against == "iteration" else np.asarray(trace.seconds)[at]
        return x.astype(np.float32), np.asarray(trace.loss, dtype=np.float64)[at]

    def _range(self, drawn: list[Trace], scale: str) -> tuple[float, float]:
        loss = [np.asarray(t.loss, dtype=np.float64) for t in (self.result.trace, *drawn)]
        finite = np.concatenate([v[np.isfinite(v)] for v in loss])
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        if scale == "log" and low > 0:
            low, high = math.log10(low), math.log10(max(high, low))
            pad = 0.05 * (high - low) or 0.1
            return low - pad, high + pad
        pad = 0.05 * (high - low) or 0.1 * abs(high) or 1.0
        return min(low - pad, 0.0) if low < pad else low - pad, high + pad

    def _second_axis(self, low: float, high: float, scale: str, norm: float) -> dict[str, Any]:
        """Return an axis over the same range whose ticks are relative errors at the losses they belong to."""
        ends = (10.0**low, 10.0**high) if scale == "log" else (max(low, 0.0), high)
        errors = [math.sqrt(2 * end) / norm for end in ends]
        ticks = _round_values(errors[0], errors[1], logarithmic=scale == "log")
        at = [0.5 * (e * norm) ** 2 for e in ticks]
        return {
            "overlaying": "y",
            "side": "right",
            "type": scale,
            "range": [low, high],
            "showgrid": False,
            "tickmode": "array",
            "tickvals": at,
            "ticktext": [f"{100 * e:.4g} %" for e in ticks],
            "title": {"text": "relative error"},
        }

    def _notes(self, others: int, drawn: int, zero: bool) -> list[str]:
        return [
            f"{drawn} of {others} other restarts drawn" if drawn < others else "",
            "with its penalties" if self.result.request.penalised else "",
            "zero up to rounding" if zero else "",
        ]

    def _title(self) -> str:
        what = {2.0: "Frobenius loss", 1.0: "Kullback–Leibler loss", 0.0: "Itakura–Saito loss"}
        return what.get(self.result.request.beta, f"β-divergence, β = {self.result.request.beta:g}")


def _round_values(low: float, high: float, *, logarithmic: bool) -> list[float]:
    """Return three to eight round numbers inside an interval."""
    if not 0 <= low < high:
        return [high] if high > 0 else []
    if logarithmic and low > 0 and high / low > 8:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        steps = (1, 2, 5) if high / low < 200 else (1,)
        found = [m * 10.0**p for p in powers for m in steps if low <= m * 10.0**p <= high]
        return found[:: max(1, -(-len(found) // 8))]
    raw = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    first = math.ceil(low / step)
    return [k * step for k in range(first, math.floor(high / step) + 1) if k * step > 0 or low == 0]
