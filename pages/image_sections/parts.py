"""Section Parts: the components as pictures, what they are used for, a picture rebuilt from them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core import Dataset, FitResult, Stop
from nmf_core.components import Parts, present
from nmf_core.figures.images_panels import Panel, Panels
from nmf_core.figures.images_tiles import PictureTiles
from nmf_core.figures.png import encode, uri
from nmf_core.figures.text import percent
from nmf_core.lenses.images.claims import known_claim, parts_claim
from nmf_core.lenses.images.methods import RivalsWork, compare
from nmf_core.lenses.images.parts import ORDERS, USED, order_of, rebuild, top_pictures, usage, usage_table
from nmf_core.lenses.images.pictures import tiles
from nmf_core.lenses.images.truth import FOUND, PENALISED, PLAIN, SIGNED, Known, KnownPartsWork
from nmf_core.types import Array
from pages.image_sections.common import claim, collection, controls, factorize, lead, one_row
from pages.ui import identity, jobs
from pages.ui.state import pick, slide, switch
from pages.ui.widgets import cards, picture

CHOSEN = "images_part"
PICTURE = "images_row"
TICKS = 60
FIRST_STEPS = 6
_ORDER_NAMES = {
    "usage": "most used",
    "variation": "most variation",
    "sparseness": "most local",
    "position": "place in the picture",
}


def show() -> None:
    """Draw the section."""
    dataset = collection()
    lead(
        "Each tile is a part, dark where it adds brightness; every picture is a sum of parts and nothing is ever taken away. "
        "Look for tiles that are mostly empty: those are places and features, not whole pictures."
    )
    rank, sparseness, seed = controls(dataset)
    result = factorize(dataset, rank, sparseness, seed, growing=True)
    if result is None:
        return
    parts = present(dataset, result, scale="unit L2", identity=identity.peek(dataset, result.W, result.H))
    measured = usage(parts)
    known = measured.sparseness[np.isfinite(measured.sparseness)]
    size = float(np.sqrt(max(2 * result.loss, 0))) / (_size(dataset) or 1.0)
    cards(
        [
            ("Pictures", f"{dataset.shape[0]:,}", f"Each of {' × '.join(map(str, dataset.cell_shape or ()))} pixels."),
            ("Relative error", percent(size), "‖X − WH‖ / ‖X‖ over all pictures."),
            (
                "Sparseness",
                f"{known.mean():.2f}" if known.size else "–",
                "Hoyer's measure of the parts, mean: 0 is an even grey, 1 a single pixel.",
            ),
            (
                "Parts a picture",
                f"{measured.pictures.sum():.0f} of {rank}",
                f"How many parts give at least {percent(USED, 2)} of a picture's brightness, mean over pictures.",
            ),
        ]
    )
    chosen = _tiles(dataset, parts)
    if result.stop is Stop.RUNNING:
        return  # the parts are still forming: what follows would change under the reader's eyes
    _users(dataset, parts, chosen)
    st.subheader("A picture rebuilt part by part", anchor=False)
    _rebuilt(dataset, parts)
    if "true_parts" in dataset.extra:
        _known(dataset)
    _claim(dataset, result)


def _size(dataset: Dataset) -> float:
    from nmf_core.lenses.images.prepare import dense

    return float(np.linalg.norm(dense(dataset)[0])) if dataset.mask is None else float(np.sqrt(np.nansum(dataset.X**2)))


def _tiles(dataset: Dataset, parts: Parts) -> int:
    """Draw the sheet of parts; return the display position of the chosen one."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order_by = pick("Order", ORDERS, "images_order", "usage", names=_ORDER_NAMES, segmented=True)
        by_usage = switch("Size by usage", "images_sized", help="The side of a tile shows how much it is used.")
        bright = switch("Bright on black", "images_bright", help="As light instead of ink.")
    order = order_of(parts, order_by)
    measured = usage(parts)
    if st.session_state.get(CHOSEN, 0) >= parts.rank:
        st.session_state[CHOSEN] = 0
    chosen = int(st.session_state.get(CHOSEN, int(order[0])))
    share = measured.share[order]
    local = measured.sparseness[order]
    sheet = PictureTiles(
        tiles(parts.H[order], dataset.cell_shape or ()),
        [f"{k + 1} · {percent(s)}" for k, s in zip(order, share, strict=True)],
        told=f"{parts.rank} parts as pictures, {_ORDER_NAMES[order_by]} first. The most used gives {percent(share.max())} of all "
        f"brightness, the least used {percent(share.min())}; mean sparseness {np.nanmean(local) if np.isfinite(local).any() else 0:.2f}.",
        frame=usage_table(parts, measured).iloc[order].reset_index(drop=True),
        hover=[
            f"{parts.names[k]}: {percent(measured.share[k])} of all brightness, used in {percent(measured.pictures[k], 2)} of the pictures, "
            f"sparseness {measured.sparseness[k]:.2f}"
            for k in order
        ],
        colors=[parts.colors[k] for k in order],
        colormap="gray" if bright else "ink",
        sizes=np.sqrt(share / share.max()) if by_usage and share.max() > 0 else (),
        chosen=tuple(np.flatnonzero(order == chosen).tolist()),
    )
    points = picture(sheet, key="images_tiles", selectable=True, download="parts")
    picked = _position(points)
    last = st.session_state.get("_images_tile_click")
    if picked is not None and (order_by, picked) != last and picked < len(order):
        st.session_state["_images_tile_click"] = (order_by, picked)
        st.session_state[CHOSEN] = int(order[picked])
        st.rerun()
    st.caption(
        "Under each tile: its share of the brightness of all pictures. Click a tile to see the pictures that use it."
    )
    return int(chosen)


