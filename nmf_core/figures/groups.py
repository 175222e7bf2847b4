"""How samples are coloured: by dominant component or by a label of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core.components import Parts, dominant
from nmf_core.figures.ordering import label_codes
from nmf_core.figures.palette import OTHER_COLOR, label_color, symbol
from nmf_core.types import Array, Dataset

DOMINANT = "dominant"
#: Groups told apart at most; the smallest ones are joined.
MOST = 14


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """A group per sample.

    Attributes
    ----------
    codes : ndarray of int of length n_samples
    names, colors, symbols : tuple of str
        Per group; names are unescaped.
    title : str
        Unescaped.
    """

    codes: Array
    names: tuple[str, ...]
    colors: tuple[str, ...]
    symbols: tuple[str, ...]
    title: str


def groups_of(dataset: Dataset, parts: Parts, by: str = DOMINANT, most: int = MOST) -> Groups:
    """Return the groups of samples by dominant component (any unknown key too) or by a label.

    Components keep their identity colours; labels have colours of their own. Beyond `most` groups the smallest are
    joined into one grey group.
    """
    if by in dataset.labels:
        codes, names = label_codes(dataset.labels[by], most)
        colors = [label_color(i) for i in range(len(names))]
        if names and names[-1].startswith("other (") and len(names) == most:
            colors[-1] = OTHER_COLOR
        return Groups(codes, tuple(names), tuple(colors), tuple(symbol(i) for i in range(len(names))), by)
    codes = dominant(parts)
    names, colors = list(parts.names), list(parts.colors)
    if len(names) > most:
        sizes = np.bincount(codes[codes >= 0], minlength=len(names))
        kept = np.sort(np.argsort(-sizes, kind="stable")[: most - 1])
        new = np.full(len(names) + 1, most - 1)
        new[kept] = np.arange(most - 1)
        new[-1] = -1
        codes = new[codes]
        rest = len(names) - most + 1
        names, colors = (
            [*(names[k] for k in kept), f"other ({rest} components)"],
            [*(colors[k] for k in kept), OTHER_COLOR],
        )
    if (codes < 0).any():
        codes = np.where(codes < 0, len(names), codes)
        names, colors = [*names, "(none)"], [*colors, OTHER_COLOR]
    return Groups(codes, tuple(names), tuple(colors), tuple(symbol(i) for i in range(len(names))), "dominant component")
