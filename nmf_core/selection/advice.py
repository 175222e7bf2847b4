"""One stated rule that turns a sweep into a rank, its reasons and its doubts — or into "no clear rank"."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from nmf_core.selection.baseline import marginal_gain
from nmf_core.selection.fit_quality import elbow
from nmf_core.selection.stability import STABLE
from nmf_core.selection.sweep import RankEvidence, Sweep
from nmf_core.types import Array
from nmf_core.wording import percent

FLOOR = 0.002
PAIRED = 0.5
CERTAIN = 2.0
MIN_FOLDS = 3
EXACT = 1e-3
COPHENETIC_SLACK = 0.02
COMPONENTS = "Components over restarts"
_FEW_KNOWN = (
    "Where few cells are known, every further component overfits: penalties (in the model's settings) or fewer, better-known "
    "rows and columns may let more parts show.",
)
Verdict = Literal["supports", "doubts", "silent"]

RULE = (
    "Each rank predicts cells that were left out of the fit. The rule takes the smallest rank whose held-out error is no "
    "worse than the lowest one by more than half a standard error of their difference (same cells, so differences are "
    "paired) or 0.2 % of the error of rank 1. It advises nothing if no rank clearly beats rank 1, or does so no more than "
    "on data whose columns were shuffled; and nothing yet if the held-out error still falls at the last rank tried. Every "
    "other family then has its say."
)


@dataclass(frozen=True, slots=True)
class FamilyVote:
    """What one kind of evidence says.

    Attributes
    ----------
    family : str
        Held-out, Stability, Baseline, Parsimony or Fit.
    criterion : str
    rank : int or None
        The rank this criterion alone would take.
    verdict : {"supports", "doubts", "silent"}
        On the advised rank.
    sentence : str
    """

    family: str
    criterion: str
    rank: int | None
    verdict: Verdict
    sentence: str


@dataclass(frozen=True, slots=True)
class Advice:
    """A recommended rank with its case.

    Attributes
    ----------
    rank : int or None
        None: no clear rank.
    headline : str
    reasons, doubts, settle : tuple of str
        For it, against it, and what would settle it; sentences.
    families : tuple of FamilyVote
    leaner : int or None
        A smaller rank worth a look: the smallest that already brings 90 % of the gain in held-out error, where it is below
        the advised one; without advice, the largest whose components all come back.
    rule : str
    preliminary : bool
        The sweep was not finished.
    """

    rank: int | None
    headline: str
    reasons: tuple[str, ...]
    doubts: tuple[str, ...]
    settle: tuple[str, ...]
    families: tuple[FamilyVote, ...]
    leaner: int | None = None
    rule: str = RULE
    preliminary: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Heldout:
    """Held-out errors of all ranks on the sets that all of them have finished."""

    ranks: Array
    errors: Array  # (n_ranks, n_folds), relative to rank 1
    choice: int
    lowest: int
    gain: float
    gain_error: float
    shuffled_gain: float
    certain: bool
    open: bool


def advise(sweep: Sweep) -> Advice:
    """Apply the rule (:data:`RULE`) to a sweep, finished or not.

    Parameters
    ----------
    sweep : Sweep

    Returns
    -------
    Advice
    """
    preliminary = sweep.progress < 1.0
    if not sweep.evidence:
        return _none(sweep, "Too early to say", "No rank has been fitted yet.", "Let the sweep run.", preliminary)
    held = heldout_choice(sweep)
    stable = largest_stable(sweep)
    reasons: list[str] = []
    doubts: list[str] = []
    settle: list[str] = []
    rank: int | None
    leaner = None
    if held is None and preliminary and sweep.request.n_folds >= MIN_FOLDS:
        return _none(
            sweep,
            "Too early to say",
            "Fewer than three sets of held-out cells have been predicted at every rank.",
            "Let the sweep run on.",
            preliminary,
        )
    if held is None:
        rank = stable if stable is not None and stable < sweep.ranks[-1] else None
        doubts.append("No cells were held out, so nothing here says whether more components only fit noise.")
        settle.append("Measure held-out error as well (at least 3 sets of held-out cells).")
        if rank is not None:
            reasons.append(f"{rank} is the largest rank whose components all come back from other starts.")
    elif not held.certain and not (held.open and held.gain > max(FLOOR, held.shuffled_gain)):
        return _nothing(sweep, held, preliminary)
    else:
        rank, leaner = _from_heldout(sweep, held, stable, reasons, doubts, settle)
    families = _families(sweep, rank, held, stable)
    for vote in families:
        if vote.verdict == "doubts":
            doubts.append(vote.sentence)
        elif vote.verdict == "supports" and vote.family != "Held-out":
            reasons.append(vote.sentence)
    if preliminary:
        doubts.append("The sweep is not finished: this can still change.")
    if any(v.criterion == COMPONENTS and v.verdict == "doubts" for v in families):
        settle.append(
            "More restarts show whether the unstable components ever settle; the bootstrap shows which to trust."
        )
    if rank is None:
        headline = f"No clear rank up to {sweep.ranks[-1]}"
    else:
        word = "component" if rank == 1 else "components"
        headline = f"{rank} {word}"
    return Advice(rank, headline, tuple(reasons), tuple(doubts), tuple(settle), families, leaner, RULE, preliminary)


def heldout_choice(sweep: Sweep) -> _Heldout | None:
    """Apply the held-out part of the rule; None with fewer than three common sets or two ranks."""
    measured = [e for e in sweep.evidence if np.isfinite(e.heldout).any()]
    if len(measured) < 1:
        return None
    errors = np.stack([e.heldout for e in measured])
    ranks = np.array([e.rank for e in measured])
    one = _rank_one(sweep, errors.shape[1])
    if ranks[0] != 1:
        ranks, errors = np.concatenate([[1], ranks]), np.concatenate([one[None], errors])
    common = np.isfinite(errors).all(axis=0)
    if common.sum() < MIN_FOLDS or len(ranks) < 2:
        return None
    errors = errors[:, common] / errors[0, common].mean()
    choice = smallest_as_good(ranks, errors)
    means = errors.mean(axis=1)
    lowest = int(np.argmin(means))
    further = int(np.argmin(means[1:])) + 1
    gains = errors[0] - errors[1:]
    gain, spread = gains.mean(axis=1), gains.std(axis=1, ddof=1) / np.sqrt(gains.shape[1])
    null = [
        1.0 - float(np.nanmean(e.shuffled_heldout)) for e in sweep.evidence if np.isfinite(e.shuffled_heldout).any()
    ]
    limit = min(sweep.shape)
    # A perfect fit cannot be improved on: the curve is not open there, however long the range.
    still_falls = choice == ranks[-1] and choice < limit and means[-1] > EXACT
    return _Heldout(
        ranks,
        errors,
        choice,
        int(ranks[lowest]),
        float(gain[further - 1]),
        float(spread[further - 1]),
        max(null, default=0.0),
        bool(((gain > CERTAIN * spread) & (gain > max(FLOOR, *null, 0.0))).any()),
        bool(still_falls),
    )


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


def largest_stable(sweep: Sweep) -> int | None:
    """Return the largest rank from 2 up whose components all have a typical likeness of 0.95 to their partners."""
    stable = [e.rank for e in sweep.evidence if e.rank >= 2 and e.weakest >= STABLE]
    return max(stable, default=None)


def _rank_one(sweep: Sweep, n_folds: int) -> Array:
    values = [sweep.state.pieces.get(("speckle", 1, i), np.nan) for i in range(n_folds)]
    one = np.array(values, dtype=np.float64)
    return one / np.nanmean(one) if np.isfinite(one).any() else one


def _from_heldout(
    sweep: Sweep, held: _Heldout, stable: int | None, reasons: list[str], doubts: list[str], settle: list[str]
) -> tuple[int | None, int | None]:
    means = held.errors.mean(axis=1)
    if held.open:
        last = int(held.ranks[-1])
        doubts.append(
            f"The held-out error still falls at rank {last}, the last one tried: prediction sets no limit yet."
        )
        settle.append(f"Extend the range beyond {last}.")
        if not held.certain:
            doubts.append(
                f"Its fall so far, {_percent(held.gain)} give or take {_percent(held.gain_error)}, could be chance."
            )
            settle.append("More sets of held-out cells, or more samples, would tell.")
        if stable is not None and stable < last:
            reasons.append(
                f"If fewer parts will do: {stable} is the largest rank whose components all come back from other starts; "
                f"held-out error there is {_percent(means[held.ranks == stable][0])} of that of rank 1."
            )
            return None, stable
        return None, None
    choice = held.choice
    error = float(means[held.ranks == choice][0])
    if choice == 1:
        reasons.append("No second component improves the prediction of held-out cells.")
        return 1, None
    if error <= EXACT:
        reasons.append(f"{choice} is the smallest rank that predicts held-out cells all but exactly.")
    else:
        reasons.append(
            f"Held-out cells are predicted best from rank {choice} on: the error is {_percent(error)} of that of rank 1, "
            "and more components do not lower it."
        )
    lowest = float(means.min())
    enough = [int(k) for k, m in zip(held.ranks, means, strict=True) if 1.0 - m >= 0.9 * (1.0 - lowest)]
    leaner = enough[0] if enough and 1 < enough[0] < choice and error > EXACT else None
    if leaner is not None:
        doubts.append(f"Rank {leaner} already brings 90 % of that gain, if you prefer fewer parts.")
    tried = [int(k) for k in held.ranks]
    at = tried.index(choice)
    before, after = tried[max(at - 1, 0)], tried[min(at + 1, len(tried) - 1)]
    if choice - before > 1 or after - choice > 1:
        doubts.append(f"Not every rank was tried: the best one may lie anywhere between {before} and {after}.")
        settle.append(f"Try the ranks from {before} to {after}.")
    if held.lowest == tried[-1] > choice and held.lowest < min(sweep.shape) and error > EXACT:
        doubts.append(
            f"The very lowest error is at rank {tried[-1]}, the last one tried, though hardly below this one."
        )
        settle.append(f"Extend the range beyond {tried[-1]}.")
    if choice == min(sweep.shape):
        doubts.append("This is the largest rank the data allows.")
    return choice, leaner


def _families(sweep: Sweep, rank: int | None, held: _Heldout | None, stable: int | None) -> tuple[FamilyVote, ...]:
    at = None if rank is None or rank not in sweep.ranks else sweep.at(rank)
    votes: list[FamilyVote | None] = []
    if held is not None:
        votes.append(
            FamilyVote(
                "Held-out",
                "Speckled cross-validation",
                None if held.open else held.choice,
                "supports" if rank == held.choice else "doubts" if not held.open else "silent",
                f"Held-out error is lowest at rank {held.lowest}.",
            )
        )
    votes += [_bicross(sweep, rank), _stability(at, stable), _consensus(sweep, at), _baseline(sweep, rank)]
    votes += [_parsimony(sweep, at), _elbow(sweep, rank)]
    return tuple(vote for vote in votes if vote is not None)


def _bicross(sweep: Sweep, rank: int | None) -> FamilyVote | None:
    rows = [e for e in sweep.evidence if np.isfinite(e.block).all() and len(e.block)]
    if len(rows) < 2:
        return None
    ranks = np.array([e.rank for e in rows])
    choice = smallest_as_good(ranks, np.stack([e.block for e in rows]))
    verdict: Verdict = "silent" if rank is None or rank not in ranks else "supports" if choice == rank else "silent"
    return FamilyVote(
        "Held-out",
        "Bi-cross-validation",
        choice,
        verdict,
        f"Bi-cross-validation takes rank {choice}; it fits smaller blocks and often takes a few components too many.",
    )


def _stability(at: RankEvidence | None, stable: int | None) -> FamilyVote | None:
    if at is None or not np.isfinite(at.weakest):
        return FamilyVote("Stability", COMPONENTS, stable, "silent", _stable_words(stable))
    shaky = sum(badge.similarity < STABLE for badge in at.badges)
    if shaky == 0:
        return FamilyVote(
            "Stability",
            COMPONENTS,
            stable,
            "supports",
            f"{'Both' if at.rank == 2 else f'All {at.rank}'} components come back from other starts (likeness {at.weakest:.2f} or "
            "more)."
            if at.rank > 1
            else "The one component comes back from every start.",
        )
    return FamilyVote(
        "Stability",
        COMPONENTS,
        stable,
        "doubts",
        f"{shaky} of {at.rank} components differ from start to start (the least stable has a likeness of "
        f"{at.weakest:.2f}). {_stable_words(stable)}",
    )


def _stable_words(stable: int | None) -> str:
    if stable is None:
        return "At no rank from 2 up do all components come back."
    return f"The largest rank at which all come back is {stable}."


def _consensus(sweep: Sweep, at: RankEvidence | None) -> FamilyVote | None:
    scored = [e for e in sweep.evidence if e.rank >= 2 and np.isfinite(e.consensus.cophenetic)]
    if not scored:
        return None
    top = max(scored, key=lambda e: (e.consensus.cophenetic, -e.rank))
    if at is None or at.rank < 2:
        verdict: Verdict = "silent"
        words = ""
    else:
        close = at.consensus.cophenetic >= top.consensus.cophenetic - COPHENETIC_SLACK
        verdict = "supports" if close else "doubts"
        words = "" if at.rank == top.rank else f"; at rank {at.rank} it is {at.consensus.cophenetic:.3f}"
    if at is not None and at.rank >= 2 and at.consensus.cophenetic >= top.consensus.cophenetic - 5e-4:
        sentence = (
            f"Samples fall into the same groups as reliably at rank {at.rank} as at any other (cophenetic correlation "
            f"{at.consensus.cophenetic:.3f})."
        )
        return FamilyVote("Stability", "Consensus of samples", top.rank, verdict, sentence)
    sentence = (
        f"Samples fall into the same groups most reliably at rank {top.rank} "
        f"(cophenetic correlation {top.consensus.cophenetic:.3f}){words}."
    )
    return FamilyVote("Stability", "Consensus of samples", top.rank, verdict, sentence)


def _baseline(sweep: Sweep, rank: int | None) -> FamilyVote | None:
    """The last rank, counting up, whose gain over the one before exceeds the gain on shuffled columns."""
    rows = [e for e in sweep.evidence if len(e.shuffled_errors)]
    if len(rows) < 2 or any(b.rank - a.rank != 1 for a, b in pairwise(rows)):
        return None
    copies = min(len(e.shuffled_errors) for e in rows)
    real = np.array([e.errors[e.best] ** 2 for e in rows])
    null = np.stack([e.shuffled_errors[:copies] ** 2 for e in rows], axis=1)
    gain = marginal_gain(real, np.nan)[1:]
    null_gain = marginal_gain(null, np.nan)[:, 1:].max(axis=0)
    beats = gain > null_gain
    run = int(np.argmin(beats)) if not beats.all() else len(beats)
    choice = rows[run].rank
    if rank is None or rank <= rows[0].rank or rank not in [e.rank for e in rows]:
        verdict: Verdict = "silent"
    else:
        verdict = "supports" if beats[[e.rank for e in rows[1:]].index(rank)] else "doubts"
    words = {
        "supports": f"Going to rank {rank} removes a larger share of the error than on data with shuffled columns.",
        "doubts": f"The step to rank {rank} removes no larger a share of the error than on data with shuffled columns.",
        "silent": f"Each step up to rank {choice} gains more than on data with shuffled columns.",
    }[verdict]
    return FamilyVote("Baseline", "Gain over shuffled columns", choice, verdict, words)


def _parsimony(sweep: Sweep, at: RankEvidence | None) -> FamilyVote | None:
    clean = [e.rank for e in sweep.evidence if e.lean and not e.lean.empty and not e.lean.duplicates]
    choice = max(clean, default=None)
    if at is None or at.lean is None:
        return FamilyVote("Parsimony", "Empty or duplicate components", choice, "silent", "")
    if at.lean.empty or at.lean.duplicates:
        sentence = (
            f"At rank {at.rank}, {at.lean.empty} components are empty and {at.lean.duplicates} pairs are the same."
        )
        return FamilyVote("Parsimony", "Empty or duplicate components", choice, "doubts", sentence)
    sentence = f"No component is empty or a duplicate; the smallest holds {_percent(at.lean.smallest_share)} of the total strength."
    return FamilyVote("Parsimony", "Empty or duplicate components", choice, "supports", sentence)


def _elbow(sweep: Sweep, rank: int | None) -> FamilyVote | None:
    bend = elbow(np.array(sweep.ranks), np.array([e.errors[e.best] for e in sweep.evidence]))
    if bend is None:
        return None
    verdict: Verdict = "supports" if rank is not None and abs(bend - rank) <= 1 else "silent"
    return FamilyVote("Fit", "Elbow of the error", bend, verdict, f"The error curve bends most at rank {bend}.")


def _nothing(sweep: Sweep, held: _Heldout, preliminary: bool) -> Advice:
    first = min((k for k in sweep.ranks if k > 1), default=2)
    if held.gain <= 0:
        reasons = [
            f"Every rank from {first} up predicts held-out cells worse than rank 1, the best of them by {_percent(-held.gain)}."
        ]
    else:
        reasons = [
            f"The best further rank lowers the held-out error by {_percent(held.gain)}, give or take "
            f"{_percent(held.gain_error)}: not clearly more than chance."
        ]
        if held.shuffled_gain >= held.gain:
            reasons.append(f"Data with shuffled columns gain as much ({_percent(held.shuffled_gain)}).")
    stable = largest_stable(sweep)
    closer = _closer_than_shuffled(sweep)
    doubts, settle = [], []
    headline = "Nothing here beyond an average profile"
    if closer is not None:
        headline = f"No clear rank from {first} to {sweep.ranks[-1]}"
        doubts.append(
            f"Yet rank {closer} fits these data clearly closer than data with shuffled columns: there is structure, but such "
            "fits overfit it."
        )
        other = "" if sweep.request.model.beta == 1.0 else "the Kullback-Leibler loss for counts, "
        settle.append(
            f"Penalties, {other}or another preparation (weights for words, units, outliers) may let it be predicted."
        )
    elif first > 2:
        headline = f"No clear rank from {first} to {sweep.ranks[-1]}"
    else:
        doubts.append("Structure too weak for this many samples looks the same.")
        settle.append(
            "More samples, or another preparation of the columns (units, outliers), would show whether there is anything."
        )
    if first > 2:
        settle.append(f"Try the ranks from 2 to {first - 1} as well.")
    if sweep.sparse_knowledge:
        settle += _FEW_KNOWN
    if preliminary:
        doubts.append("The sweep is not finished: this can still change.")
    families = _families(sweep, None, held, stable)
    return Advice(None, headline, tuple(reasons), tuple(doubts), tuple(settle), families, None, RULE, preliminary)


def _closer_than_shuffled(sweep: Sweep) -> int | None:
    """Return the first rank above 1 whose error undercuts that on shuffled columns by a tenth more than rank 1's does.

    How much samples differ in size alone makes rank 1 fit shuffled data worse; only what comes on top of that is structure.
    """
    rows = [e for e in sweep.evidence if len(e.shuffled_errors)]
    # An exact fit of either says nothing: every matrix is exact at some rank.
    ratio = {
        e.rank: float((e.errors[e.best] / e.shuffled_errors.min()) ** 2)
        for e in rows
        if min(float(e.errors[e.best]), float(e.shuffled_errors.min())) > 1e-3
    }
    level = ratio.get(1, 1.0)
    return next((k for k, r in sorted(ratio.items()) if k > 1 and r < 0.9 * level), None)


def _none(sweep: Sweep, headline: str, reason: str, settle: str, preliminary: bool) -> Advice:
    return Advice(None, headline, (reason,), (), (settle,), (), None, RULE, preliminary)


def _percent(value: float) -> str:
    return percent(value)
