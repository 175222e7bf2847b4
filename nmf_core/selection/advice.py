"""One stated rule that turns a sweep into a rank, its reasons and its doubts — or into "no clear rank"."""

from __future__ import annotations

from dataclasses import dataclass

from nmf_core.selection.heldout_choice import EXACT, FLOOR, MIN_FOLDS, HeldoutChoice, heldout_choice
from nmf_core.selection.sweep import Sweep
from nmf_core.selection.votes import COMPONENTS, FamilyVote, families, largest_stable
from nmf_core.wording import percent

_FEW_KNOWN = (
    "Where few cells are known, every further component overfits: penalties (in the model's settings) or fewer, better-known "
    "rows and columns may let more parts show.",
)

# A gain below this share of rank 1's held-out error is called faint. Neighbouring rows above this correlation are alike, and
# a gain below that correlation is no more than what independent columns that drift were seen to reach.
FAINT, DRIFT = 0.1, 0.5

RULE = (
    "Each rank predicts cells that were left out of the fit. The rule takes the smallest rank whose held-out error is no "
    "worse than the lowest one by more than half a standard error of their difference (same cells, so differences are "
    "paired) or 0.2 % of the error of rank 1. From there it goes on up while held-out cells still ask for a good share of the "
    "next step (at least a quarter, and at least 60 % of the share they ask for of the three steps before), provided that "
    "this ends within the ranks tried: parts too faint to lower the error still point the right way. It advises nothing if no "
    "rank clearly beats rank 1, or does so no more than on data whose columns were shuffled; and nothing yet if the held-out "
    "error still falls at the last rank tried. A set of held-out cells with over four fifths of all error (a value far from "
    "all others is in it) is left out. Every other family then has its say."
)


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
        A smaller rank worth a look, where it is below the advised one: the one from which the held-out error falls no more,
        or the smallest that only chance may have put behind, or that already brings 90 % of the gain; without advice, the
        largest whose components all come back.
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
    if held is not None and held.dominant:
        doubts.append(_far_out(held))
        settle.append("See on page Data whether the largest values are right.")
    votes = families(sweep, rank, held, stable)
    for vote in votes:
        if vote.verdict == "doubts":
            doubts.append(vote.sentence)
        elif vote.verdict == "supports" and vote.family != "Held-out":
            reasons.append(vote.sentence)
    if preliminary:
        doubts.append("The sweep is not finished: this can still change.")
    if any(v.criterion == COMPONENTS and v.verdict == "doubts" for v in votes):
        settle.append(
            "More restarts show whether the unstable components ever settle; the bootstrap shows which to trust."
        )
    if rank is None:
        headline = f"No clear rank up to {sweep.ranks[-1]}"
    else:
        word = "component" if rank == 1 else "components"
        near = held.near[0][0] if held is not None and held.near and rank == held.plain else None
        headline = f"{rank} {word}" if near is None else f"{rank} {word}, or as few as {near}"
    return Advice(rank, headline, tuple(reasons), tuple(doubts), tuple(settle), votes, leaner, RULE, preliminary)


def _from_heldout(
    sweep: Sweep, held: HeldoutChoice, stable: int | None, reasons: list[str], doubts: list[str], settle: list[str]
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
                f"Its fall so far, {percent(held.gain)} give or take {percent(held.gain_error)}, could be chance."
            )
            settle.append("More sets of held-out cells, or more samples, would tell.")
        if stable is not None and stable < last:
            reasons.append(
                f"If fewer parts will do: {stable} is the largest rank whose components all come back from other starts; "
                f"held-out error there is {percent(means[held.ranks == stable][0])} of that of rank 1."
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
    elif choice > held.plain:
        reasons.append(
            f"Held-out cells are predicted best from rank {held.plain} on, but still ask for much of every step up to rank "
            f"{choice}, and not of the next: its last parts are faint, yet more than noise."
        )
    else:
        reasons.append(
            f"Held-out cells are predicted best from rank {choice} on: the error is {percent(error)} of that of rank 1, "
            "and more components hardly lower it."
        )
    lowest = float(means.min())
    enough = [int(k) for k, m in zip(held.ranks, means, strict=True) if 1.0 - m >= 0.9 * (1.0 - lowest)]
    leaner = enough[0] if enough and 1 < enough[0] < choice and error > EXACT else None
    if choice > held.plain:
        leaner = held.plain
        doubts.append(
            f"Rank {held.plain} predicts held-out cells as well with fewer parts: the last {choice - held.plain} of {choice} "
            "are too faint to be estimated well."
            if choice - held.plain > 1
            else f"Rank {held.plain} predicts held-out cells as well: the last part is too faint to be estimated well."
        )
    elif held.near and error > EXACT:
        near, excess, spread = held.near[0]
        doubts.append(
            f"Chance could have put rank {near} behind rank {choice}: its held-out error is higher by {percent(excess)} of that "
            f"of rank 1, give or take {percent(spread)}."
        )
        settle.append(f"More samples would tell rank {near} from rank {choice}.")
        leaner = near
    elif leaner is not None:
        doubts.append(f"Rank {leaner} already brings 90 % of that gain, if you prefer fewer parts.")
    if error > EXACT and held.gain < FAINT:
        doubts.append(
            f"All parts beyond the first together take only {percent(held.gain)} off the held-out error: faint structure, if any."
        )
    if max(DRIFT, held.gain) < sweep.drift:
        doubts.append(
            f"Rows that follow each other are alike (a typical correlation of {sweep.drift:.2f}): columns that merely drift can "
            "gain as much by chance, and shuffled columns do not drift."
        )
        settle.append(
            "If the rows are in an order of time or place, fit every tenth row and see whether the parts remain."
        )
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


def _nothing(sweep: Sweep, held: HeldoutChoice, preliminary: bool) -> Advice:
    first = min((k for k in sweep.ranks if k > 1), default=2)
    if held.gain <= 0:
        reasons = [
            f"Every rank from {first} up predicts held-out cells worse than rank 1, the best of them by {percent(-held.gain)}."
        ]
    else:
        reasons = [
            f"The best further rank lowers the held-out error by {percent(held.gain)}, give or take "
            f"{percent(held.gain_error)}: not clearly more than chance."
        ]
        if held.shuffled_gain >= held.gain:
            reasons.append(f"Data with shuffled columns gain as much ({percent(held.shuffled_gain)}).")
    stable = largest_stable(sweep)
    closer = _closer_than_shuffled(sweep)
    doubts, settle = [], []
    headline = "Nothing here beyond an average profile"
    if closer is not None:
        headline = f"No clear rank from {first} to {sweep.ranks[-1]}"
        doubts.append(
            f"Yet rank {closer} fits these data clearly closer than data with shuffled columns: this is either structure that "
            "such fits overfit, or errors that grow with the values."
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
    if held.dominant:
        doubts.append(_far_out(held))
        settle.append("See on page Data whether the largest values are right.")
    if sweep.sparse_knowledge:
        settle += _FEW_KNOWN
    if preliminary:
        doubts.append("The sweep is not finished: this can still change.")
    votes = families(sweep, None, held, stable)
    return Advice(None, headline, tuple(reasons), tuple(doubts), tuple(settle), votes, None, RULE, preliminary)


def _far_out(held: HeldoutChoice) -> str:
    return (
        f"One set of held-out cells holds {percent(held.dominant)} of all error, so some value lies far from all others; the "
        "count leaves that set out."
    )


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
