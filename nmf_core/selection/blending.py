"""How much of the step from one rank's predictions to another's do held-out cells ask for?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmf_core.selection.crossval import mean_loss
from nmf_core.types import Array


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What held-out cells say about going from one rank to a higher one.

    Attributes
    ----------
    weight : float
        Share of the step that predicts held-out cells best, as in stacking (Wolpert 1992; Breiman 1996): 1 asks for all of
        it, at ½ both ranks predict equally well, and 0 means that the step only follows noise. A part that is there but too
        faint to be estimated well lies between 0 and ½: the error rises, yet held-out cells ask for some of it.
    certainty : float
        Mean pull of the held-out cells over its standard error between sets.
    gain : float
        Share of the lower rank's error that the best blend of both removes.
    """

    weight: float
    certainty: float
    gain: float


def step(
    actual: Sequence[Array], lower: Sequence[Array], higher: Sequence[Array], loss: str | float = "frobenius"
) -> Step | None:
    """Measure the step between two sets of predictions of the same held-out cells.

    Parameters
    ----------
    actual, lower, higher : sequence of ndarray
        One array per set of held-out cells: their values, and their predictions at the lower and at the higher rank.
    loss : str or float

    Returns
    -------
    Step or None
        None with fewer than two sets, or if both ranks predict the same.

    Notes
    -----
    A parabola through the losses without the step, with half of it and with all of it: exact for the squared error, whose
    best weight is ⟨x − p, q − p⟩ / ‖q − p‖² for cells x and predictions p, q.
    """
    if len(actual) < 2:
        return None
    none, half, whole = np.empty((3, len(actual)))
    # Weights do not depend on the unit; squares of very large or very small numbers would overflow.
    unit = max(max(float(np.max(x, initial=0.0)) for x in actual), 1e-300)
    for i, (x, p, q) in enumerate(zip(actual, lower, higher, strict=True)):
        x, p, q = (np.asarray(part, dtype=np.float64) / unit for part in (x, p, q))
        none[i], half[i], whole[i] = (mean_loss(x, y, loss) for y in (p, 0.5 * (p + q), q))
    pull = 0.5 * (3 * none + whole - 4 * half)
    curvature = float((none + whole - 2 * half).mean())
    if curvature <= 1e-14 * float(none.mean()):
        return None
    mean, spread = float(pull.mean()), float(pull.std(ddof=1) / np.sqrt(len(pull)))
    weight = mean / (2 * curvature)
    return Step(weight, mean / max(spread, 1e-300), weight * mean / float(none.mean()))
