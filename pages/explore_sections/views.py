"""The views of the Explore page: one function per tab."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from nmf_core import Dataset, FitResult
from nmf_core.catalog import DatasetInfo
from nmf_core.components import Identity, Parts, feature_axis
from nmf_core.figures.build_row import BuiltRow
from nmf_core.figures.component_bars import ComponentBars, GroupedBars
from nmf_core.figures.component_lines import ComponentLines
from nmf_core.figures.component_tiles import ComponentTiles
from nmf_core.figures.drawing import FactorDrawing
from nmf_core.figures.error_curve import ErrorCurve
from nmf_core.figures.errors import FeatureErrors, SampleErrors
from nmf_core.figures.heatmaps import FeatureHeatmap, SampleHeatmap
from nmf_core.figures.label_counts import LabelCounts
from nmf_core.figures.ordering import FEATURE_ORDERS, SAMPLE_ORDERS
from nmf_core.figures.reconstruction import Reconstruction
from nmf_core.figures.space import ComponentSpace, ParallelComponents
from nmf_core.quality import cards, compared_label
from nmf_core.wording import percent
from pages.ui.bound import svd_bound
from pages.ui.sample import ROW, sample
from pages.ui.state import pick, slide, switch
from pages.ui.widgets import cards as draw_cards
from pages.ui.widgets import picture

FIRST_CARDS = 5  # above the tabs; the others stand in the tab Fit
_ORDERS = {
    "file": "as in the file",
    "label": "by label",
    "name": "by name",
    "dominant": "by dominant part",
    "cluster": "similar ones together",
}


@dataclass(frozen=True)
class View:
    """All that a tab needs."""

    dataset: Dataset
    info: DatasetInfo | None
    result: FitResult
    parts: Parts
    identity: Identity = Identity()  # noqa: RUF009 (frozen)

    @property
    def rows_are(self) -> str:
        """Plural noun for the samples."""
        return self.info.rows_are if self.info else "rows"

    @property
    def cols_are(self) -> str:
        """Plural noun for the features."""
        return self.info.cols_are if self.info else "columns"


def numbers(view: View) -> list[tuple[str, str, str]]:
    """Return the cards, remembered: on a large table they cost seconds."""
    about = f"{view.result.request.key} {view.result.n_iter} {view.result.loss!r} {view.parts.scale} {view.identity!r}"
    return _cards(view.dataset.id, about, view)


@st.cache_data(max_entries=2000, show_spinner=False)
def _cards(dataset_id: str, about: str, _view: View) -> list[tuple[str, str, str]]:
    bound = svd_bound(_view.dataset, _view.parts.rank)
    return cards(_view.dataset, _view.result, _view.parts, bound=bound)


def _alone(shown: Parts, *, drawn: bool) -> str:
    """Say in words what the share of a part is; pictures and lines do not have theirs `drawn`, so they are told."""
    shares = [max(float(share), 0.0) for share in shown.share]
    some = ", ".join(percent(share) for share in shares[:8])
    which = "The percentage under a part’s name is what that part explains alone"
    if not drawn:
        first = f"The first {min(8, shown.rank)} parts" if shown.rank > 8 else "The parts"
        which = f"{first} explain alone, in this order, {some}"
    return (
        f"{which}: by so much Σ X² shrinks when the part is taken away from X and no other is. Parts overlap, so these "
        f"shares need not add up to what all explain together; here they add up to {percent(sum(shares))}."
    )


def parts(view: View) -> None:
    """What the parts are, and who holds how much of them."""
    dataset, shown = view.dataset, view.parts
    if dataset.cell_shape:
        picture(ComponentTiles(dataset, shown), key="tiles")
    elif feature_axis(dataset) is not None:
        picture(ComponentLines(dataset, shown), key="lines")
    else:
        picture(ComponentBars(dataset, shown), key="bars")
    if shown.rank > 1:
        st.caption(_alone(shown, drawn=not dataset.cell_shape and feature_axis(dataset) is None))
    left, right = st.columns(2, gap="large")
    with left:
        order = _order("Rows of W", [o for o in SAMPLE_ORDERS if o != "label" or dataset.labels], "w_order")
        label = _label(view, "w_label") if order == "label" and len(dataset.labels) > 1 else compared_label(dataset)
        picture(SampleHeatmap(dataset, shown, order=order, label=label), key="w", on_select=_choose("w"))
    with right:
        order = _order("Columns of H", list(FEATURE_ORDERS), "h_order")
        picture(FeatureHeatmap(dataset, shown, order=order), key="h")
    if not dataset.cell_shape and dataset.shape[1] > 1:
        with st.expander("All parts side by side", key="grouped_open", on_change="rerun") as more:
            if more.open:
                picture(GroupedBars(dataset, shown), key="grouped")
    with st.expander("What are X, W and H here?", key="drawing_open", on_change="rerun") as more:
        if more.open:
            st.markdown(
                f"**X** ({dataset.shape[0]:,} {view.rows_are} × {dataset.shape[1]:,} {view.cols_are}) ≈ **W** · **H**. "
                f"Each row of H is a part, a pattern over the {view.cols_are}; each row of W is the recipe of one of the "
                f"{view.rows_are}. Nothing is negative, so parts only add. Much of the literature has samples in "
                "columns: there W and H change places."
            )
            picture(FactorDrawing(dataset, shown, view.rows_are, view.cols_are), key="drawing")


def samples(view: View) -> None:
    """One sample built from its parts, and all samples in the space of the parts."""
    dataset, shown = view.dataset, view.parts
    row = sample(dataset)
    steps = shown.rank
    if shown.rank > 1:
        steps = slide("Parts added", 1, shown.rank, "steps", shown.rank, help="The largest part comes first.")
    picture(BuiltRow(dataset, shown, row=row, steps=steps), key="built")
    st.subheader("All samples in the space of the parts", anchor=False)
    colours = ["dominant", *dataset.labels]
    names = {"dominant": "dominant part"}
    with st.container(horizontal=True):
        colour = pick("Colour by", colours, "colour", colours[min(1, len(colours) - 1)], names=names)
        if shown.rank > 1:
            options = list(range(shown.rank))
            x = pick("Across", options, "across", 0, names=lambda k: shown.names[k])
            y = pick("Up", options, "up", 1, names=lambda k: shown.names[k])
    if shown.rank > 1:
        space = ComponentSpace(dataset, shown, x=x, y=y, color=colour)
        picture(space, key="space", on_select=_choose("space"))
        picture(ParallelComponents(dataset, shown, color=colour), key="parallel")
    if dataset.labels:
        st.subheader("Do the parts follow the labels?", anchor=False)
        label = _label(view, "counts_label")
        draw_cards(card for card in cards(dataset, view.result, shown, label, bound=None) if card[0] in _AGREEMENT)
        picture(LabelCounts(dataset, shown, label=label), key="counts")


_AGREEMENT = ("Purity", "Entropy", "ARI", "NMI")


def quality(view: View) -> None:
    """How the run went, and what WH does not explain."""
    dataset, shown = view.dataset, view.parts
    draw_cards(numbers(view)[FIRST_CARDS:])
    with st.container(horizontal=True):
        against = pick("Loss against", ["iteration", "second"], "against", segmented=True)
        log = switch("Logarithmic", "log", True)
    picture(ErrorCurve(dataset, view.result, against=against, log=log), key="error")
    st.subheader("X beside WH beside what is left", anchor=False)
    orders = [o for o in SAMPLE_ORDERS if o != "label" or dataset.labels]
    with st.container(horizontal=True):
        rows = _order("Rows", orders, "x_rows")
        cols = _order("Columns", list(FEATURE_ORDERS), "x_cols")
    picture(Reconstruction(dataset, shown, rows=rows, cols=cols), key="x", on_select=_choose("x"))
    left, right = st.columns(2, gap="large")
    with left:
        picture(SampleErrors(dataset, shown), key="row_errors", on_select=_choose("row_errors"))
    with right:
        picture(FeatureErrors(dataset, shown), key="feature_errors")
    st.markdown("**The worst rows**")
    worst = SampleErrors(dataset, shown).table().head(10)
    st.dataframe(worst, alt="The ten samples that WH explains worst.")


def _order(label: str, options: list[str], key: str) -> str:
    return str(pick(label, options, key, names=_ORDERS, width=240))


def _label(view: View, key: str) -> str:
    return str(pick("Label", list(view.dataset.labels), key, compared_label(view.dataset), width=240))


def _choose(key: str) -> Callable[[], None]:
    """Return a callback that makes the row clicked in a chart the sample looked at."""

    def chosen() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points and points[0].get("customdata") is not None:
            data = points[0]["customdata"]
            st.session_state[ROW] = int(data[0] if isinstance(data, list | tuple) else data)

    return chosen
