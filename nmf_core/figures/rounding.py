"""Where a sum is exact, what is left is rounding: drawn at its own scale it would look like a pattern."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmf_core.types import Array

#: Residuals below this share of the largest value are not told from zero.
VISIBLE = 1e-6


def residual_range(left: Array, high: float) -> dict[str, Any]:
    """Return the range of an axis of residuals: Plotly's own choice, unless all of them count as zero."""
    span = VISIBLE * high
    known = np.abs(left[np.isfinite(left)])
    return {"range": [-span, span]} if high > 0 and known.max(initial=0.0) <= span else {}
