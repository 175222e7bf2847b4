"""Components as people see them: scaled, ordered, named, coloured, matched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from nmf_core.types import Array, Dataset, FitResult, is_sparse

#: How W and H share the size of a component between them; WH stays the same under each.
SCALES = ("as fitted", "component sums 1", "max 1", "unit L2", "W·D·H")
SCALE_HELP = {
    "as fitted": "W and H exactly as the solver left them; how they share the size of a component is arbitrary.",
    "component sums 1": "Each row of H sums to 1 (a recipe in shares); W then counts in the units of X.",
    "max 1": "The largest value of each row of H is 1, so all components fill the same colour range.",
    "unit L2": "Each row of H has length 1, as for PCA; W then says how long each part of a sample is.",
    "W·D·H": "Columns of W and rows of H both sum to 1; the weight D says how much of all data a component makes up.",
}
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Parts:
    """W and H as every chart, table and export shows them. Build with `present`.

    Attributes
    ----------
    W : ndarray of shape (n_samples, rank)
    H : ndarray of shape (rank, n_features)
        With ``W @ diag(weights) @ H`` equal to the fitted WH under every scale (weights are 1 except under W·D·H), as
        long as no component was merged or dropped.
    weights : ndarray of shape (rank,)
    names : tuple of str
        One per component ("Part 1", a suggested or a user's own name); may hold text from a file: escape when shown.
    colors : tuple of str
        ``#rrggbb`` per component, the same in every chart.
    share : ndarray of shape (rank,)
        Share of ‖X‖² explained by each component alone, in display order (largest first unless reordered).
    index : ndarray of int of shape (rank,)
        Position of each component in the fitted result (of its first member, if merged).
    scale : str
        One of ``SCALES``.
    members : tuple of tuple of int
        Positions in the fitted result of everything a component holds; longer than one where components were merged.
    hidden : ndarray of bool of shape (rank,)
        Components that charts leave out; `visible` drops them. They still count in WH and its error.
    """

    W: Array
    H: Array
    weights: Array
    names: tuple[str, ...]
    colors: tuple[str, ...]
    share: Array
    index: Array
    scale: str
    members: tuple[tuple[int, ...], ...] = ()
    hidden: Array = field(default_factory=lambda: np.zeros(0, dtype=bool))

    @property
    def rank(self) -> int:
        """Number of components."""
        return len(self.names)

    @property
    def recipe(self) -> Array:
        """``W @ diag(weights)``: what multiplies H to give WH."""
        return self.W if (self.weights == 1).all() else self.W * self.weights

    @property
    def amounts(self) -> Array:
        """Total each component adds to each sample, shape (n_samples, rank): the same under every scale."""
        return self.W * (self.weights * self.H.sum(axis=1))

    def visible(self) -> Parts:
        """Return the components that are not hidden; all of them, if every one is."""
        if not self.hidden.any() or self.hidden.all():
            return self
        return self.take(np.flatnonzero(~self.hidden))

    def take(self, positions: Sequence[int] | Array) -> Parts:
        """Return some components, by display position, in the given order."""
        at = np.asarray(positions, dtype=np.intp)
        return replace(
            self,
            W=self.W[:, at],
            H=self.H[at],
            weights=self.weights[at],
            names=tuple(self.names[i] for i in at),
            colors=tuple(self.colors[i] for i in at),
            share=self.share[at],
            index=self.index[at],
            members=tuple(self.members[i] for i in at) if self.members else (),
            hidden=self.hidden[at] if len(self.hidden) else self.hidden,
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """What a user decided about the components of one result; hashable, and JSON both ways.

    All fields speak of positions in the *fitted* result, so that scale and order change nothing. A merged component is
    spoken of by its first member.

    Attributes
    ----------
    names, colors : tuple of (position, text) pairs
    order : tuple of int
        Wished order from the first on; components left out follow by the variation they explain.
    hidden, dropped : tuple of int
    merged : tuple of tuple of int
        Disjoint groups of two or more.
    """

    names: tuple[tuple[int, str], ...] = ()
    colors: tuple[tuple[int, str], ...] = ()
    order: tuple[int, ...] = ()
    hidden: tuple[int, ...] = ()
    merged: tuple[tuple[int, ...], ...] = ()
    dropped: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        # May come from a URL or a file: everything is checked, whoever built it.
        names = tuple(sorted({_position("names", i): str(text)[:200] for i, text in self.names}.items()))
        colors = {_position("colors", i): str(text).lower() for i, text in self.colors}
        for text in colors.values():
            if not _COLOR.fullmatch(text):
                raise ValueError(f"colors: {text!r} is not a colour; write it as #rrggbb")
        groups = tuple(tuple(dict.fromkeys(_position("merged", i) for i in group)) for group in self.merged)
        groups = tuple(group for group in groups if len(group) > 1)
        flat = [i for group in groups for i in group]
        if len(flat) != len(set(flat)):
            raise ValueError("merged: a component can be in one group only")
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "colors", tuple(sorted(colors.items())))
        object.__setattr__(self, "merged", groups)
        for name in ("order", "hidden", "dropped"):
            values = dict.fromkeys(_position(name, i) for i in getattr(self, name))
            object.__setattr__(self, name, tuple(values) if name == "order" else tuple(sorted(values)))

    def rename(self, index: int, name: str) -> Identity:
        """Give a component a name; an empty one takes the name away."""
        kept = {i: text for i, text in self.names if i != index}
        return replace(self, names=tuple({**kept, index: name.strip()}.items() if name.strip() else kept.items()))

    def recolor(self, index: int, color: str) -> Identity:
        """Give a component a colour (``#rrggbb``)."""
        return replace(self, colors=tuple({**dict(self.colors), index: color}.items()))

    def reorder(self, order: Iterable[int]) -> Identity:
        """Set the order, by fitted position; an empty one means: by the variation explained."""
        return replace(self, order=tuple(order))

    def hide(self, index: int, hidden: bool = True) -> Identity:
        """Leave a component out of the charts, or bring it back."""
        kept = tuple(i for i in self.hidden if i != index)
        return replace(self, hidden=(*kept, index) if hidden else kept)

    def merge(self, indices: Iterable[int]) -> Identity:
        """Join components, and the groups they are in, into one."""
        wanted = list(dict.fromkeys(indices))
        touched = [group for group in self.merged if set(group) & set(wanted)]
        group = tuple(dict.fromkeys([i for old in touched for i in old] + wanted))
        kept = tuple(old for old in self.merged if old not in touched)
        return replace(self, merged=(*kept, group))

    def split(self, index: int) -> Identity:
        """Take a merged group apart again."""
        return replace(self, merged=tuple(group for group in self.merged if index not in group))

    def drop(self, index: int) -> Identity:
        """Take a component out of the result (`drop_start` gives the start of the refit without it)."""
        return replace(self, dropped=(*self.dropped, index))

    def to_json(self) -> dict[str, Any]:
        """Return plain values that `from_json` reads back; empty fields are left out."""
        values = {
            "names": {str(i): text for i, text in self.names},
            "colors": {str(i): text for i, text in self.colors},
            "order": list(self.order),
            "hidden": list(self.hidden),
            "merged": [list(group) for group in self.merged],
            "dropped": list(self.dropped),
        }
        return {key: value for key, value in values.items() if value}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Identity:
        """Rebuild an identity.

        Raises
        ------
        ValueError
            For unknown fields, positions that are no whole numbers, or colours that are none.
        """
        if not isinstance(values, Mapping):
            raise ValueError("identity: must be an object with named fields")
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise ValueError(f"identity: unknown field(s) {', '.join(unknown)}")
        given = dict(values)
        for name in ("names", "colors"):
            pairs = given.get(name, {})
            if not isinstance(pairs, Mapping):
                raise ValueError(f"{name}: must be an object of position and text")
            given[name] = tuple(pairs.items())
        for name in ("order", "hidden", "dropped", "merged"):
            if not isinstance(given.get(name, []), list | tuple):
                raise ValueError(f"{name}: must be a list")
        if not all(isinstance(group, list | tuple) for group in given.get("merged", [])):
            raise ValueError("merged: must be a list of lists")
        return cls(**given)


def _position(name: str, value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value < 100_000:
        raise ValueError(f"{name}: {value!r} is not the position of a component")
    return int(value)


def present(dataset: Dataset, result: FitResult, scale: str = "as fitted", identity: Identity | None = None) -> Parts:
    """Scale, order, name and colour the components of a result.

    Parameters
    ----------
    dataset : Dataset
        What was factorized; needed for the share of variation that orders the components.
    result : FitResult
    scale : str
        One of `SCALES`. W and H change together: ``W @ diag(weights) @ H`` stays the same up to rounding.
    identity : Identity, optional
        The user's names, colours, order, hidden, merged and dropped components. Positions beyond the rank are ignored.

    Returns
    -------
    Parts

    Raises
    ------
    ValueError
        For an unknown scale, shapes that do not belong to the data, or an identity that drops every component.
    """
    return present_matrices(dataset, result.W, result.H, scale, identity)


def present_matrices(
    dataset: Dataset, W: Array, H: Array, scale: str = "as fitted", identity: Identity | None = None
) -> Parts:
    """Do what `present` does for any W (n_samples × rank) and H (rank × n_features)."""
    if scale not in SCALES:
        raise ValueError(f"scale: unknown {scale!r}; use one of {', '.join(SCALES)}")
    if W.shape[0] != dataset.shape[0] or H.shape[1] != dataset.shape[1] or W.shape[1] != H.shape[0]:
        raise ValueError(f"W {W.shape} and H {H.shape} do not belong to data of shape {dataset.shape}")
    identity = identity or Identity()
    groups = _groups(H.shape[0], identity)
    if not groups:
        raise ValueError("identity: every component is dropped; keep at least one")
    plain = all(len(group) == 1 for group in groups)
    first = np.array([group[0] for group in groups], dtype=np.intp)
    if plain and len(groups) == H.shape[0]:
        W, H = np.asarray(W), np.asarray(H)
    elif plain:
        W, H = W[:, first], H[first]
    else:
        W, H = _merged(W, H, groups)
    share = variation_shares(dataset, W, H)
    order = _order(groups, share, identity.order)
    groups = [groups[i] for i in order]
    W, H, share, first = W[:, order], H[order], share[order], first[order]
    W, H, weights = rescale(W, H, scale)
    names, colors = _names_and_colors(first, identity)
    hidden = np.isin(first, identity.hidden)
    for array in (W, H, weights, share, first, hidden):
        array.flags.writeable = False
    return Parts(W, H, weights, names, colors, share, first, scale, tuple(groups), hidden)


def rescale(W: Array, H: Array, scale: str) -> tuple[Array, Array, Array]:
    """Return (W, H, weights) under a scale of `SCALES`, as new arrays.

    A component that is zero in H (or in W, for W·D·H) cannot be scaled and stays as it is.
    """
    weights = np.ones(H.shape[0], dtype=H.dtype)
    if scale == "as fitted":
        return W.copy(), H.copy(), weights
    if scale == "max 1":
        size = H.max(axis=1)
    elif scale == "unit L2":
        peak = _usable(H.max(axis=1))  # first by the maximum, so that squares neither overflow nor vanish
        size = peak * np.sqrt(np.square(H / peak[:, None]).sum(axis=1))
    else:
        size = H.sum(axis=1)
    size = _usable(size)
    W, H = W * size, H / size[:, None]
    if scale == "W·D·H":
        total = _usable(W.sum(axis=0))
        W, weights = W / total, total
    return W, H, weights


def _usable(size: Array) -> Array:
    return np.where((size > 0) & np.isfinite(size), size, np.ones_like(size))


def variation_shares(dataset: Dataset, W: Array, H: Array) -> Array:
    """Return the share of ‖X‖² (uncentred, observed cells) that each component explains alone.

    For component k: 1 − ‖X − w_k h_k‖² / ‖X‖² = (2⟨X, w_k h_k⟩ − ‖w_k h_k‖²) / ‖X‖². Shares of overlapping components
    add up to more than the share of all together.
    """
    X, mask = dataset.X, dataset.mask
    W64, H64 = np.asarray(W, dtype=np.float64), np.asarray(H, dtype=np.float64)
    if is_sparse(X):
        total = float(np.square(X.data, dtype=np.float64).sum())
        cross = _cross(X, W, H)
        seen = _pattern(X) if mask == "unstored" else None
    else:
        filled = X if mask is None else np.where(mask, X.dtype.type(0), X)
        total = (
            float(np.vdot(filled, filled))
            if filled.dtype == np.float64
            else float(np.square(filled, dtype=np.float64).sum())
        )
        cross = _cross(filled, W, H)
        seen = None if mask is None else (~np.asarray(mask)).astype(X.dtype)
    if seen is None:
        own = np.einsum("ik,ik->k", W64, W64) * np.einsum("kj,kj->k", H64, H64)
    else:
        own = np.einsum("ik,ik->k", np.asarray(seen @ np.square(H64).T, dtype=np.float64), np.square(W64))
    return (2 * cross - own) / total if total > 0 else np.zeros(H.shape[0])


def _cross(X: Any, W: Array, H: Array) -> Array:
    """Return ⟨X, w_k h_k⟩ for every component, through the smaller of XHᵀ and WᵀX."""
    if X.shape[0] <= X.shape[1]:
        return np.einsum("ik,ik->k", np.asarray(X @ H.T.astype(X.dtype, copy=False)), W, dtype=np.float64)
    product = np.asarray(X.T @ W.astype(X.dtype, copy=False))
    return np.einsum("jk,kj->k", product, H, dtype=np.float64)


def _pattern(X: Any) -> Any:
    ones = X.copy()
    ones.data = np.ones_like(X.data)
    return ones


def _groups(rank: int, identity: Identity) -> list[tuple[int, ...]]:
    dropped = set(identity.dropped)
    lead: dict[int, tuple[int, ...]] = {}
    inside: set[int] = set()
    for group in identity.merged:
        kept = tuple(i for i in group if i < rank and i not in dropped)
        if kept:
            lead[kept[0]] = kept
            inside.update(kept[1:])
    return [lead.get(i, (i,)) for i in range(rank) if i not in dropped and i not in inside]


def _merged(W: Array, H: Array, groups: Sequence[tuple[int, ...]]) -> tuple[Array, Array]:
    """Sum components: the rank-1 table with the same row and column sums as the sum of the members' tables.

    It is the best rank-1 approximation of that sum under the Kullback–Leibler divergence: row sums · column sums /
    total.
    """
    W_new = np.empty((W.shape[0], len(groups)), dtype=W.dtype)
    H_new = np.empty((len(groups), H.shape[1]), dtype=H.dtype)
    for k, group in enumerate(groups):
        at = list(group)
        if len(at) == 1:
            W_new[:, k], H_new[k] = W[:, at[0]], H[at[0]]
            continue
        samples = W[:, at] @ H[at].sum(axis=1)
        features = W[:, at].sum(axis=0) @ H[at]
        total = samples.sum()
        W_new[:, k], H_new[k] = samples, features / total if total > 0 else features
    return W_new, H_new


def _order(groups: Sequence[tuple[int, ...]], share: Array, wished: Sequence[int]) -> Array:
    by_share = np.argsort(-share, kind="stable")
    if not wished:
        return by_share
    at = {member: k for k, group in enumerate(groups) for member in group}
    first = list(dict.fromkeys(at[i] for i in wished if i in at))
    return np.array(first + [k for k in by_share if k not in set(first)], dtype=np.intp)


def _names_and_colors(first: Array, identity: Identity) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from nmf_core.figures.palette import component_color

    given_names, given_colors = dict(identity.names), dict(identity.colors)
    names = _fill([given_names.get(int(i)) for i in first], lambda n: f"Part {n + 1}")
    colors = _fill([given_colors.get(int(i)) for i in first], component_color)
    return names, colors


def _fill(values: Sequence[str | None], default: Any) -> tuple[str, ...]:
    """Replace None by ``default(position)``, or by the next default that nobody has."""
    taken = {value for value in values if value is not None}
    filled: list[str] = []
    for position, value in enumerate(values):
        if value is None:
            n = position
            value = default(n)
            while value in taken:
                n += 1 if n >= len(values) else len(values) - n
                value = default(n)
            taken.add(value)
        filled.append(value)
    return tuple(filled)


def dominant(parts: Parts) -> Array:
    """Return the component that adds most to each sample, as display position; −1 where all add nothing.

    "Most" is the total amount ``w_ik · Σ_j h_kj`` (weights included), which is the same under every scale.
    """
    known = _dominant.get(parts)
    if known is None:
        amounts = parts.amounts
        top = amounts.argmax(axis=1)
        known = np.where(amounts[np.arange(len(top)), top] > 0, top, -1)
        known.flags.writeable = False
        _dominant[parts] = known
    return known


# One page asks for the same components many times; Parts are immutable, so the answer can be kept beside them.
_dominant: WeakKeyDictionary[Parts, Array] = WeakKeyDictionary()


def dominant_feature(parts: Parts) -> Array:
    """Return the component that adds most to each feature over all samples, as display position; −1 for none."""
    amounts = parts.recipe.sum(axis=0)[:, None] * parts.H
    return np.where(amounts.max(axis=0) > 0, amounts.argmax(axis=0), -1)


TOP_BY = ("weight", "distinctive")


#: Known cells from which a feature counts as well known, and how many features per component must be left at least.
WELL_KNOWN, ENOUGH = 20, 20


def well_known(dataset: Dataset, rank: int) -> Array | None:
    """Tell which features enough is known of to stand for a component; None where every cell is known.

    A film that two people rated can have any value in H without the loss noticing: it would come first among thousands of
    such films by chance. Features with fewer than 20 known cells are passed over, as long as 20 per component are left.

    Returns
    -------
    ndarray of bool of shape (n_features,) or None
    """
    mask = dataset.mask
    if mask is None:
        return None
    X = dataset.X
    known = np.bincount(X.indices, minlength=X.shape[1]) if is_sparse(X) else np.isfinite(X).sum(axis=0)
    enough = min(len(known), ENOUGH * rank)
    return known >= min(WELL_KNOWN, int(np.partition(known, -enough)[-enough]))


def top_features(parts: Parts, n: int = 10, by: str = "weight", among: Array | None = None) -> tuple[Array, Array]:
    """Return the strongest features of each component.

    Parameters
    ----------
    parts : Parts
    n : int
        How many; fewer if there are fewer features.
    by : {"weight", "distinctive"}
        The value in H, or that value times the share of the feature that this component makes up (over all samples):
        the second leaves out what is strong everywhere.
    among : ndarray of bool of shape (n_features,), optional
        Features that may be picked, see `well_known`.

    Returns
    -------
    positions : ndarray of int of shape (rank, n)
        Columns of X, strongest first; equal ones in file order.
    values : ndarray of shape (rank, n)
        The values in H under the scale of `parts` (also for ``by="distinctive"``).
    """
    if by not in TOP_BY:
        raise ValueError(f"by: unknown {by!r}; use one of {', '.join(TOP_BY)}")
    if among is not None and not among.all():
        at = np.flatnonzero(among)
        picked, values = top_features(replace(parts, H=parts.H[:, at]), n, by)
        return at[picked], values
    n = max(1, min(n, parts.H.shape[1]))
    H = parts.H
    score = H
    if by == "distinctive":
        amounts = parts.recipe.sum(axis=0)[:, None] * H
        total = amounts.sum(axis=0)
        score = H * (amounts / np.where(total > 0, total, 1))
    if n < H.shape[1] // 4:  # sort only what can be among the first n
        limit = -np.partition(-score, n - 1, axis=1)[:, n - 1]
        picked = np.empty((len(H), n), dtype=np.intp)
        for k in range(len(H)):
            above = np.flatnonzero(score[k] > limit[k])
            level = np.flatnonzero(score[k] == limit[k])[: n - len(above)]
            candidates = np.sort(np.concatenate([above, level]))
            picked[k] = candidates[np.argsort(-score[k, candidates], kind="stable")]
    else:
        picked = np.argsort(-score, axis=1, kind="stable")[:, :n]
    return picked, np.take_along_axis(H, picked, axis=1)


_NUMBERED = re.compile(r"(\D*?)(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(\D*)")


def feature_axis(dataset: Dataset) -> Array | None:
    """Return the features as numbers (wavelengths, times, …) if they are points of one axis; else None.

    Their names must be rising or falling numbers, and not merely the count 0, 1, 2 … or 1, 2, 3 … that files without a
    header get. For spectra, their cubes and sound, numbered names ("channel 3", "440 Hz") and, failing that, the positions do too.
    """
    n = dataset.shape[1]
    if dataset.cell_shape is not None or n < 8:
        return None
    ordered_kind = dataset.kind in ("spectra", "cube", "audio")
    numbers = _name_numbers(dataset.cols, bare=not ordered_kind)
    if numbers is None:
        return np.arange(1.0, n + 1) if ordered_kind else None
    counted = any(np.array_equal(numbers, np.arange(start, n + start)) for start in (0, 1))
    return numbers if ordered_kind or not counted else None


def feature_axis_words(dataset: Dataset) -> str:
    """Return what the numbers of `feature_axis` are: ``extra["axis"]``, what stands around the numbers, or "feature"."""
    given = str(dataset.extra.get("axis", "")).strip()
    if given:
        return given
    found = _NUMBERED.fullmatch(str(dataset.cols[0]).strip())
    around = " ".join(" ".join(found.group(1, 3)).split()) if found else ""
    return around or "feature"


def _name_numbers(names: Array, *, bare: bool) -> Array | None:
    if bare:
        try:
            numbers = names.astype(np.float64)
        except ValueError:
            return None
    else:
        found = [_NUMBERED.fullmatch(str(name).strip()) for name in names]
        parts = [m.groups() for m in found if m]
        if len(parts) < len(names) or len({(before, after) for before, _, after in parts}) > 1:
            return None
        numbers = np.array([float(number) for _, number, _ in parts])
    step = np.diff(numbers)
    return numbers if np.isfinite(numbers).all() and ((step > 0).all() or (step < 0).all()) else None


def suggest_names(parts: Parts, dataset: Dataset, limit: int = 40) -> tuple[str, ...]:
    """Suggest a name per component from the features that set it apart; all different.

    Ordered numeric features give "peak at 1,745"; pictures have no feature names worth showing and keep the present
    names; otherwise up to three features that carry the component together, for example "petal length + petal width".
    """
    if dataset.cell_shape is not None:
        return parts.names
    axis = feature_axis(dataset)
    if axis is not None:
        raw = [f"peak at {axis[row.argmax()]:,.6g}" if row.any() else "empty" for row in parts.H]
        return _unique(raw)
    picked, _ = top_features(parts, 3, by="distinctive", among=well_known(dataset, parts.rank))
    raw = []
    for k, features in enumerate(picked):
        row = parts.H[k]
        if not row.any():
            raw.append("empty")
            continue
        strong = [j for j in features if row[j] >= 0.5 * row[features[0]]] or [features[0]]
        text = ""
        for j in strong:
            word = " ".join(str(dataset.cols[j]).split())
            longer = f"{text} + {word}" if text else word
            if text and len(longer) > limit:
                break
            text = longer
        raw.append(text)
    return _unique(raw)


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(out)


@dataclass(frozen=True, slots=True, eq=False)
class Matching:
    """Which component of one result corresponds to which of another.

    Attributes
    ----------
    a, b : ndarray of int
        Matched positions (rows of H_a and of H_b), ordered by a; as many as the smaller result has components.
    similarity : ndarray of float
        Cosine of each matched pair, from 0 to 1.
    cosine : ndarray of shape (rank_a, rank_b)
        Of all pairs.
    """

    a: Array
    b: Array
    similarity: Array
    cosine: Array


def match(H_a: Array, H_b: Array) -> Matching:
    """Match components one to one so that the sum of their cosine similarities is largest (Hungarian method).

    Parameters
    ----------
    H_a, H_b : ndarray of shape (rank_a, n_features), (rank_b, n_features)
        Scale does not matter: rows are brought to length 1 first. A zero row is similar to nothing.

    Raises
    ------
    ValueError
        If the numbers of features differ.
    """
    if H_a.shape[1] != H_b.shape[1]:
        raise ValueError(f"match: {H_a.shape[1]} and {H_b.shape[1]} features; only equal features can be compared")
    from scipy.optimize import linear_sum_assignment

    cosine = np.clip(_unit_rows(H_a) @ _unit_rows(H_b).T, 0.0, 1.0)
    a, b = linear_sum_assignment(cosine, maximize=True)
    return Matching(a, b, cosine[a, b], cosine)


def _unit_rows(H: Array) -> Array:
    H = np.asarray(H, dtype=np.float64)
    peak = _usable(np.abs(H).max(axis=1))
    H = H / peak[:, None]
    return H / _usable(np.sqrt(np.square(H).sum(axis=1)))[:, None]


@dataclass(frozen=True, slots=True)
class Carried:
    """An identity brought over to another result, and why.

    Attributes
    ----------
    identity : Identity
        For the new result.
    pairs : tuple of (name, fitted position in the new result, similarity)
        Every old component that found its counterpart.
    lost : tuple of (name, similarity)
        Old components without one, with the similarity of the best candidate they were given (0 if none).
    new : tuple of int
        Fitted positions of new components that correspond to no old one.
    """

    identity: Identity
    pairs: tuple[tuple[str, int, float], ...]
    lost: tuple[tuple[str, float], ...]
    new: tuple[int, ...]


def carry(
    identity: Identity, old_parts: Parts, new_parts: Parts, threshold: float = 0.6, *, old_H: Array | None = None
) -> Carried:
    """Take names and colours, order, hidden and merged components over to another result with the same features.

    Components are matched by `match`; only pairs at least as similar as `threshold` (cosine) count, so a component that
    is really new starts with a name and a colour of its own. Every old name and colour travels, not only the user's
    own, so that "Part 2" in orange means the same thing after another seed.

    Parameters
    ----------
    identity : Identity
        Of the old result.
    old_parts, new_parts : Parts
        `present` of the old result with `identity`, and of the new one without any.
    threshold : float
        Smallest cosine at which two components count as the same.
    old_H : ndarray of shape (old rank, n_features), optional
        H of the old result as fitted. With it, merged components are matched member by member and merged again;
        without it, each is matched as the one component it was shown as.
    """
    from nmf_core.figures.palette import component_color

    owner = list(range(old_parts.rank))
    rows = old_parts.H
    if old_H is not None and old_parts.members:
        owner = [i for i, group in enumerate(old_parts.members) for _ in group]
        rows = old_H[[m for group in old_parts.members for m in group]]
    matching = match(rows, new_parts.H)
    found: dict[int, list[tuple[float, int]]] = {i: [] for i in range(old_parts.rank)}
    for a, b, similarity in zip(matching.a, matching.b, matching.similarity, strict=True):
        found[owner[a]].append((float(similarity), int(new_parts.index[b])))
    names: dict[int, str] = {}
    colors: dict[int, str] = {}
    to_new: dict[int, int] = {}
    merged: list[tuple[int, ...]] = []
    pairs, lost = [], []
    members: set[int] = set()
    for i, name in enumerate(old_parts.names):
        close = [(similarity, position) for similarity, position in found[i] if similarity >= threshold]
        if not close:
            lost.append((name, max((similarity for similarity, _ in found[i]), default=0.0)))
            continue
        position = close[0][1]
        names[position], colors[position] = name, old_parts.colors[i]
        to_new[int(old_parts.index[i])] = position
        pairs.append((name, position, min(similarity for similarity, _ in close)))
        members.update(p for _, p in close)
        if len(close) > 1:
            merged.append(tuple(p for _, p in close))
    new = tuple(int(i) for i in new_parts.index if int(i) not in members)
    # A new component must not look like one that has gone: neither its name nor its colour is used again.
    used_names, used_colors = set(old_parts.names), set(old_parts.colors)
    for position in new:
        n = next(n for n in range(1, len(used_names) + 2) if f"Part {n}" not in used_names)
        c = next(c for c in range(len(used_colors) + 1) if component_color(c) not in used_colors)
        names[position], colors[position] = f"Part {n}", component_color(c)
        used_names.add(names[position])
        used_colors.add(colors[position])
    carried = Identity(
        names=tuple(names.items()),
        colors=tuple(colors.items()),
        order=tuple(to_new[i] for i in identity.order if i in to_new),
        hidden=tuple(to_new[i] for i in identity.hidden if i in to_new),
        merged=tuple(merged),
    )
    return Carried(carried, tuple(pairs), tuple(lost), new)


def drop_start(result: FitResult, dropped: Iterable[int]) -> tuple[Any, Array, Array]:
    """Return (request, W, H) that refit a result without some of its components, from where the others stand.

    Parameters
    ----------
    result : FitResult
    dropped : iterable of int
        Fitted positions.

    Raises
    ------
    ValueError
        If no component would be left.
    """
    gone = set(dropped)
    kept = [k for k in range(result.H.shape[0]) if k not in gone]
    if not kept:
        raise ValueError("drop: every component is dropped; keep at least one")
    request = result.request.with_(rank=len(kept), init="custom", n_restarts=1)
    return request, np.ascontiguousarray(result.W[:, kept]), np.ascontiguousarray(result.H[kept])
