"""Runs of a race: how far each still was above the best, against iterations or seconds, one panel per loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nmf_core.comparison.standings import above, started
from nmf_core.figures.palette import label_color
from nmf_core.figures.template import LINE, axis_id, axis_key, figure, grid_domains
from nmf_core.figures.text import label, plain
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

AGAINST = ("iteration", "second")
#: Lines are drawn no lower: nobody tells a millionth above the best from the best.
FLOOR = 1e-6
_TICKS = {
    1e-6: "0.0001 %",
    1e-5: "",
    1e-4: "0.01 %",
    1e-3: "",
    1e-2: "1 %",
    1e-1: "",
    1.0: "100 %",
    10.0: "",
    100.0: "10,000 %",
    1e3: "",
    1e4: "1,000,000 %",
    1e5: "",
    1e6: "100,000,000 %",
}
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
#: Points of a line at most.
MOST = 150
OWN = "rgb(128,128,128)"


class Raced(Protocol):
    """A run of `nmf_core.comparison.race`."""

    request: Any
    iterations: Array
    losses: Array
    seconds: Array
    own: bool


@dataclass(frozen=True, slots=True, eq=False)
class RaceCurves:
    """One line per run; colour and dash tell solver and start, a grey line with squares is scikit-learn's own.

    Attributes
    ----------
    runs : tuple of runs
    titles : mapping of loss to what people read
    best : mapping of such a title to the best known loss
    against : {"iteration", "second"}
    raw : bool
        Draw the loss itself instead of its distance to the best known.
    starts : mapping of start to what people read, optional
    """

    runs: tuple[Any, ...]
    titles: Mapping[str | float, str]
    best: Mapping[str, float]
    against: str = "iteration"
    raw: bool = False
    starts: Mapping[str, str] | None = None

    def build(self) -> go.Figure:
        """Return the figure."""
        losses = list(dict.fromkeys(run.request.loss for run in self.runs))
        columns = min(len(losses), 2)
        # The legend stands above: no panel's axis title may run into it.
        domains = grid_domains(len(losses), columns, gap_x=0.16, gap_y=0.24 if len(losses) > columns else 0.08)
        colors = {name: label_color(i) for i, name in enumerate(dict.fromkeys(r.request.solver for r in self._ours()))}
        dashes = {name: _DASHES[i % 5] for i, name in enumerate(dict.fromkeys(r.request.init for r in self._ours()))}
        layout: dict[str, Any] = {"annotations": [], "shapes": []}
        traces, told, start = [], set(), started(self.runs)
        for i, loss in enumerate(losses):
            x, y = axis_id("x", i), axis_id("y", i)
            for run in self.runs:
                if run.request.loss != loss:
                    continue
                across, up = self._line(run, start)
                name = self._name(run)
                traces.append(
                    {
                        "type": "scatter",
                        "mode": "lines+markers" if run.own else "lines",
                        "x": across,
                        "y": up,
                        "xaxis": x,
                        "yaxis": y,
                        "name": label(name, 60),
                        "legendgroup": name,
                        "showlegend": name not in told,
                        "line": {
                            "color": OWN if run.own else colors[run.request.solver],
                            "dash": "solid" if run.own else dashes[run.request.init],
                            "width": 3 if run.own else 2,
                        },
                        "marker": {"symbol": "square", "size": 6},
                        "hovertemplate": f"{label(name, 60)}, seed {run.request.seed}<br>{self._unit()} %{{x:.4~g}}: "
                        + ("%{y:.6~g}" if self.raw else "%{y:.3~%} above the best")
                        + "<extra></extra>",
                    }
                )
                told.add(name)
                if run.own:
                    layout["shapes"].append(_level(float(up[-1]), x, y))
            layout[axis_key("x", i)] = {
                "domain": domains[i][0],
                "anchor": y,
                "type": "log",
                "title": {
                    "text": "iterations" if self.against == "iteration" else "milliseconds of computing after the start"
                },
                "exponentformat": "none",
                "dtick": 1,
            }
            title = self.titles.get(loss, str(loss))
            layout[axis_key("y", i)] = {
                "domain": domains[i][1],
                "anchor": x,
                "type": "log",
                **(
                    {"title": {"text": "loss"}}
                    if self.raw
                    else {
                        "title": {"text": "above the best known" if i % columns == 0 else ""},
                        "tickvals": list(_TICKS),
                        "ticktext": list(_TICKS.values()),
                    }
                ),
            }
            layout["annotations"].append(
                {
                    "text": f"<b>{label(title)}</b>, best known {self.best[title]:.6g}",
                    "x": domains[i][0][0],
                    "y": domains[i][1][1],
                    "xref": "paper",
                    "yref": "paper",
                    "xanchor": "left",
                    "yanchor": "bottom",
                    "showarrow": False,
                }
            )
        rows = -(-len(losses) // columns)
        layout["height"] = 70 + 360 * rows + 12 * len(told)
        layout["legend"] = {"y": 1.02, "yanchor": "bottom"}
        layout["margin"] = {"t": 10}
        return figure(traces, layout)

    def describe(self) -> str:
        """Say for each loss who ends lowest, and where scikit-learn ends."""
        said = []
        for loss in dict.fromkeys(run.request.loss for run in self.runs):
            runs = [run for run in self.runs if run.request.loss == loss]
            title = self.titles.get(loss, str(loss))
            first = min(runs, key=lambda run: float(run.losses[-1]))
            line = f"{plain(title)}: {plain(self._name(first))} ends lowest, at {float(first.losses[-1]):.6g}"
            own = next((run for run in runs if run.own), None)
            if own is not None and own is not first:
                line += f"; scikit-learn's own {own.request.solver} ends at {float(own.losses[-1]):.6g}"
            said.append(line)
        what = "The loss" if self.raw else "How far the loss is above the best known"
        return f"{what} of {len(self.runs)} runs against {self.against}s, both logarithmic. {'. '.join(said)}."

    def table(self) -> pd.DataFrame:
        """Return the points of all lines."""
        import pandas as pd

        frames, start = [], started(self.runs)
        for run in self.runs:
            at = _thinned(len(run.losses))
            title = self.titles.get(run.request.loss, str(run.request.loss))
            frames.append(
                pd.DataFrame(
                    {
                        "loss": title,
                        "run": self._name(run),
                        "seed": run.request.seed,
                        "iteration": run.iterations[at],
                        "seconds": run.seconds[at],
                        "value": run.losses[at],
                        "above the best known": above(run.losses[at], self.best[title], start.get(title, 0.0)),
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    def _unit(self) -> str:
        return "iteration" if self.against == "iteration" else "ms"

    def _ours(self) -> list[Any]:
        return [run for run in self.runs if not run.own]

    def _name(self, run: Any) -> str:
        if run.own:
            return f"scikit-learn’s own {run.request.solver}"
        return f"{run.request.solver}, {(self.starts or {}).get(run.request.init, run.request.init)}"

    def _line(self, run: Any, start: Mapping[str, float]) -> tuple[Array, Array]:
        """Return the points to draw; the start at iteration 0 has no place on a logarithmic axis."""
        at = _thinned(len(run.losses))[1:] if len(run.losses) > 1 else np.array([0])
        across = np.asarray(run.iterations if self.against == "iteration" else 1000 * run.seconds, dtype=float)[at]
        losses = np.asarray(run.losses, dtype=float)[at]
        if self.raw:
            return np.maximum(across, 1e-6), losses
        title = self.titles.get(run.request.loss, str(run.request.loss))
        return np.maximum(across, 1e-6), np.maximum(above(losses, self.best[title], start.get(title, 0.0)), FLOOR)


def _thinned(n: int) -> Array:
    """Return positions of at most `MOST` points, dense at the beginning, with the first and the last."""
    if n <= MOST:
        return np.arange(n)
    return np.unique(np.geomspace(1, n, MOST).round().astype(int) - 1)


def _level(value: float, x: str, y: str) -> dict[str, Any]:
    """Return a thin line across a panel at the height where scikit-learn ended."""
    return {
        "type": "line",
        "xref": f"{x} domain",
        "yref": y,
        "x0": 0,
        "x1": 1,
        "y0": value,
        "y1": value,
        "line": {"color": LINE, "width": 1, "dash": "dot"},
        "layer": "below",
    }
