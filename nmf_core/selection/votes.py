"""What each kind of evidence says about a rank: one vote with a sentence per criterion."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from nmf_core.selection.baseline import marginal_gain
from nmf_core.selection.evidence import RankEvidence
from nmf_core.selection.fit_quality import elbow
from nmf_core.selection.heldout_choice import HeldoutChoice, smallest_as_good
from nmf_core.selection.stability import STABLE
from nmf_core.selection.sweep import Sweep
from nmf_core.wording import percent

COPHENETIC_SLACK = 0.02
COMPONENTS = "Components over restarts"
Verdict = Literal["supports", "doubts", "silent"]


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


def largest_stable(sweep: Sweep) -> int | None:
    """Return the largest rank from 2 up whose components all have a typical likeness of 0.95 to their partners."""
    stable = [e.rank for e in sweep.evidence if e.rank >= 2 and e.weakest >= STABLE]
    return max(stable, default=None)


def families(sweep: Sweep, rank: int | None, held: HeldoutChoice | None, stable: int | None) -> tuple[FamilyVote, ...]:
    at = None if rank is None or rank not in sweep.ranks else sweep.at(rank)
    votes: list[FamilyVote | None] = []
    if held is not None:
        votes.append(
            FamilyVote(
                "Held-out",
                "Speckled cross-validation",
                None if held.open else held.plain,
                "supports" if rank == held.plain else "silent",
                f"Held-out error is lowest at rank {held.lowest}.",
            )
        )
        votes.append(_steps(sweep, rank, held))
    votes += [_bicross(sweep, rank), _stability(at, stable), _consensus(sweep, at), _baseline(sweep, rank)]
    votes += [_parsimony(sweep, at), _elbow(sweep, rank)]
    return tuple(vote for vote in votes if vote is not None)


def _steps(sweep: Sweep, rank: int | None, held: HeldoutChoice) -> FamilyVote | None:
    """How much of the steps up to the rank, and past it, held-out cells ask for."""
    tried = [int(k) for k in held.ranks]
    if rank not in tried or rank == tried[0] or rank == tried[-1]:
        return None
    at = tried.index(rank)
    into, past = sweep.step(tried[at - 1], tried[at]), sweep.step(tried[at], tried[at + 1])
    if into is None or past is None:
        return None
    return FamilyVote(
        "Held-out",
        "Weight of the steps",
        held.choice,
        "supports" if rank == held.choice else "silent",
        f"Held-out cells ask for {_share(into.weight)} of the step from rank {tried[at - 1]} to {rank}, and for "
        f"{_share(past.weight)} of the step to {tried[at + 1]}.",
    )


def _share(weight: float) -> str:
    return f"{100 * min(max(weight, 0.0), 1.0):.0f} %"


def _bicross(sweep: Sweep, rank: int | None) -> FamilyVote | None:
    rows = [e for e in sweep.evidence if np.isfinite(e.block).all() and len(e.block)]
    if len(rows) < 2:
        return None
    ranks = np.array([e.rank for e in rows])
    choice = smallest_as_good(ranks, np.stack([e.block for e in rows]))
    verdict: Verdict = "supports" if choice == rank else "silent"
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
            f"{'Both' if at.rank == 2 else f'All {at.rank}'} components come back from other starts (the least stable has "
            f"a likeness of {at.weakest:.2f})."
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
    sentence = f"No component is empty or a duplicate; the smallest holds {percent(at.lean.smallest_share)} of the total strength."
    return FamilyVote("Parsimony", "Empty or duplicate components", choice, "supports", sentence)


def _elbow(sweep: Sweep, rank: int | None) -> FamilyVote | None:
    bend = elbow(np.array(sweep.ranks), np.array([e.errors[e.best] for e in sweep.evidence]))
    if bend is None:
        return None
    verdict: Verdict = "supports" if rank is not None and abs(bend - rank) <= 1 else "silent"
    return FamilyVote("Fit", "Elbow of the error", bend, verdict, f"The error curve bends most at rank {bend}.")