def _position(points: list[dict]) -> int | None:
    """Return the tile of the latest click; Plotly sends a number or a list of one."""
    for point in reversed(points or []):
        value = point.get("customdata")
        value = value[0] if isinstance(value, (list, tuple)) and value else value
        if isinstance(value, (int, float)):
            return int(value)
    return None


def _users(dataset: Dataset, parts: Parts, chosen: int) -> None:
    st.session_state[CHOSEN] = chosen
    part = st.selectbox(
        "Pictures that use most of",
        range(parts.rank),
        format_func=lambda k: parts.names[k],
        key=CHOSEN,
    )
    rows, share = top_pictures(parts, int(part), 12)
    shown = tiles(np.nan_to_num(_rows(dataset, rows)), dataset.cell_shape or ())
    points = picture(
        PictureTiles(
            shown,
            [percent(s, 2) for s in share],
            told=f"The {len(rows)} pictures of whose brightness {parts.names[int(part)]} gives most: "
            f"from {percent(share[0], 2)} down to {percent(share[-1], 2)}.",
            frame=pd.DataFrame({"picture": dataset.rows[rows], "share of its brightness": share}),
            hover=[f"{dataset.rows[i]}: {percent(s)}" for i, s in zip(rows, share, strict=True)],
            columns=12 if shown.shape[2] <= shown.shape[1] * 1.5 else 6,
            limits=_limits(dataset),
            side=64,
        ),
        key="images_users",
        selectable=True,
    )
    st.caption("In percent: how much of the picture's brightness the part gives. Click a picture to rebuild it below.")
    picked = _position(points)
    if picked is not None and picked < len(rows) and st.session_state.get("_images_user_click") != (int(part), picked):
        st.session_state["_images_user_click"] = (int(part), picked)
        st.session_state[PICTURE] = int(rows[picked])
        st.session_state[f"{PICTURE}_number"] = int(rows[picked]) + 1


def _rows(dataset: Dataset, rows: Array) -> Array:
    raw = dataset.X[rows]
    return np.asarray(raw.toarray() if hasattr(raw, "toarray") else raw, dtype=np.float64)


def _limits(dataset: Dataset) -> tuple[float, float]:
    """Return one range of tones for all pictures, so that dark pictures look dark."""
    data = dataset.X.data if hasattr(dataset.X, "indptr") else dataset.X
    high = float(np.nanmax(data)) if data.size else 1.0
    return (0.0, high or 1.0)


@st.fragment
def _rebuilt(dataset: Dataset, parts: Parts) -> None:
    left, right = st.columns([1, 1], vertical_alignment="bottom")
    with left:
        row = one_row(dataset, PICTURE)
    with right:
        steps = slide(
            "Parts added, the largest first",
            0,
            parts.rank,
            "images_steps",
            min(parts.rank, FIRST_STEPS),
            help="Only ticked parts count. The picture grows from black.",
        )
    whole = rebuild(dataset, parts, row)
    ticked = _ticks(dataset, parts, row, whole.order, whole.contributions)
    built = rebuild(dataset, parts, row, ticked, steps)
    shape = dataset.cell_shape or ()
    high = float(max(np.nanmax(whole.original), whole.running[-1].max(), 1e-12))
    added = built.contributions[-1] if len(built.order) else np.zeros(dataset.shape[1])
    residual = built.residual
    # Never so fine a scale that rounding errors of a perfect sum look like a residual.
    worst = max(float(np.nanmax(np.abs(residual))) if np.isfinite(residual).any() else 0.0, 0.02 * high)
    brightness = float(np.nansum(whole.running[-1]))
    last = "nothing yet"
    if len(built.order):
        last = f"{parts.names[built.order[-1]]} · {percent(float(np.nansum(added)) / brightness if brightness else 0.0, 2)}"
    sofar, left_over, original, piece = (
        tiles(v[None], shape)[0] for v in (built.running[-1], residual, built.original, added)
    )
    if len(shape) == 3:
        sofar, original, piece = (np.clip(v / high, 0, 1) for v in (sofar, original, piece))
        left_over = left_over.mean(axis=2)
    unit = (0.0, high)
    picture(
        Panels(
            (
                Panel("Added last", piece, "ink", "each", last),
                Panel("Sum so far", sofar, "gray", unit, f"{len(built.order)} of {parts.rank} parts"),
                Panel("Original", original, "gray", unit, str(dataset.rows[row])),
                Panel("Residual", left_over, "signed", (-worst, worst), f"error {percent(built.errors[-1])}"),
            ),
            told=f"{dataset.rows[row]} rebuilt from {len(built.order)} of {parts.rank} parts: the relative error is "
            f"{percent(built.errors[-1])}, with all parts {percent(whole.errors[-1])}. In the residual, orange pixels are brighter than "
            "the sum and blue ones darker.",
            frame=pd.DataFrame(
                {
                    "step": np.arange(len(built.errors)),
                    "part": ["", *[parts.names[k] for k in built.order]],
                    "relative error": built.errors,
                }
            ),
            most=380,
        ),
        key="images_rebuilt",
    )


