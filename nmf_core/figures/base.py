"""What a picture is: a figure, a sentence that says what it shows, and the numbers behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


class Picture(Protocol):
    """A frozen dataclass holding the data and the options of one chart.

    The three methods are pure. `build` uses the registered template "nmf" and stays under 1 MB on the wire;
    `describe` is the alt text; `table` holds the values shown, labelled, for reading and download.
    """

    def build(self) -> go.Figure:
        """Return the Plotly figure."""

    def describe(self) -> str:
        """Return one to three plain sentences that say what the picture shows, with numbers."""

    def table(self) -> pd.DataFrame:
        """Return the numbers behind the picture."""
