"""How components split, merge and persist from one rank to the next."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nmf_core.selection.matching import cosine, match
from nmf_core.types import Array


@dataclass(frozen=True, slots=True, eq=False)
class Lineage:
    """Components of several ranks and how alike neighbours are.

    Attributes
    ----------
    ranks : tuple of int
    order : tuple of ndarray of int
        Per rank: components from top to bottom, so that strong links cross as little as possible.
    family : tuple of ndarray of int
        Per rank and component: the number of its line of descent. A component keeps that of the one it is matched to in
        the rank before (Hungarian); one without a partner begins a new line.
    likeness : tuple of ndarray of shape (rank, next rank)
        Cosine between the components of neighbouring ranks.
    share : tuple of ndarray
        Per rank and component: its share of the summed squared strengths ‖w‖²‖h‖².
    H : tuple of ndarray
        Per rank: the components, as fitted.
    """

    ranks: tuple[int, ...]
    order: tuple[Array, ...]
    family: tuple[Array, ...]
    likeness: tuple[Array, ...]
    share: tuple[Array, ...]
    H: tuple[Array, ...]

    def links(self, cutoff: float) -> list[tuple[int, int, int, float]]:
        """Return (position of the rank, component, component of the next rank, cosine) for all links above the cut-off."""
        found = []
        for level, matrix in enumerate(self.likeness):
            found += [
                (level, int(i), int(j), float(matrix[i, j])) for i, j in zip(*np.nonzero(matrix >= cutoff), strict=True)
            ]
        return found

    def fates(self, cutoff: float) -> list[str]:
        """Say for every step up what happened: which components stay, split or are new."""
        sentences = []
        for level, matrix in enumerate(self.likeness):
            linked = matrix >= cutoff
            children, parents = linked.sum(axis=1), linked.sum(axis=0)
            stay = int((linked & (children[:, None] == 1) & (parents[None] == 1)).sum())
            split, merged = int((children > 1).sum()), int((parents > 1).sum())
            sentences.append(
                f"From rank {self.ranks[level]} to {self.ranks[level + 1]}: {stay} kept, {split} split, {merged} with "
                f"several parents, {int((parents == 0).sum())} new, {int((children == 0).sum())} lost."
            )
        return sentences


def lineage(factors: Mapping[int, tuple[Array, Array]]) -> Lineage:
    """Trace components over ranks.

    Parameters
    ----------
    factors : mapping of rank to (W, H)
        The best fit of each rank, all on the same features.
    """
    ranks = tuple(sorted(factors))
    H = tuple(np.asarray(factors[k][1]) for k in ranks)
    share = []
    for k in ranks:
        energy = (np.linalg.norm(factors[k][0], axis=0) * np.linalg.norm(factors[k][1], axis=1)) ** 2
        share.append(energy / max(float(energy.sum()), 1e-300))
    likeness = tuple(cosine(a, b) for a, b in itertools.pairwise(H))
    family = [np.arange(len(H[0]))] if H else []
    count = len(H[0]) if H else 0
    for before, after in itertools.pairwise(H):
        line = np.full(len(after), -1)
        order, similarity = match(before, after) if len(after) >= len(before) else (np.zeros(0, int), np.zeros(0))
        for parent, (child, value) in enumerate(zip(order, similarity, strict=True)):
            if value >= 0.5:
                line[child] = family[-1][parent]
        fresh = np.flatnonzero(line < 0)
        line[fresh] = count + np.arange(len(fresh))
        count += len(fresh)
        family.append(line)
    return Lineage(ranks, _order(likeness, share), tuple(family), likeness, tuple(share), H)


def _order(likeness: tuple[Array, ...], share: list[Array]) -> tuple[Array, ...]:
    """Sort every rank by the mean position of its neighbours, weighted by cosine³, sweeping down and up (Sugiyama 1981)."""
    if not share:
        return ()
    orders = [np.argsort(-share[0], kind="stable")]
    weights = [matrix**3 for matrix in likeness]
    for weight in weights:
        orders.append(np.argsort(_barycentre(weight.T, orders[-1]), kind="stable"))
    best, crossings = list(orders), _crossings(weights, orders)
    for _ in range(8):
        for level in range(len(weights) - 1, -1, -1):
            orders[level] = np.argsort(_barycentre(weights[level], orders[level + 1]), kind="stable")
        for level, weight in enumerate(weights):
            orders[level + 1] = np.argsort(_barycentre(weight.T, orders[level]), kind="stable")
        now = _crossings(weights, orders)
        if now >= crossings - 1e-12:
            break
        best, crossings = list(orders), now
    return tuple(best)


def _positions(order: Array) -> Array:
    place = np.empty(len(order))
    place[order] = (np.arange(len(order)) + 0.5) / len(order)
    return place


def _barycentre(weight: Array, neighbour_order: Array) -> Array:
    total = weight.sum(axis=1)
    place = _positions(neighbour_order)
    return np.divide(weight @ place, total, out=np.full(len(weight), 0.5), where=total > 0)


def _crossings(weights: list[Array], orders: list[Array]) -> float:
    """Sum over pairs of crossing links of the product of their weights."""
    total = 0.0
    for weight, above, below in zip(weights, orders, orders[1:], strict=False):
        M = weight[above][:, below]
        # A link (i, j) crosses every link (i', j') with i' > i and j' < j.
        lower_left = np.cumsum(np.cumsum(M[::-1], axis=0)[::-1], axis=1)
        total += float((M[:-1, 1:] * lower_left[1:, :-1]).sum())
    return total
