"""Chapter 5: where to start, when to stop."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core import FitRequest, fit, load_dataset
from nmf_core.components import present
from nmf_core.figures.component_bars import ComponentBars
from nmf_core.figures.component_tiles import ComponentTiles
from nmf_core.figures.learn_animation import PartsFilm
from nmf_core.figures.learn_curves import LossCurves
from nmf_core.lessons.film import FilmWork
from pages.learn_sections.common import question
from pages.ui import jobs
from pages.ui.state import pick, slide
from pages.ui.widgets import picture

FILMS = {"iris": ("Iris", 3), "digits": ("Digits", 16), "faces_orl": ("Faces", 9)}


def show() -> None:
    """Draw the chapter."""
    st.markdown(
        "The algorithm goes downhill from wherever it starts. **NNDSVD** takes the start from the singular vectors of X; a "
        "**random** start is another one for every seed. Watch the parts take shape, then see what stopping early costs."
    )
    st.subheader("Parts taking shape", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = pick("Data", list(FILMS), "film", names={k: v[0] for k, v in FILMS.items()}, segmented=True)
        init = pick(
            "Start",
            ["random", "nndsvda"],
            "film_init",
            names={"random": "Random", "nndsvda": "NNDSVDa"},
            segmented=True,
        )
    dataset, rank = load_dataset(name), FILMS[name][1]
    request = FitRequest(
        dataset.id, rank=rank, solver="mu", init=init, max_iter=500 if name == "iris" else 276, tol=0.0
    )
    film = jobs.run(FilmWork(request), dataset, label=f"Filming {dataset.name}", key="film_run")
    if film is not None:
        shape = dataset.cell_shape if dataset.cell_shape and len(dataset.cell_shape) == 2 else None
        cols = tuple(dataset.cols) if shape is None else ()
        picture(PartsFilm(film.snapshots, film.iterations, film.errors, shape, cols), key=f"film_{name}_{init}")
        tone = "Darker" if shape else "Brighter"
        st.caption(
            f"Multiplicative updates, slow enough to be watched. {tone} means more; every part to its own maximum."
        )
    st.subheader("Random against NNDSVD, from the same data", anchor=False)
    _starts()
    st.subheader("Too few iterations", anchor=False)
    _few()


def _starts() -> None:
    runs = {"NNDSVDa": _losses("nndsvda", 0, 0.0)}
    runs |= {f"random, seed {seed}": _losses("random", seed, 0.0) for seed in range(4)}
    marks = {f"tolerance {tol:.0e}": len(_losses("nndsvda", 0, tol)) - 1 for tol in (1e-2, 1e-3)}
    picture(LossCurves(runs, chosen="NNDSVDa", marks=marks, step="iteration"), key="start_curves")
    ends = {name: float(losses[-1]) for name, losses in runs.items()}
    best = min(ends, key=lambda key: ends[key])
    st.markdown(
        f"After 300 iterations on Iris, rank 3, **{best}** is lowest ({ends[best]:.4g}); the highest is "
        f"{max(ends.values()):.4g}. Triangles: where the rule *relative change below the tolerance* would have stopped."
    )
    question(
        "q_starts", "Which start is lowest after 300 iterations?", tuple(runs), best, f"Its loss is {ends[best]:.5g}."
    )


@st.cache_data(max_entries=100, show_spinner=False)
def _losses(init: str, seed: int, tol: float) -> np.ndarray:
    return fit(load_dataset("iris"), rank=3, solver="mu", init=init, seed=seed, max_iter=300, tol=tol).trace.loss


def _few() -> None:
    dataset = load_dataset("digits" if st.session_state.get("film") == "digits" else "iris")
    rank = 3 if dataset.shape[1] == 4 else 16
    count = slide("Iterations", 1, 60, "few", 2)
    few = fit(dataset, rank=rank, solver="mu", init="random", max_iter=count, tol=0.0)
    many = fit(dataset, rank=rank, solver="mu", init="random", max_iter=400, tol=0.0)
    shown = ComponentTiles if dataset.cell_shape else ComponentBars
    left, right = st.columns(2, gap="large")
    for column, title, result, key in ((left, f"After {count}", few, "few"), (right, "After 400", many, "many")):
        with column:
            error = np.linalg.norm(dataset.X - result.W @ result.H) / np.linalg.norm(dataset.X)
            st.markdown(f"**{title} iterations**: relative error {100 * error:.3g} %")
            picture(shown(dataset, present(dataset, result, "max 1")), key=f"parts_{key}")
    st.caption(
        "With too few iterations the parts are still mixtures: they look like the average of the data, or like noise."
    )
