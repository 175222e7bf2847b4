"""The held-out part of the rule: from which rank on are cells that the fit has not seen predicted as well as they can be?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from nmf_core.selection.blending import Step
from nmf_core.selection.evidence import relative
from nmf_core.selection.sweep import Sweep
from nmf_core.types import Array

FLOOR = 0.002
PAIRED = 0.5
CERTAIN = 2.0
MIN_FOLDS = 3
EXACT = 1e-3
# One set of held-out cells with this share of all error rules alone what a mean over sets says.
DOMINANT = 0.8
# A further step must have at least this weight, and this share of the median weight of the steps before it.
LEAST, FALL, BEFORE = 0.25, 0.6, 3


@dataclass(frozen=True, slots=True, eq=False)
class HeldoutChoice:
    """Held-out errors of all ranks on the sets that all of them have finished, and what they choose.

    Attributes
    ----------
    ranks : ndarray of int of shape (n_ranks,)
    errors : ndarray of shape (n_ranks, n_folds)
        Relative to rank 1.
    choice : int
        The rank that held-out cells choose.
    plain : int
        The smallest rank whose error is as good as the lowest: below `choice` where faint parts follow.
    lowest : int
        The rank with the very lowest error.
    gain, gain_error : float
        How far the best further rank lowers the error of rank 1, and the standard error of that.
    shuffled_gain : float
        The same on data with shuffled columns.
    certain : bool
        Some rank beats rank 1 beyond doubt.
    open : bool
        The error still falls at the last rank tried.
    near : tuple of (rank, excess, standard error)
        Smaller ranks than `plain` whose error exceeds that of `plain` by less than two standard errors: chance could have
        put them in this order.
    dominant : float
        Share of the error that one set of held-out cells had by itself, and was left out for; 0 where none was.
    """

    ranks: Array
    errors: Array
    choice: int
    plain: int
    lowest: int
    gain: float
    gain_error: float
    shuffled_gain: float
    certain: bool
    open: bool
    near: tuple[tuple[int, float, float], ...] = ()
    dominant: float = 0.0


def heldout_choice(sweep: Sweep) -> HeldoutChoice | None:
    """Apply the held-out part of the rule; None with fewer than three common sets or two ranks."""
    measured = [e for e in sweep.evidence if np.isfinite(e.heldout).any()]
    if len(measured) < 1:
        return None
    errors = np.stack([e.heldout for e in measured])
    ranks = np.array([e.rank for e in measured])
    if ranks[0] != 1:
        one = sweep.state.numbers("speckle", 1, errors.shape[1])
        ranks, errors = np.concatenate([[1], ranks]), np.concatenate([relative(one, one)[None], errors])
    common = np.isfinite(errors).all(axis=0)
    if common.sum() < MIN_FOLDS or len(ranks) < 2:
        return None
    errors, dominant = without_dominant(errors[:, common])
    plain = smallest_as_good(ranks, errors)
    means = errors.mean(axis=1)
    lowest = int(np.argmin(means))
    best = int(np.argmin(means[1:]))
    gains = errors[0] - errors[1:]
    gain, spread = gains.mean(axis=1), gains.std(axis=1, ddof=1) / np.sqrt(gains.shape[1])
    null = _null_gains(sweep)
    limit = min(sweep.shape)
    # A perfect fit cannot be improved on: the curve is not open there, however long the range.
    still_falls = plain == ranks[-1] and plain < limit and means[-1] > EXACT
    # Where cells are predicted all but exactly there is nothing left to step towards; parts worse than none are no parts.
    useful = {int(k): float(mean) for k, mean in zip(ranks, means, strict=True) if k <= plain or mean < 1.0}
    choice = plain if useful[plain] <= EXACT else further(useful, plain, sweep.step)
    return HeldoutChoice(
        ranks,
        errors,
        choice,
        plain,
        int(ranks[lowest]),
        float(gain[best]),
        float(spread[best]),
        max(null, default=0.0),
        bool(((gain > CERTAIN * spread) & (gain > max(FLOOR, *null, 0.0))).any()),
        bool(still_falls),
        _near(ranks, errors, plain),
        dominant,
    )


def without_dominant(errors: Array) -> tuple[Array, float]:
    """Leave out the one set of held-out cells that holds nearly all error, and bring rank 1's mean error to 1.

    A single value far from all others (a slip of the pen, say) makes its set count a thousand times: the mean over sets then
    says how that one value was predicted.

    Parameters
    ----------
    errors : ndarray of shape (n_ranks, n_folds)

    Returns
    -------
    errors : ndarray of shape (n_ranks, n_folds) or (n_ranks, n_folds − 1)
    share : float
        Of the set left out; 0 where none is.
    """
    of_sets = errors[int(np.argmin(errors.mean(axis=1)))]
    top = int(np.argmax(of_sets))
    share = float(of_sets[top] / max(of_sets.sum(), 1e-300))
    if share < DOMINANT or len(of_sets) < MIN_FOLDS:
        return errors / errors[0].mean(), 0.0
    rest = np.delete(errors, top, axis=1)
    # Predicted all but exactly, the other sets have no error to speak of: then this one is the whole story.
    if not rest[0].mean() > 1e-12 * errors[0].mean():
        return errors / errors[0].mean(), 0.0
    return rest / rest[0].mean(), share


def _null_gains(sweep: Sweep) -> list[float]:
    """Return how far each rank lowers the held-out error of rank 1 on data with shuffled columns."""
    rows = [e.shuffled_heldout for e in sweep.evidence if np.isfinite(e.shuffled_heldout).any()]
    if not rows:
        return []
    errors = np.stack(rows)
    common = np.isfinite(errors).all(axis=0)
    if sweep.ranks[0] != 1 or not common.any():
        return [1.0 - float(np.nanmean(row)) for row in rows]
    return list(1.0 - without_dominant(errors[:, common])[0].mean(axis=1))


def _near(ranks: Array, errors: Array, plain: int) -> tuple[tuple[int, float, float], ...]:
    """Return the smaller ranks, above 1, that chance alone could have put behind the plain one."""
    here = errors[list(ranks).index(plain)]
    found = []
    for k, error in zip(ranks, errors, strict=True):
        difference = error - here
        spread = float(difference.std(ddof=1) / np.sqrt(len(difference))) if len(difference) > 1 else 0.0
        if 1 < k < plain and difference.mean() <= CERTAIN * spread:
            found.append((int(k), float(difference.mean()), spread))
    return tuple(found)


def smallest_as_good(ranks: Array, errors: Array, paired: float = PAIRED, floor: float = FLOOR) -> int:
    """Return the smallest rank whose error is as good as the lowest.

    Parameters
    ----------
    ranks : ndarray of int of shape (n_ranks,)
    errors : ndarray of shape (n_ranks, n_folds)
        Relative to the mean error of rank 1.
    paired : float
        Standard errors of the paired difference that count as equal.
    floor : float
        Difference that counts as equal whatever its standard error.
    """
    lowest = int(np.argmin(errors.mean(axis=1)))
    for k, error in zip(ranks, errors, strict=True):
        difference = error - errors[lowest]
        allowed = paired * difference.std(ddof=1) / np.sqrt(len(difference)) if len(difference) > 1 else 0.0
        if difference.mean() <= max(allowed, floor):
            return int(k)
    return int(ranks[lowest])


def further(errors: Mapping[int, float], start: int, step: Callable[[int, int], Step | None]) -> int:
    """Go up from a rank for as long as held-out cells ask for the steps, and stop where that sharply ends.

    A part may be there and yet too faint to lower the error: fitted from so few cells it brings more noise than signal.
    Held-out cells then still ask for some of the step (:class:`~nmf_core.selection.blending.Step`), as they do for the
    steps before it, and for hardly any of the step past the last part. Data without such an end (most pictures and texts)
    have no rank to go up to.

    Parameters
    ----------
    errors : mapping of int to float
        Held-out error of every rank tried, relative to rank 1, by rising rank.
    start : int
    step : callable
        From (lower, higher) to what held-out cells say about it.

    Returns
    -------
    int
        `start` if the first step is refused or no end shows within the ranks.
    """
    ranks = list(errors)
    at = ranks.index(start)
    into = [step(ranks[i - 1], ranks[i]) for i in range(max(1, at - BEFORE + 1), at + 1)]
    weights = [found.weight for found in into if found is not None]
    if not weights:
        return start
    while at + 1 < len(ranks):
        need = max(LEAST, FALL * float(np.median(weights[-BEFORE:])))
        # One part may be fainter than the next: the step is then asked for only together with the one after it.
        for stride in (1, 2):
            found = step(ranks[at], ranks[at + stride]) if at + stride < len(ranks) else None
            if (
                found is not None
                and found.weight >= need
                and found.certainty >= CERTAIN
                and found.gain * errors[ranks[at]] > FLOOR
            ):
                weights.append(found.weight)
                at += stride
                break
        else:
            return ranks[at]
    return start
