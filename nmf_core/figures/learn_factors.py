"""X ≈ W · H with every number in its cell, or with every row as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nmf_core.figures.learn_grids import INK, Grid, draw
from nmf_core.figures.template import figure
from nmf_core.figures.text import plain
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, eq=False)
class FactorNumbers:
    """X, W, H, WH and X − WH side by side, the entries that matter framed.

    Attributes
    ----------
    X, W, H : ndarray of shape (n, m), (n, rank), (rank, m)
        At most about 12 × 12 to be readable.
    rows, cols, parts : sequence of str
        Names of samples, features, components.
    updated : {"", "W", "H"}
        The factor that was just updated.
    entry : (factor, row, col), optional
        One entry to mark, of which the page spells out the formula; the rows and columns the formula reads are dashed.
    cell_shape : (height, width), optional
        Draw rows of X, H, WH and X − WH as pictures of this shape.
    digits : int
        Significant digits in the cells.
    ink : str
        Text colour of the page, for numbers on faint cells.
    """

    X: Array
    W: Array
    H: Array
    rows: tuple[str, ...]
    cols: tuple[str, ...]
    parts: tuple[str, ...]
    updated: str = ""
    entry: tuple[str, int, int] | None = None
    cell_shape: tuple[int, int] | None = None
    digits: int = 3
    ink: str = INK

    def _blocks(self) -> list[tuple[str, Array, tuple[str, ...], tuple[str, ...]]]:
        WH = self.W @ self.H
        residual = self.X - WH
        residual = np.where(np.abs(residual) < 1e-12 * max(float(np.abs(self.X).max()), 1e-300), 0.0, residual)
        return [
            ("X", self.X, self.rows, self.cols),
            ("W", self.W, self.rows, self.parts),
            ("H", self.H, self.parts, self.cols),
            ("WH", WH, self.rows, self.cols),
            ("X − WH", residual, self.rows, self.cols),
        ]

    def build(self) -> go.Figure:
        """Return the figure."""
        top = float(self.X.max())
        pictured = self.cell_shape is not None
        two_lines = not pictured and self.X.shape[1] > 3  # on one line the numbers would become too small
        grids = []
        for name, values, rows, cols in self._blocks():
            head = name + (" (new)" if name == self.updated else "")
            signed = name.startswith("X −")
            shared = top if name in ("X", "WH") else None
            names = rows if name in ("X", "H") or (two_lines and name == "WH") else ()
            if pictured and name != "W":
                grids.append(_pictures(head, values, names, self.cell_shape or (1, 1), shared, signed))
            elif pictured:
                grids.append(Grid(head, values, (), cols, tall=1.0))
            else:
                grids.append(Grid(head, values, names, cols, shared, signed, self._frames(name)))
        data, layout = draw(
            grids,
            ("≈", "·", "=", "", ""),
            digits=self.digits,
            row_height=20 if pictured else max(22, 46 - len(self.X) * 2),
            first=3 if two_lines else None,
            ink=self.ink,
        )
        return figure(data, layout)

    def _frames(self, name: str) -> tuple[tuple[float, float, float, float, str], ...]:
        """Return the frame of the entry, and dashed ones around what its formula reads."""
        if self.entry is None:
            return ()
        factor, r, c = self.entry
        n, m = self.X.shape
        if name == factor:
            return ((r, c, 1, 1, "entry"),)
        if factor == "H":  # column c of X and of WH, column r of W
            return {"X": ((0, c, n, 1, "used"),), "WH": ((0, c, n, 1, "used"),), "W": ((0, r, n, 1, "used"),)}.get(
                name, ()
            )
        return {
            "X": ((r, 0, 1, m, "used"),),
            "WH": ((r, 0, 1, m, "used"),),
            "H": ((c, 0, 1, m, "used"),),
        }.get(name, ())

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        residual = self.X - self.W @ self.H
        changed = f" {self.updated} was just updated." if self.updated in ("W", "H") else ""
        worst = np.unravel_index(int(np.abs(residual).argmax()), residual.shape)
        kind = "too small" if residual[worst] > 0 else "too large"
        text = (
            f"X ({self.X.shape[0]} × {self.X.shape[1]}) beside W, H, their product WH and the residual X − WH. "
            f"The residual's squares add up to {float((residual**2).sum()):.5g}; WH is furthest off in "
            f"{plain(self.rows[worst[0]])}, {plain(self.cols[worst[1]])}, where it is {kind} by "
            f"{float(np.abs(residual).max()):.4g}.{changed}"
        )
        if self.cell_shape is not None:
            text += " " + " ".join(
                f"{plain(part)} is darkest in {_strongest(h, self.cols)}."
                for part, h in zip(self.parts, self.H, strict=True)
            )
        return text

    def table(self) -> pd.DataFrame:
        """Return all entries in long form: matrix, row, column, value."""
        import pandas as pd

        return pd.DataFrame(
            [
                (name, plain(r), plain(c), float(values[i, j]))
                for name, values, rows, cols in self._blocks()
                for i, r in enumerate(rows)
                for j, c in enumerate(cols)
            ],
            columns=["matrix", "row", "column", "value"],
        )


@dataclass(frozen=True, slots=True, eq=False)
class FactorVersions:
    """One factor in several versions side by side, on one colour scale.

    Attributes
    ----------
    versions : sequence of (name, ndarray)
        All of one shape; the name is the head of its grid.
    rows, cols : sequence of str
    says : str
        What the versions are, for the alt text.
    between : sequence of str
        Signs between the grids.
    cell_shape : (height, width), optional
        Rows of so many cells are drawn as pictures.
    digits : int
    """

    versions: tuple[tuple[str, Array], ...]
    rows: tuple[str, ...]
    cols: tuple[str, ...]
    says: str = "Versions of a matrix"
    between: tuple[str, ...] = ()
    cell_shape: tuple[int, int] | None = None
    digits: int = 3

    def build(self) -> go.Figure:
        """Return the figure."""
        top = max(float(v[np.isfinite(v)].max(initial=0.0)) for _, v in self.versions)
        pictured = self.cell_shape is not None and len(self.cols) == self.cell_shape[0] * self.cell_shape[1]
        grids = []
        for i, (name, v) in enumerate(self.versions):
            rows = self.rows if i == 0 else ()
            if pictured:
                grids.append(_pictures(name, v, rows, self.cell_shape or (1, 1), top, signed=False))
            else:
                grids.append(Grid(name, v, rows, self.cols, top))
        signs = self.between or ("",) * len(grids)
        return figure(*draw(grids, signs, digits=self.digits, row_height=20 if pictured else 34))

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        each = "; ".join(f"{plain(name)}: from {np.nanmin(v):.3g} to {np.nanmax(v):.3g}" for name, v in self.versions)
        return f"{self.says}, side by side. {each}."

    def table(self) -> pd.DataFrame:
        """Return all entries in long form."""
        import pandas as pd

        return pd.DataFrame(
            [
                (plain(name), plain(r), plain(c), float(v[i, j]))
                for name, v in self.versions
                for i, r in enumerate(self.rows)
                for j, c in enumerate(self.cols)
            ],
            columns=["version", "row", "column", "value"],
        )


def _pictures(
    name: str, values: Array, rows: tuple[str, ...], shape: tuple[int, int], top: float | None, signed: bool
) -> Grid:
    """Return rows as pictures one below another, with a gap of one pixel."""
    height, width = shape
    stacked = np.full((len(values) * (height + 1) - 1, width), np.nan)
    for i, row in enumerate(values):
        stacked[i * (height + 1) : i * (height + 1) + height] = row.reshape(shape)
    middle = [i * (height + 1) + (height - 1) / 2 for i in range(len(values))]
    return Grid(name, stacked, rows, (), top, signed, row_at=middle)


def _strongest(part: Array, cols: tuple[str, ...]) -> str:
    top = float(part.max())
    if top <= 0:
        return "no pixel"
    return ", ".join(plain(cols[j]) for j in np.flatnonzero(part >= 0.8 * top)[:6])
