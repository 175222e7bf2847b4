"""A scene of spectra: end members as lines, the ground truth as a map of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.components import Parts, feature_axis, feature_axis_words
from nmf_core.figures.palette import OTHER_COLOR, label_color, rgb_array
from nmf_core.figures.png import sheet
from nmf_core.figures.template import figure
from nmf_core.figures.text import label
from nmf_core.types import Array, Dataset

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

CLASSES = 20


@dataclass(frozen=True, slots=True, eq=False)
class ClassMap:
    """The class of every pixel as a colour, with a legend.

    Attributes
    ----------
    classes : ndarray of str of shape (n_pixels,)
    shape : tuple of int
        (height, width) of the scene.
    title : str
    blank : ndarray of bool of shape (n_pixels,), optional
        Pixels without a class, drawn in grey.
    names : tuple of str
        Order of the classes; those most frequent first when left out.
    colors : tuple of str
        One per name; label colours when left out.
    """

    classes: Array
    shape: tuple[int, int]
    title: str
    blank: Array | None = None
    names: tuple[str, ...] = ()
    colors: tuple[str, ...] = ()

    def build(self) -> go.Figure:
        """Return the figure."""
        names, codes = self._coded()
        colors = list(self.colors) or [label_color(i) for i in range(len(names))]
        rgb = rgb_array((*colors[: len(names)], OTHER_COLOR))[codes].reshape(*self.shape, 3)
        drawn = sheet(np.asarray(rgb, dtype=np.uint8)[None], 1, min_pixels=280)
        height, width = self.shape
        data: list[dict[str, Any]] = [
            {
                "type": "scatter",
                "x": [None],
                "y": [None],
                "mode": "markers",
                "marker": {"symbol": "square", "size": 12, "color": colors[i]},
                "name": label(name, 30),
                "hoverinfo": "skip",
            }
            for i, name in enumerate(names)
        ]
        if (codes == len(names)).any():
            data.append(
                {
                    "type": "scatter",
                    "x": [None],
                    "y": [None],
                    "mode": "markers",
                    "marker": {"symbol": "square", "size": 12, "color": OTHER_COLOR},
                    "name": "no class",
                    "hoverinfo": "skip",
                }
            )
        layout = {
            "height": 380,
            "title": {"text": label(self.title, 80)},
            "margin": {"l": 0, "r": 0, "t": 36, "b": 0},
            "xaxis": {
                "visible": False,
                "range": [0, width],
                "domain": [0, 0.64],
                "constrain": "domain",
                "constraintoward": "left",
            },
            "yaxis": {
                "visible": False,
                "range": [height, 0],
                "scaleanchor": "x",
                "constrain": "domain",
                "constraintoward": "top",
            },
            "legend": {"orientation": "v", "x": 0.66, "xanchor": "left", "y": 1, "yanchor": "top"},
            "images": [
                {
                    "source": drawn.uri,
                    "xref": "x",
                    "yref": "y",
                    "x": 0,
                    "y": 0,
                    "sizex": width,
                    "sizey": height,
                    "sizing": "stretch",
                    "layer": "below",
                }
            ],
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Say how many classes there are and which are the largest."""
        names, codes = self._coded()
        counts = np.bincount(codes, minlength=len(names) + 1)
        largest = ", ".join(f"{names[i]} ({counts[i]:,} pixels)" for i in np.argsort(-counts[: len(names)])[:4])
        return f"{self.title}: map of {len(names)} classes over {self.shape[0]} × {self.shape[1]} pixels; {largest}."

    def table(self) -> pd.DataFrame:
        """Return the class of every pixel."""
        import pandas as pd

        rows, columns = np.divmod(np.arange(len(self.classes)), self.shape[1])
        return pd.DataFrame({"row": rows + 1, "column": columns + 1, "class": np.asarray(self.classes).astype(str)})

    def _coded(self) -> tuple[list[str], Array]:
        values = np.asarray(self.classes).astype(str)
        seen = np.ones(len(values), dtype=bool) if self.blank is None else ~self.blank
        if self.names:
            names = list(self.names)
        else:
            found, counts = np.unique(values[seen], return_counts=True)
            names = found[np.argsort(-counts, kind="stable")][:CLASSES].tolist()
        place = {name: i for i, name in enumerate(names)}
        codes = np.array([place.get(v, len(names)) for v in values])
        codes[~seen] = len(names)
        return names, codes


