"""How the groups of a label spread over the dominant components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.components import Parts, dominant
from nmf_core.figures.ordering import label_codes
from nmf_core.figures.template import SMALL, figure
from nmf_core.figures.text import count, label, number, percent
from nmf_core.quality import agreement, contingency
from nmf_core.types import Array, Dataset

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

GROUPS, COMPONENTS = 40, 40


@dataclass(frozen=True, slots=True, eq=False)
class LabelCounts:
    """Samples of every label value by their dominant component: counts, coloured by the share within the label value.

    Attributes
    ----------
    dataset : Dataset
    parts : Parts
    label : str
        Key of ``dataset.labels``.
    """

    dataset: Dataset
    parts: Parts
    label: str

    def build(self) -> go.Figure:
        """Return the figure."""
        counts, groups, names, colors = self._counts(GROUPS, COMPONENTS)
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        rows, columns = counts.shape
        heads = [
            f'<span style="color:{c}">■</span> {label(n, 20)}' if c else label(n, 20)
            for n, c in zip(names, colors, strict=True)
        ]
        data: list[dict[str, Any]] = [
            {
                "type": "heatmap",
                "z": (100 * share).astype(np.float32),
                "zmin": 0,
                "zmax": 100,
                "colorscale": [[0, "rgba(86, 132, 190, 0.04)"], [1, "rgba(60, 120, 200, 0.6)"]],
                "customdata": counts,
                "hovertemplate": "%{y}, %{x}: %{customdata:,} samples, %{z:.1f} %<extra></extra>",
                "xgap": 2,
                "ygap": 2,
                "colorbar": {
                    "title": {"text": "% of row", "font": {"size": SMALL}},
                    "thickness": 10,
                    "outlinewidth": 0,
                },
            }
        ]
        if rows * columns <= 600:
            # In the colour of the page's theme: a heatmap's own text is chosen without regard to opacity.
            data.append(
                {
                    "type": "scatter",
                    "mode": "text",
                    "x": np.tile(np.arange(columns), rows),
                    "y": np.repeat(np.arange(rows), columns),
                    "text": [f"{c:,}" for c in counts.ravel().tolist()],
                    "hoverinfo": "skip",
                    "showlegend": False,
                    "name": "counts",
                }
            )
        hidden = {"showgrid": False, "zeroline": False, "tickmode": "array"}
        layout = {
            "height": int(min(900, 130 + 30 * rows)),
            "title": {"text": f"{label(self.label, 30)} by dominant component"},
            "xaxis": {**hidden, "tickvals": list(range(columns)), "ticktext": heads},
            "yaxis": {
                **hidden,
                "tickvals": list(range(rows)),
                "ticktext": [label(g, 30) for g in groups],
                "range": [rows - 0.5, -0.5],
            },
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Say where the samples of each label value went, and how well groups and labels agree."""
        counts, groups, names, _ = self._counts(None, None)
        said = []
        for g in range(min(len(groups), 8)):
            total = counts[g].sum()
            top = int(counts[g].argmax())
            said.append(f"{percent(counts[g, top] / total if total else 0)} of {groups[g]} in {names[top]}")
        found = agreement(dominant(self.parts), self.dataset.labels[self.label])
        numbers = (
            "" if found is None else f" Purity {percent(found.purity)}, adjusted Rand index {number(found.ari, 3)}."
        )
        total = count(len(groups), "value")
        return f"Table of {self.label} ({total}) by dominant component: {'; '.join(said)}.{numbers}"

    def table(self) -> pd.DataFrame:
        """Return the counts: one row per label value, one column per component."""
        import pandas as pd

        counts, groups, names, _ = self._counts(None, None)
        frame = pd.DataFrame(counts, columns=names)
        frame.insert(0, self.label, groups, allow_duplicates=True)
        return frame

    def _counts(self, most_groups: int | None, most: int | None) -> tuple[Array, list[str], list[str], list[str]]:
        codes, groups = label_codes(self.dataset.labels[self.label], most_groups)
        parts = self.parts.visible()
        top = dominant(parts)
        names, colors = list(parts.names), list(parts.colors)
        if most is not None and parts.rank > most:
            top = np.where(top >= most - 1, most - 1, top)
            names = [*names[: most - 1], f"other ({parts.rank - most + 1})"]
            colors = [*colors[: most - 1], ""]
        if (top < 0).any():
            top = np.where(top < 0, len(names), top)
            names, colors = [*names, "(none)"], [*colors, ""]
        return contingency(codes, top, len(groups), len(names)), groups, names, colors
