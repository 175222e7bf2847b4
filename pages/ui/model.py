"""The model controls in the sidebar: they never offer a combination that is not allowed, and live in the URL."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import streamlit as st

from nmf_core import Dataset, FitRequest, solvers
from nmf_core.defaults import suggested_penalty
from nmf_core.fit import FitWork
from nmf_core.types import LOSSES, is_sparse
from pages.ui.data import RANK, recommended_rank
from pages.ui.start import given
from pages.ui.state import number, pick, slide, switch

MAX_RANK_SHOWN = 100
NEXT_RANK = "_next_rank"
OTHER = "other β"
_LOSS_NAMES = {
    "frobenius": "Frobenius (squared error)",
    "kullback-leibler": "Kullback-Leibler (counts)",
    "itakura-saito": "Itakura-Saito (spectra, scale-free)",
    OTHER: "Another β-divergence …",
}
_INIT_NAMES = {
    "nndsvda": "NNDSVDa: from the SVD, zeros filled with the mean",
    "nndsvd": "NNDSVD: from the SVD, zeros kept",
    "nndsvdar": "NNDSVDar: from the SVD, zeros filled at random",
    "random": "Random: another start for every seed",
    "kmeans": "k-means: components start as cluster centres",
    "custom": "Given: W and H from a file",
}
_INIT_HELP = (
    "NNDSVDa is a good, repeatable start. Random starts with several restarts find better minima and show how far the "
    "answer depends on the start."
)
TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 0.0)


def work(dataset: Dataset) -> FitWork:
    """Draw the controls for a data set and return the fit they add up to."""
    with st.sidebar:
        rank = _rank(dataset)
        with st.expander("Model", icon=":material/tune:"):
            loss = _loss(dataset)
            alpha_W, alpha_H, l1_ratio = _penalties(dataset, loss)
            solver = _solver(dataset, loss, penalised=bool(alpha_W or alpha_H))
            options = _options(solver)
            init = pick("Initialization", list(_INIT_NAMES), "init", names=_INIT_NAMES, help=_INIT_HELP)
            start = given(dataset) if init == "custom" else None
            if init == "custom":
                init, rank = ("nndsvda", rank) if start is None else (init, start[0].shape[1])
            restarts = number("Restarts (best of)", 1, 100, "restarts", 1, help="Each restart has a start of its own.")
            seed = number(
                "Seed", 0, 2**32 - 1, "seed", 0, help="Another number, another random start; same number, same bits."
            )
        with st.expander("Stopping", icon=":material/timer:"):
            max_iter = number(
                "Iterations at most", 1, 100_000, "max_iter", 500, step=50, help="A run stops here at the latest."
            )
            tol = pick(
                "Tolerance",
                TOLERANCES,
                "tol",
                1e-5,
                names={t: f"{t:.0e}" for t in TOLERANCES} | {0.0: "0 (never)"},
                help="Stop when the change falls below this share; 0 never stops early. Smaller: more exact and slower.",
            )
            stop_rule = pick(
                "What has to fall below it",
                ["loss", "kkt"],
                "stop_rule",
                names={"loss": "Relative change of the loss", "kkt": "Projected gradient (KKT) norm"},
                help="The change of the loss is what scikit-learn's mu looks at; the projected gradient (KKT) says how far "
                "from a stationary point the factors are.",
            )
            limit = number("Seconds at most", 1, 3600, "seconds", 300, step=10, help="The result so far is kept.")
    request = FitRequest(
        dataset_id=dataset.id,
        rank=rank,
        solver=solver,
        loss=loss,
        init=init,
        seed=seed,
        n_restarts=restarts,
        max_iter=max_iter,
        tol=tol,
        stop_rule=stop_rule,
        time_limit=float(limit),
        alpha_W=alpha_W,
        alpha_H=alpha_H,
        l1_ratio=l1_ratio,
        options=options,
    )
    return FitWork(request) if start is None else FitWork(request, *start)


def request(dataset: Dataset) -> FitRequest:
    """Draw the controls and return the request alone, for pages that make many fits of it."""
    return work(dataset).request


def apply(wanted: FitRequest) -> None:
    """Set the controls to a request, from the next run on; call it in a callback, before the widgets are drawn."""
    known = wanted.loss if isinstance(wanted.loss, str) else OTHER
    values = {
        "loss": known,
        "penalties": "own" if wanted.penalised else "none",
        "alpha_W": wanted.alpha_W,
        "alpha_H": wanted.alpha_W if wanted.alpha_H == "same" else wanted.alpha_H,
        "l1_ratio": wanted.l1_ratio,
        "solver": wanted.solver,
        "init": "nndsvda" if wanted.init == "custom" else wanted.init,
        "restarts": wanted.n_restarts,
        "seed": wanted.seed,
        "max_iter": wanted.max_iter,
        "tol": wanted.tol,
        "stop_rule": wanted.stop_rule,
    }
    if known == OTHER:
        values["beta"] = float(wanted.loss)
    st.session_state.update(values)
    st.session_state[NEXT_RANK] = wanted.rank  # the data may change as well, which forgets the rank


def _rank(dataset: Dataset) -> int:
    top = min(dataset.max_rank, MAX_RANK_SHOWN)
    if top < 2:
        return 1
    help_ = "How many parts X is split into. The page Rank gives evidence for a choice."
    default = min(recommended_rank(dataset), top)
    if (wanted := st.session_state.pop(NEXT_RANK, None)) is not None:
        st.session_state[RANK] = wanted
    return int(slide("Rank (number of components)", 1, top, RANK, default, help=help_))


def _loss(dataset: Dataset) -> str | float:
    zeros = is_sparse(dataset.X) or bool(np.any(dataset.X == 0))
    options: list[str] = [name for name in (*LOSSES, OTHER) if not (zeros and name == "itakura-saito")]
    picked = pick(
        "Loss",
        options,
        "loss",
        names=_LOSS_NAMES,
        help="Frobenius suits measurements with errors of one size; Kullback-Leibler counts and words; Itakura-Saito power "
        "spectra, where small values matter as much as large ones (needs X without zeros).",
    )
    if picked != OTHER:
        return str(picked)
    help_ = "2 is Frobenius, 1 Kullback-Leibler, 0 Itakura-Saito."
    return float(slide("β", 0.1 if zeros else -1.0, 3.0, "beta", 1.5, step=0.1, help=help_))


def _penalties(dataset: Dataset, loss: str | float) -> tuple[float, float, float]:
    suggested = suggested_penalty(dataset, loss)
    names = {
        "auto": f"Suggested for these data: {'L2' if suggested else 'none'}",
        "none": "None",
        "own": "My own (L1: sparser parts)",
    }
    how = pick(
        "Penalties", list(names), "penalties", names=names, help="L1 sets small entries to zero, L2 draws all down."
    )
    if how == "none" or (how == "auto" and suggested is None):
        return 0.0, 0.0, 0.0
    if how == "auto":
        assert suggested is not None
        st.caption(suggested.reason)
        return suggested.alpha_W, suggested.alpha_H, suggested.l1_ratio
    help_ = "Scaled as in scikit-learn: multiplied by the number of features for W, of samples for H."
    alpha_W = number("alpha_W", 0.0, 1000.0, "alpha_W", 0.0, step=0.001, help=help_, format="%.5f")
    alpha_H = number("alpha_H", 0.0, 1000.0, "alpha_H", 0.0, step=0.001, help=help_, format="%.5f")
    l1 = slide("l1_ratio", 0.0, 1.0, "l1_ratio", 1.0, step=0.05, help="1: L1 only (sparse). 0: L2 only.")
    return float(alpha_W), float(alpha_H), float(l1)


def _solver(dataset: Dataset, loss: str | float, penalised: bool) -> str:
    offered = solvers.available(
        loss=loss, masked=dataset.mask is not None, sparse=is_sparse(dataset.X), penalised=penalised
    )
    names = {"auto": "Automatic: the quickest for these data"} | {s.name: s.label for s in offered}
    helps = "\n".join(f"- **{s.label}**: {s.help}" for s in offered)
    return str(pick("Solver", list(names), "solver", names=names, help=f"How W and H are found.\n\n{helps}"))


def _options(solver: str) -> tuple[tuple[str, float], ...]:
    """Draw what the solver itself lets one set and return what differs from its defaults."""
    if solver == "auto":
        return ()
    changed = []
    for option in fields(solvers.get(solver)):
        about, default = option.metadata, option.default
        key = f"{solver}_{option.name}"
        value: float
        if isinstance(default, bool):
            value = switch(about["label"], key, default, help=about["help"])
        elif isinstance(default, int | float) and about.get("low") is not None:
            low, high = (type(default)(about[side]) for side in ("low", "high"))
            shown: dict[str, Any] = {"step": 1} if isinstance(default, int) else {"format": "%.3f"}
            value = number(about["label"], low, high, key, default, help=about["help"], **shown)
        else:
            continue
        if value != default:
            changed.append((option.name, value))
    return tuple(changed)