@dataclass(frozen=True, slots=True, eq=False)
class EndMembers:
    """The spectrum of each part, and of ground-truth classes for comparison.

    Attributes
    ----------
    dataset : Dataset
    parts : Parts
    others : ndarray of shape (n, n_bands)
        More spectra, drawn dotted.
    other_names : tuple of str
    unit : bool
        Scale every spectrum to length 1, so that shapes are compared.
    """

    dataset: Dataset
    parts: Parts
    others: Array
    other_names: tuple[str, ...] = ()
    unit: bool = True

    def build(self) -> go.Figure:
        """Return the figure."""
        H, others = self._scaled()
        axis = feature_axis(self.dataset)  # wavelengths or numbers of bands, where the names say them
        x = np.arange(1, H.shape[1] + 1) if axis is None else axis
        given = feature_axis_words(self.dataset)
        words = "band" if axis is None or given == "feature" else label(given, 40)
        data: list[dict[str, Any]] = [
            {
                "type": "scatter",
                "mode": "lines",
                "x": x,
                "y": H[k].astype(np.float32),
                "line": {"color": self.parts.colors[k], "width": 2.5},
                "name": label(self.parts.names[k], 24),
                "text": [label(c, 24) for c in self.dataset.cols] if k == 0 else None,
                "hovertemplate": f"{label(self.parts.names[k], 24)}<br>{words} %{{x}}: %{{y:.3g}}<extra></extra>",
            }
            for k in range(len(H))
        ]
        data += [
            {
                "type": "scatter",
                "mode": "lines",
                "x": x,
                "y": spectrum.astype(np.float32),
                "line": {"color": label_color(i), "width": 1.5, "dash": "dot"},
                "name": label(self.other_names[i], 30),
                "hovertemplate": f"{label(self.other_names[i], 30)}<br>{words} %{{x}}: %{{y:.3g}}<extra></extra>",
            }
            for i, spectrum in enumerate(others)
        ]
        layout = {
            "height": 380,
            "xaxis": {"title": {"text": words}},
            "yaxis": {
                "title": {"text": "intensity, scaled to length 1" if self.unit else "intensity"},
                "rangemode": "tozero",
            },
            "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
            "legend": {"y": -0.22},
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Say how many spectra there are and where each part peaks."""
        H, _ = self._scaled()
        peaks = ", ".join(f"{self.parts.names[k]} at {self.dataset.cols[H[k].argmax()]}" for k in range(min(len(H), 8)))
        more = f" {len(self.other_names)} class means are drawn dotted." if self.other_names else ""
        return f"Spectra of {len(H)} end members over {H.shape[1]} bands; largest values: {peaks}.{more}"

    def table(self) -> pd.DataFrame:
        """Return one row per band and one column per spectrum."""
        import pandas as pd

        H, others = self._scaled()
        frame = pd.DataFrame(H.T, columns=list(self.parts.names))
        frame.insert(0, "band", self.dataset.cols, allow_duplicates=True)
        extra = pd.DataFrame(np.asarray(others).reshape(-1, H.shape[1]).T, columns=list(self.other_names))
        return pd.concat([frame, extra], axis=1)

    def _scaled(self) -> tuple[Array, Array]:
        H = np.asarray(self.parts.H, dtype=np.float64)
        others = np.asarray(self.others, dtype=np.float64).reshape(-1, H.shape[1])
        if not self.unit:
            return H, others
        H, others = (F / np.maximum(np.linalg.norm(F, axis=1, keepdims=True), 1e-12) for F in (H, others))
        return H, others
