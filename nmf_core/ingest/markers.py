"""Numbers that stand for “not measured”: −9999 and its like, where nothing else in the data is negative."""

from __future__ import annotations

import numpy as np

from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Option
from nmf_core.ingest.talk import Talk

MARKERS = (-99.0, -99.9, -999.0, -999.9, -999.99, -9999.0, -9999.9, -99999.0, -32768.0, -1e30)


def without_markers(raw: Raw, talk: Talk) -> Raw:
    """Take such numbers for missing cells; the choice can be undone.

    Parameters
    ----------
    raw : Raw
        Left as it is when sparse, or when its negative numbers are not all one and the same marker.
    talk : Talk
    """
    if raw.sparse or not raw.X.size or raw.kind in ("images", "audio", "text", "network"):
        return raw
    low = float(np.fmin.reduce(raw.X, axis=None))
    marker = next((m for m in MARKERS if np.isclose(low, m, rtol=1e-6, atol=0.0)), None)
    if marker is None:
        return raw
    here = np.equal(raw.X, low)
    k = int(here.sum())
    if k > 0.9 * raw.X.size or bool(((raw.X < 0) & ~here).any()):
        return raw
    cells = "1 cell holds" if k == 1 else f"{k:,} cells hold"
    options = [Option("missing", f"no value: {low:g} stands for a missing cell", k), Option("value", "a number", k)]
    text = f"{cells} {low:g}, and nothing else is negative. What is it?"
    if talk.ask("marker", text, options, "missing", required=False) == "value":
        return raw
    talk.note("marker", f"{cells} {low:g}, as files mark what was not measured: taken as missing.", "marker")
    return raw.with_(X=np.where(here, np.nan, raw.X))