def _ticks(dataset: Dataset, parts: Parts, row: int, order: Array, contributions: Array) -> Array:
    """Draw the parts of a picture as a table to tick; return those ticked."""
    with st.expander("Tick the parts that may be used", icon=":material/check_box:"):
        shown = order[:TICKS]
        total = contributions.sum() or 1.0
        shape = dataset.cell_shape or ()
        pictures = tiles(parts.H[shown], shape)
        if pictures.ndim == 4:
            pictures = pictures / np.maximum(pictures.max(axis=(1, 2, 3), keepdims=True), 1e-12)
        table = pd.DataFrame(
            {
                "use": True,
                "part": [uri(encode(p, colormap="ink", limits="each")) for p in pictures],
                "name": [parts.names[k] for k in shown],
                "gives": contributions[: len(shown)].sum(axis=1) / total,
            }
        )
        edited = st.data_editor(
            table,
            key=f"images_ticks_{dataset.id[:8]}_{parts.rank}_{row}",
            hide_index=True,
            disabled=["part", "name", "gives"],
            row_height=52,
            height=330,
            column_config={
                "use": st.column_config.CheckboxColumn("use"),
                "part": st.column_config.ImageColumn("part"),
                "name": st.column_config.TextColumn("name"),
                "gives": st.column_config.ProgressColumn(
                    "gives of the brightness",
                    format="percent",
                    min_value=0.0,
                    max_value=float(table["gives"].max()) or 1.0,
                ),
            },
        )
        rest = order[TICKS:]
        return np.concatenate([shown[edited["use"].to_numpy(dtype=bool)], rest])


def _known(dataset: Dataset) -> None:
    st.subheader("Parts that are known", anchor=False)
    st.markdown(
        "These pictures were made from known parts, so it can be counted how many come out. The part that is in every picture "
        "is special: it can be moved into the four positions of a limb, of which every picture has exactly one, and no picture "
        "changes. This is the torso's known ghost (Donoho & Stodden 2003); a small L1 penalty makes the tidy answer the best."
    )
    work = KnownPartsWork(dataset.id)
    known = jobs.run(
        work, dataset, label="Looking for the known parts from several starts", key="images_known", growing=True
    )
    if known is None:
        return
    _known_tiles(dataset, known)
    claim(known_claim(known))


def _known_tiles(dataset: Dataset, known: Known) -> None:
    shape = dataset.cell_shape or ()
    titles = {PLAIN: "plain NMF", PENALISED: "NMF with a small L1 penalty", SIGNED: "PCA (orange +, blue −)"}
    for method, recovery in zip(known.methods, known.recoveries, strict=True):
        found = int((recovery.cosine[known.others] >= FOUND).sum())
        st.markdown(f"**{titles[method]}**: {found} of {len(known.others)} parts found (cosine of {FOUND} or more)")
        picture(
            PictureTiles(
                tiles(known.matched(method), shape),
                [f"{c:.2f}" for c in recovery.cosine],
                told=f"What {titles[method]} gives for each of the {len(known.names)} true parts; below each the cosine with "
                f"the true part, mean {recovery.cosine.mean():.3f}.",
                frame=known.table(),
                hover=[f"{name}: cosine {c:.3f}" for name, c in zip(known.names, recovery.cosine, strict=True)],
                colormap="signed" if method == SIGNED else "ink",
                columns=len(known.names) if len(known.names) <= 20 else None,
                side=64,
            ),
            key=f"images_known_{method}",
        )


def _claim(dataset: Dataset, result: FitResult) -> None:
    rank = len(result.H)
    rivals = jobs.run(
        RivalsWork(dataset.id, rank), dataset, label=f"PCA and vector quantization at rank {rank}", key="images_rivals"
    )
    if rivals is not None:
        claim(parts_claim(compare(dataset, result, rivals)))
