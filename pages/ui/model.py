"""The model controls in the sidebar: they never offer a combination that is not allowed, and live in the URL."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from nmf_core import Dataset, FitRequest, solvers
from nmf_core.types import LOSSES, is_sparse
from pages.ui.data import RANK, recommended_rank

MAX_RANK_SHOWN = 100
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
}
TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 0.0)
_SHARED: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}


def request(dataset: Dataset) -> FitRequest:
    """Draw the controls for a data set and return the request they add up to."""
    with st.sidebar:
        rank = _rank(dataset)
        with st.expander("Model", icon=":material/tune:"):
            loss = _loss(dataset)
            alpha_W, alpha_H, l1_ratio = _penalties()
            solver = _solver(dataset, loss, penalised=bool(alpha_W or alpha_H))
            init = _pick(
                "Initialization",
                list(_INIT_NAMES),
                "init",
                "NNDSVDa is a good, repeatable start. Random starts with several restarts find better minima and show how "
                "far the answer depends on the start.",
                _INIT_NAMES,
            )
            restarts = _number("Restarts (best of)", 1, 100, 1, 1, "restarts", "Each restart has a start of its own.")
            seed = _number(
                "Seed", 0, 2**31 - 1, 0, 1, "seed", "Another number, another random start; same number, same bits."
            )
        with st.expander("Stopping", icon=":material/timer:"):
            max_iter = _number("Iterations at most", 1, 100_000, 500, 50, "max_iter", "A run stops here at the latest.")
            tol = _pick(
                "Tolerance",
                list(TOLERANCES),
                "tol",
                "Stop when the change falls below this share; 0 never stops early. Smaller means more exact and slower.",
                {t: "0 (never)" if t == 0 else f"{t:.0e}" for t in TOLERANCES},
                index=3,
            )
            stop_rule = _pick(
                "What has to fall below it",
                ["loss", "kkt"],
                "stop_rule",
                "The change of the loss is what scikit-learn's mu looks at; the projected gradient (KKT) says how far "
                "from a stationary point the factors are.",
                {"loss": "Relative change of the loss", "kkt": "Projected gradient (KKT) norm"},
            )
            limit = _number("Seconds at most", 1, 3600, 300, 10, "seconds", "The result so far is kept.")
    return FitRequest(
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
    )


def _rank(dataset: Dataset) -> int:
    # Not bound to the URL as the others are: its limit and its default change with the data set, and Streamlit would take
    # the address's old value for the new data.
    top = min(dataset.max_rank, MAX_RANK_SHOWN)
    if top < 2:
        return 1
    default = recommended_rank(dataset)
    if RANK not in st.session_state:
        linked = st.query_params.get(RANK, "")
        st.session_state[RANK] = int(linked) if linked.isascii() and linked.isdigit() else default
    st.session_state[RANK] = min(max(int(st.session_state[RANK]), 1), top)
    rank = int(
        st.slider(
            "Rank (number of components)",
            1,
            top,
            key=RANK,
            help="How many parts X is split into. The page Rank gives evidence for a choice.",
            persist_state="session",
        )
    )
    if rank != default:
        st.query_params[RANK] = str(rank)
    elif RANK in st.query_params:
        del st.query_params[RANK]
    return rank


def _pick(label: str, options: list[Any], key: str, explanation: str, names: dict[Any, str], index: int = 0) -> Any:
    if st.session_state.get(key, options[index]) not in options:
        st.session_state[key] = options[index]
    return st.selectbox(
        label, options, index=index, format_func=lambda o: names.get(o, str(o)), key=key, help=explanation, **_SHARED
    )


def _number(label: str, low: int, high: int, default: int, step: int, key: str, explanation: str) -> int:
    return int(st.number_input(label, low, high, default, step, key=key, help=explanation, **_SHARED))


def _loss(dataset: Dataset) -> str | float:
    zeros = is_sparse(dataset.X) or bool(np.any(dataset.X == 0))
    options = [name for name in (*LOSSES, OTHER) if not (zeros and name == "itakura-saito")]
    picked = _pick(
        "Loss",
        options,
        "loss",
        "Frobenius suits measurements with errors of one size; Kullback-Leibler counts and words; Itakura-Saito power "
        "spectra, where small values matter as much as large ones (needs X without zeros).",
        _LOSS_NAMES,
    )
    if picked != OTHER:
        return str(picked)
    low = 0.1 if zeros else -1.0
    return float(
        st.slider(
            "β", low, 3.0, 1.5, 0.1, key="beta", help="2 is Frobenius, 1 Kullback-Leibler, 0 Itakura-Saito.", **_SHARED
        )
    )


def _penalties() -> tuple[float, float, float]:
    if not st.toggle("Penalties (sparser parts)", key="penalties", help="L1 sets small entries to zero.", **_SHARED):
        return 0.0, 0.0, 0.0
    help_ = "Scaled as in scikit-learn: multiplied by the number of features for W, of samples for H."
    alpha_W = st.number_input("alpha_W", 0.0, 1000.0, 0.0, 0.001, format="%.4f", key="alpha_W", help=help_, **_SHARED)
    alpha_H = st.number_input("alpha_H", 0.0, 1000.0, 0.0, 0.001, format="%.4f", key="alpha_H", help=help_, **_SHARED)
    l1 = st.slider("l1_ratio", 0.0, 1.0, 1.0, 0.05, key="l1_ratio", help="1: L1 only (sparse). 0: L2 only.", **_SHARED)
    return float(alpha_W), float(alpha_H), float(l1)


def _solver(dataset: Dataset, loss: str | float, penalised: bool) -> str:
    offered = solvers.available(
        loss=loss, masked=dataset.mask is not None, sparse=is_sparse(dataset.X), penalised=penalised
    )
    names = {"auto": "Automatic: the quickest for these data"} | {s.name: s.label for s in offered}
    helps = "\n".join(f"- **{s.label}**: {s.help}" for s in offered)
    return str(_pick("Solver", list(names), "solver", f"How W and H are found.\n\n{helps}", names))
