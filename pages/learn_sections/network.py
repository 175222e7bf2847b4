"""Chapter 3: two layers, firing rates, synapses that never change sign."""

from __future__ import annotations

import streamlit as st

from nmf_core import FitRequest, load_dataset
from nmf_core.components import present
from nmf_core.figures.learn_network import Network
from nmf_core.fit import FitWork
from pages.learn_sections.common import Section, draw, question
from pages.ui import jobs
from pages.ui.state import pick, slide, switch
from pages.ui.widgets import md

DATA = {"iris": "Iris", "wine": "Wine", "olive_oils": "Olive oils", "energy_mix": "Energy mix"}


def show() -> None:
    """Draw the section."""
    st.markdown(
        "Read **X ≈ W · H** as a network: each component is a **hidden unit** that fires at a rate (its entry in W) and drives "
        "the **visible units** below through synapses (its row of H). Rates cannot be negative and a synapse never turns "
        "from exciting to inhibiting, which is why a hidden unit comes to stand for a *part* (Lee & Seung 1999)."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = pick("Data", list(DATA), "net_data", names=DATA)
        dataset = load_dataset(name)
        rank = slide("Hidden units", 1, min(6, dataset.max_rank), "net_rank", 3)
        row = pick("Sample", range(dataset.shape[0]), "net_row", names=lambda i: str(dataset.rows[i]))
        flow = switch("Activity that arrives", "flow", True, help="Width is rate × weight; off: the weight alone.")
    work = FitWork(FitRequest(dataset.id, rank=rank))
    result = jobs.run(work, dataset, label=f"Factorizing {dataset.name}", key="net_fit")
    if result is None:
        return
    parts = present(dataset, result, "max 1")
    picture = Network(dataset, parts, row, flow)
    draw(picture, "network")
    rates = parts.recipe[row]
    st.markdown(
        f"For **{md(dataset.rows[row])}** the hidden units fire at {', '.join(f'{r:.3g}' for r in rates)}. Below each visible "
        "unit stands what arrives there, the sum over all hidden units, and in brackets what was measured: nothing is taken "
        "away again on the way."
    )
    if rank > 1:
        strongest = int(rates.argmax())
        shown = picture.shown()[2]
        lost = rates[strongest] * parts.H[strongest, shown]
        most = int(lost.argmax())
        names = [str(dataset.cols[j]) for j in shown[:6]]
        if str(dataset.cols[shown[most]]) not in names:
            names[-1] = str(dataset.cols[shown[most]])
        question(
            "q_net",
            f"{name}_{rank}_{row}",
            f"If {parts.names[strongest]} fell silent, which visible unit would fall most?",
            tuple(names),
            str(dataset.cols[shown[most]]),
            f"It would lose {rates[strongest]:.3g} × {parts.H[strongest, shown[most]]:.3g} = {lost[most]:.3g}. None would rise: "
            "no synapse is negative.",
        )


SECTIONS = {"network": Section("Hidden units that only excite", show)}
