"""How much of each topic there is over time and by label, with intervals that say how sure that is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from nmf_core.lenses.text.clusters import known
from nmf_core.lenses.text.documents import dominant
from nmf_core.types import Array
from nmf_core.wording import percent

if TYPE_CHECKING:
    import pandas as pd

Unit: TypeAlias = Literal["day", "month", "quarter", "year", "5 years", "decade"]
Measure: TypeAlias = Literal["share", "led"]
COMPARED = 15  # documents a group needs to take part in a claim
UNITS: tuple[Unit, ...] = ("day", "month", "quarter", "year", "5 years", "decade")
# A year of four digits must be there, or a full d/m/y: else "3" or "May" would be read as some day of today's year.
_DATED = re.compile(r"(?<!\d)(1\d{3}|2\d{3})(?!\d)|\d{1,2}[/.-]\d{1,2}[/.-]\d{2}(?!\d)")
_YEAR = re.compile(r"\s*([12]\d{3})(?:\.0)?\s*")


def parse_times(labels: Array) -> Array | None:
    """Read a label column as days.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Dates in any common notation, or years.

    Returns
    -------
    ndarray of datetime64[D] of shape (n,) or None
        NaT where there is none; None when fewer than four fifths of the known labels are dates, or all are one day.
    """
    import pandas as pd

    text = np.asarray(labels).astype(str)
    have = known(text)
    if not have.any():
        return None
    days = np.full(len(text), np.datetime64("NaT"), dtype="datetime64[D]")
    dated = np.array([bool(_DATED.search(t)) and len(t) <= 40 for t in text]) & have
    if dated.sum() < 0.8 * have.sum():
        return None
    years = [_YEAR.fullmatch(t) for t in text]
    plain = np.array([match is not None for match in years]) & dated
    days[plain] = [np.datetime64(f"{match.group(1)}-01-01") for match in years if match is not None]
    rest = dated & ~plain
    if rest.any():
        parsed = pd.to_datetime(pd.Series(text[rest]), errors="coerce", format="mixed", utc=True)
        days[rest] = parsed.dt.tz_localize(None).to_numpy().astype("datetime64[D]")
    good = ~np.isnat(days)
    if good.sum() < 0.8 * have.sum() or len(np.unique(days[good])) < 2:
        return None
    return days


def suitable_unit(days: Array, most: int = 16) -> Unit:
    """Return the finest unit that cuts the days into at most `most` periods with eight documents each on average."""
    good = days[~np.isnat(days)]
    for unit in UNITS:
        codes, _ = periods(good, unit)
        if codes.max() + 1 <= most and len(good) >= 8 * len(np.unique(codes)):
            return unit
    return "decade"


def periods(days: Array, unit: Unit) -> tuple[Array, tuple[str, ...]]:
    """Cut days into periods of the calendar.

    Returns
    -------
    codes : ndarray of int of shape (n,)
        Number of the period, −1 for NaT.
    names : tuple of str
        Of every period from the first to the last, empty ones included.
    """
    if unit not in UNITS:
        raise ValueError(f"unit: must be one of {', '.join(UNITS)}, not {unit!r}")
    good = ~np.isnat(days)
    year = days.astype("datetime64[Y]").astype(np.int64) + 1970
    month = days.astype("datetime64[M]").astype(np.int64)
    number = {
        "day": lambda: days.astype("datetime64[D]").astype(np.int64),
        "month": lambda: month,
        "quarter": lambda: month // 3,
        "year": lambda: year,
        "5 years": lambda: year // 5,
        "decade": lambda: year // 10,
    }[unit]()
    if not good.any():
        return np.full(len(days), -1), ()
    low, high = int(number[good].min()), int(number[good].max())
    if high - low > 20_000:
        raise ValueError(f"unit: {high - low + 1:,} periods of one {unit} are too many to show; take a longer one")
    codes = np.where(good, number - low, -1)
    return codes, tuple(_period_name(value, unit) for value in range(low, high + 1))


def _period_name(value: int, unit: Unit) -> str:
    if unit == "day":
        return str(np.datetime64(value, "D"))
    if unit == "month":
        return str(np.datetime64(value, "M"))
    if unit == "quarter":
        return f"{1970 + value // 4} Q{value % 4 + 1}"
    if unit == "year":
        return str(value)
    width = 5 if unit == "5 years" else 10
    return f"{value * width}–{(value * width + width - 1) % 100:02d}"


@dataclass(frozen=True, slots=True, eq=False)
class Prevalence:
    """Amount of each topic in each group of documents.

    Attributes
    ----------
    groups : tuple of str
    n : ndarray of int of shape (n_groups,)
        Documents with words in each group.
    value, low, high : ndarray of shape (n_groups, n_topics)
        NaN where a group is empty; low and high are NaN too where they cannot be told (a single document's mean).
    measure : {"share", "led"}
    method : str
        How the intervals were made, in words.
    """

    groups: tuple[str, ...]
    n: Array
    value: Array
    low: Array
    high: Array
    measure: Measure
    method: str

    def table(self, names: tuple[str, ...]) -> pd.DataFrame:
        """Return one row per group and topic."""
        import pandas as pd

        g, k = self.value.shape
        return pd.DataFrame(
            {
                "group": np.repeat(self.groups, k),
                "documents": np.repeat(self.n, k),
                "topic": np.tile(np.array(names, dtype=object), g),
                "value": self.value.ravel(),
                "low": self.low.ravel(),
                "high": self.high.ravel(),
            }
        )


def prevalence(
    shares: Array,
    codes: Array,
    groups: tuple[str, ...],
    *,
    measure: Measure = "share",
    level: float = 0.95,
    draws: int = 0,
    seed: int = 0,
) -> Prevalence:
    """Measure every topic in every group of documents.

    ``"share"``: mean share of the topic, with a percentile bootstrap over the documents of the group (Efron &
    Tibshirani 1993, ch. 13). ``"led"``: part of the documents whose largest topic it is, with Wilson's interval (1927).
    Both treat the documents as a sample, and the topics as given.

    Parameters
    ----------
    shares : ndarray of shape (n_documents, n_topics)
    codes : ndarray of int of shape (n_documents,)
        Group of each document, −1: none.
    groups : tuple of str
    draws : int
        Of the bootstrap; 0: 1,000, fewer (at least 200) beyond 5,000 documents.
    """
    draws = draws or int(np.clip(5_000_000 // max(len(shares), 1), 200, 1000))
    if measure not in ("share", "led"):
        raise ValueError(f"measure: must be 'share' or 'led', not {measure!r}")
    k = shares.shape[1]
    held = (shares.sum(axis=1) > 0) & (codes >= 0)
    value, low, high = (np.full((len(groups), k), np.nan) for _ in range(3))
    n = np.bincount(codes[held], minlength=len(groups))
    leader = dominant(shares)
    rng = np.random.default_rng(seed)
    tail = (1 - level) / 2
    for g in range(len(groups)):
        members = np.flatnonzero(held & (codes == g))
        if not len(members):
            continue
        if measure == "led":
            hits = np.bincount(leader[members], minlength=k)
            value[g] = hits / len(members)
            low[g], high[g] = wilson(hits, len(members), level)
        else:
            value[g] = shares[members].mean(axis=0)
            if len(members) > 1:
                low[g], high[g] = np.quantile(_resampled(shares[members], draws, rng), [tail, 1 - tail], axis=0)
    how = (
        f"{percent(level, 2)} percentile bootstrap of the mean over documents, {draws:,} draws"
        if measure == "share"
        else f"{percent(level, 2)} Wilson interval of a proportion"
    )
    return Prevalence(groups, n, value, low, high, measure, how)


def _resampled(values: Array, draws: int, rng: np.random.Generator) -> Array:
    """Return the means of `draws` resamples of the rows, of shape (draws, n_columns), a few at a time for memory."""
    n = len(values)
    at_once = max(1, 2_000_000 // n)
    means = []
    for start in range(0, draws, at_once):
        weights = rng.multinomial(n, np.full(n, 1 / n), size=min(at_once, draws - start))
        means.append(weights @ values / n)
    return np.concatenate(means)


def wilson(hits: Array, n: int, level: float = 0.95) -> tuple[Array, Array]:
    """Return Wilson's score interval of a proportion (Wilson 1927): hits of n."""
    z = NormalDist().inv_cdf(0.5 + level / 2)
    p = np.asarray(hits) / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def label_groups(labels: Array, most: int = 12, least: int = 5) -> tuple[Array, tuple[str, ...]]:
    """Turn a label column into groups: the most frequent values with at least `least` documents each.

    Returns
    -------
    codes : ndarray of int of shape (n,)
        −1 for missing and for rarer labels.
    names : tuple of str
        The most frequent first.
    """
    text = np.asarray(labels).astype(str)
    have = known(text)
    names, counts = np.unique(text[have], return_counts=True)
    order = [i for i in np.argsort(-counts, kind="stable") if counts[i] >= least][:most]
    place = {str(names[i]): position for position, i in enumerate(order)}
    return np.array([place.get(t, -1) if ok else -1 for t, ok in zip(text, have, strict=True)], dtype=int), tuple(place)


@dataclass(frozen=True, slots=True)
class Change:
    """The clearest difference between two groups: topic, both groups, and whether their intervals lie apart."""

    topic: int
    low_group: int
    high_group: int
    apart: bool


def clearest_change(found: Prevalence) -> Change | None:
    """Return the topic whose groups differ most, in units of the intervals' half-widths; None when nothing compares.

    Groups of fewer than :data:`COMPARED` documents are left out: the bootstrap is too sure of itself in small samples.
    """
    usable = ~np.isnan(found.low).any(axis=1) & (found.n >= COMPARED)
    if usable.sum() < 2:
        return None
    where = np.flatnonzero(usable)
    value, low, high = found.value[usable], found.low[usable], found.high[usable]
    best: tuple[float, Change] | None = None
    for t in range(value.shape[1]):
        a, b = int(value[:, t].argmin()), int(value[:, t].argmax())
        width = np.hypot(high[a, t] - value[a, t], value[b, t] - low[b, t])
        score = float((value[b, t] - value[a, t]) / max(width, 1e-9))
        change = Change(t, int(where[a]), int(where[b]), bool(low[b, t] > high[a, t]))
        if best is None or score > best[0]:
            best = (score, change)
    return best[1] if best else None
