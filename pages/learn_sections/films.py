"""Chapter 5: parts taking shape, from stored snapshots of the fit."""

from __future__ import annotations

import streamlit as st

from nmf_core import FitRequest, load_dataset
from nmf_core.figures.learn_film import PartsFilm
from nmf_core.lessons.film import FRAMES, FilmWork
from pages.learn_sections.common import question
from pages.learn_sections.player import play
from pages.ui import jobs
from pages.ui.state import pick

FILMS = {"iris": ("Iris", 3), "digits": ("Digits", 16), "faces_orl": ("Faces", 9)}


def show() -> None:
    """Draw the section."""
    st.markdown(
        "At first all parts are noise, or copies of one another; then each finds something of its own. The film holds "
        "snapshots of **H** on the way of the multiplicative updates, which are slow enough to be watched."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = pick("Data", list(FILMS), "film", names={k: v[0] for k, v in FILMS.items()}, segmented=True)
        inits = {"random": "Random", "nndsvda": "NNDSVDa"}
        init = pick("Start", list(inits), "film_init", names=inits, segmented=True)
    dataset, rank = load_dataset(name), FILMS[name][1]
    request = FitRequest(dataset.id, rank=rank, solver="mu", init=init, max_iter=FRAMES[-1], tol=0.0)
    taken = jobs.run(FilmWork(request), dataset, label=f"Filming {dataset.name}", key="film_run")
    if taken is None:
        return
    shape = (dataset.cell_shape[0], dataset.cell_shape[1]) if dataset.cell_shape else None
    film = PartsFilm(
        taken.snapshots,
        taken.iterations,
        taken.errors,
        shape,
        tuple(map(str, dataset.cols)) if shape is None else (),
        name,
    )
    play(film, f"film_{name}_{init}")
    tone = "Darker means more" if shape else "Longer means more"
    st.caption(
        f"{tone}; every part to its own maximum. Play runs through {len(film.iterations)} snapshots; the arrow keys move the "
        "scrubber, and the address keeps where it stands."
    )
    with st.popover("Table", icon=":material/table:", type="tertiary"):
        st.caption(film.describe())
        st.dataframe(film.table(), hide_index=True)
    half = next((i for i, e in zip(film.iterations, film.errors, strict=True) if e <= film.errors[0] / 2), None)
    if half is None:  # cancelled before
        return
    options = sorted({half, *(i for i in (1, 4, 24, 124, 310) if i != half)})[:6]
    question(
        "q_film",
        f"{name}_{init}",
        "After how many iterations has the error fallen below half of what it was at the start? Scrub to find out.",
        tuple(f"{i}" for i in options),
        f"{half}",
        f"It starts at {100 * film.errors[0]:.3g} %; snapshot {half} is the first below {50 * film.errors[0]:.3g} %.",
    )
