"""Which data set the visitor looks at: picked, uploaded or prepared; kept in the URL."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from typing import Any

import streamlit as st

from nmf_core import Dataset, list_datasets, load_dataset
from nmf_core.catalog import DatasetInfo
from nmf_core.ingest import Reading, Verdict
from nmf_core.ingest.recipe import Recipe
from nmf_core.types import is_sparse
from nmf_core.wording import percent
from pages.ui import shelf, uploads
from pages.ui.state import pick, remember, slide
from pages.ui.widgets import md

PAGES = Path(__file__).resolve().parents[1]
OWN = "_own_data"  # ids of this visitor's data sets on the shelf, oldest first
USE = "_use_data"  # id to switch to on the next run: a widget's value cannot be set after it was drawn
MADE = "made"  # in the address: the recipe of a prepared built-in data set, so that a link outlives the server's memory
RECIPES = "_recipes"  # id -> recipe of this visitor's data sets that have one
_builtin: dict[str, tuple[str, dict[str, Any]]] = {}  # id -> name and options of the catalogue's data sets
LOST = "_lost_link"  # the address named data that are gone; said until other data are chosen
RANK = "rank"  # of the model; a new data set starts from its own recommended one
SCALE = "scale"  # of W and H; left at its default, it follows the data


def use(dataset: Dataset, recipe: Recipe | None = None) -> None:
    """Make a data set the current one on every page from the next run on.

    Parameters
    ----------
    dataset : Dataset
    recipe : Recipe, optional
        How it is made from a built-in one; it goes into the address.
    """
    own = st.session_state.setdefault(OWN, [])
    shelf.put(dataset)
    st.session_state.setdefault(RECIPES, {})[dataset.id] = recipe
    if dataset.id not in own:
        own.append(dataset.id)
    st.session_state[USE] = dataset.id


def chosen(kinds: Set[str] | None = None, key: str = "data", default: str | None = None) -> Dataset:
    """Draw the picker in the sidebar and return the data set the visitor chose.

    Parameters
    ----------
    kinds : set of str, optional
        Offer these kinds alone (a lens).
    key : str
        Of the widget and in the URL; a lens has its own.
    default : str, optional
        Name of the data set a lens opens with.
    """
    catalogue = {name: info for name, info in list_datasets().items() if kinds is None or info.kind in kinds}
    with st.sidebar:
        place = st.container()  # the picker stands above the upload, but a new file must be read before it is drawn
        with st.expander("Open a file of your own", icon=":material/upload_file:"):
            _upload(kinds, key)
        options = [*catalogue, *_own(kinds, key)]
        if (wanted := st.session_state.pop(USE, None)) in options:
            st.session_state[key] = wanted
            _forget_rank()
        with place:
            name = pick(
                "Data set",
                options,
                key,
                default,
                names=lambda option: catalogue[option].title if option in catalogue else _title(option),
                on_change=_forget_rank,
            )
            dataset = _load(name, catalogue)
            recipe = st.session_state.get(RECIPES, {}).get(dataset.id) if name not in catalogue else None
            remember(_made(key), recipe.encode() if recipe else "", "")
            _about(dataset, catalogue.get(name))
    return dataset


def info_of(dataset: Dataset) -> DatasetInfo | None:
    """Return the catalogue entry of a built-in data set, or None for a visitor's own."""
    known = _builtin.get(dataset.id)
    return list_datasets()[known[0]] if known else None


def source_of(dataset: Dataset) -> dict[str, Any] | None:
    """Return how exported code gets the data (steps come on top): the catalogue's name and options, or None."""
    recipe = recipe_of(dataset)
    return {"builtin": recipe.source, "options": dict(recipe.options)} if recipe else None


def recipe_of(dataset: Dataset) -> Recipe | None:
    """Return how a data set is made from a built-in one, or None for a visitor's own."""
    known = _builtin.get(dataset.id)
    if known:
        return Recipe(*known)
    recipe = st.session_state.get(RECIPES, {}).get(dataset.id)
    return recipe if isinstance(recipe, Recipe) else None


def recommended_rank(dataset: Dataset) -> int:
    """Return a rank that shows something: the catalogue's, or a small one for a visitor's own data."""
    info = info_of(dataset)
    return min(info.rank if info else 4, dataset.max_rank)


def _forget_rank() -> None:
    st.session_state.pop(LOST, None)
    st.session_state.pop(RANK, None)  # the next data set opens at the rank recommended for it
    if SCALE not in st.query_params:
        st.session_state.pop(SCALE, None)


def _title(dataset_id: str) -> str:
    dataset = shelf.get(dataset_id)
    return dataset.name if dataset else dataset_id


def _own(kinds: Set[str] | None, key: str) -> list[str]:
    """Return the visitor's data sets that are still on the shelf, the one named in the URL among them."""
    own = st.session_state.setdefault(OWN, [])
    linked = st.query_params.get(key)
    if linked and linked not in own and linked not in list_datasets():
        recipe = _linked_recipe(key)
        if shelf.get(linked) is not None:
            own.append(linked)
            st.session_state.setdefault(RECIPES, {})[linked] = recipe
        elif recipe is not None:
            _make_again(recipe, linked)
        else:
            st.session_state[LOST] = True
    if st.session_state.get(LOST):
        st.warning(
            "The data of this link are no longer on the server, so a built-in data set is shown. Open the file again.",
            icon=":material/link_off:",
        )
    kept = [(i, shelf.get(i)) for i in own]
    return [i for i, dataset in kept if dataset is not None and (kinds is None or dataset.kind in kinds)]


def _made(key: str) -> str:
    return MADE if key == "data" else f"{key}_{MADE}"


def _linked_recipe(key: str) -> Recipe | None:
    """Return the recipe that the address holds, or None."""
    text = st.query_params.get(_made(key))
    if not text:
        return None
    try:
        recipe = Recipe.decode(text)
    except ValueError:
        return None
    info = list_datasets().get(recipe.source)
    if info is None or not set(recipe.options) <= set(info.options):
        return None
    # A stranger's address must not order a data set of a billion cells.
    within = all(info.options[name].low <= value <= info.options[name].high for name, value in recipe.options.items())
    return recipe if within else None


def _make_again(recipe: Recipe, linked: str) -> None:
    """Prepare the data of a link anew: the server that made them has forgotten them, or was another one."""
    try:
        dataset = recipe.make(load_dataset)
    except (ValueError, TypeError, KeyError):
        st.session_state[LOST] = True
        return
    use(dataset, recipe)  # on another machine last digits may differ, and with them the id
    if dataset.id == linked:
        st.session_state.pop(USE, None)  # nothing to switch to: the rank of the link stays


def _load(name: str, catalogue: dict[str, DatasetInfo]) -> Dataset:
    if name not in catalogue:
        dataset = shelf.get(name)
        assert dataset is not None  # _own offers only what is there
        return dataset
    values: dict[str, Any] = {}
    for option, setting in catalogue[name].options.items():
        whole = float(setting.step).is_integer()
        cast = int if whole else float
        low, high, default, step = (cast(v) for v in (setting.low, setting.high, setting.default, setting.step))
        values[option] = slide(setting.label, low, high, f"{name}_{option}", default, step=step, help=setting.help)
    dataset = load_dataset(name, **values)
    if len(_builtin) > 10_000:  # generated data sets have many settings
        _builtin.clear()
    _builtin[dataset.id] = (name, values)
    return dataset


def _about(dataset: Dataset, info: DatasetInfo | None) -> None:
    n, m = dataset.shape
    rows, cols = (info.rows_are, info.cols_are) if info else ("rows", "columns")
    st.caption(f"{info.story if info else 'Your own data.'} **{n:,} {rows} × {m:,} {cols}.**")
    with st.popover("About these data", type="tertiary", icon=":material/info:"):
        st.markdown(f"**{md(dataset.name)}** — {n:,} {rows} × {m:,} {cols}, {_storage(dataset)}")
        for note in dataset.notes:
            st.markdown(f"- {md(note, 600)}")
        if dataset.labels:
            st.markdown("Set aside as labels: " + ", ".join(md(label) for label in dataset.labels))
        if info:
            st.markdown(f"Source: {md(info.source)}  \nLicence: {md(info.licence, 400)}")
            if info.citation:
                st.markdown(f"Cite: {md(info.citation, 600)}")


def _storage(dataset: Dataset) -> str:
    if is_sparse(dataset.X):
        share = dataset.X.nnz / (dataset.shape[0] * dataset.shape[1])
        return (
            f"{percent(share)} of the cells known"
            if dataset.mask is not None
            else f"{percent(1 - share)} zeros (sparse)"
        )
    return "every cell known" if dataset.mask is None else f"{int(dataset.mask.sum()):,} cells unknown"


def _upload(kinds: Set[str] | None, key: str) -> None:
    file = st.file_uploader(
        "CSV, Excel, Parquet, NumPy and more",
        key=f"{key}_file",
        help="A table with numbers; a column of names and a column of classes are recognised and set aside. "
        "The page *Data* shows what was understood and lets you change it.",
    )
    if file is None:
        return
    upload, new = uploads.take([file])
    if new and upload.reading.dataset is not None:
        use(upload.reading.dataset)
    if upload.reading.verdict is Verdict.ASK:
        _ask(upload.reading)
    else:
        _say(upload.reading, kinds)
    if upload.reading.verdict is not Verdict.REFUSE or upload.reading.questions:
        st.page_link(PAGES / "data.py", label="See it on the page Data", icon=":material/table_view:")


def _ask(reading: Reading) -> None:
    """Draw what a file leaves to the visitor, with the preset answers, which one click takes."""
    many = "s" * (len(reading.open) > 1)
    st.warning(f"This file needs {len(reading.open) if many else 'a'} decision{many} of yours.", icon=":material/help:")
    for question in reading.open:
        preset = (question.default,) if isinstance(question.default, str) else question.default
        labels = ", ".join(option.label for option in question.options if option.value in preset)
        st.caption(f"{md(question.text, 300)} Usual answer: **{md(labels, 160)}**.")
    if st.button(f"Take the usual answer{many}", type="primary", icon=":material/check:", key="usual_answers"):
        upload = uploads.answer(reading.defaults)
        if upload.reading.dataset is not None:
            use(upload.reading.dataset)
        st.rerun()


def _say(reading: Reading, kinds: Set[str] | None) -> None:
    if reading.verdict is Verdict.REFUSE:
        st.error(md(reading.message, 600), icon=":material/error:")
    elif reading.dataset is not None and kinds is not None and reading.dataset.kind not in kinds:
        st.warning(f"Read as {reading.dataset.kind}; this page shows {', '.join(sorted(kinds))}.")
    else:
        st.success("Read.", icon=":material/check:")
        for note in reading.notes[:3]:
            st.caption(md(note.text, 300))
