"""Chapter 3: two layers, firing rates, synapses that never change sign."""

from __future__ import annotations

import streamlit as st

from nmf_core import FitRequest, load_dataset
from nmf_core.components import present
from nmf_core.figures.learn_network import Network
from nmf_core.fit import FitWork
from pages.learn_sections.common import question
from pages.ui import jobs
from pages.ui.state import pick, slide, switch
from pages.ui.widgets import md, picture

DATA = {"iris": "Iris", "wine": "Wine", "olive_oils": "Olive oils", "energy_mix": "Energy mix"}


def show() -> None:
    """Draw the chapter."""
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
    picture(Network(dataset, parts, row, flow), key="network")
    rates = parts.recipe[row]
    strongest = int(rates.argmax())
    st.markdown(
        f"For **{md(dataset.rows[row])}** the hidden units fire at {', '.join(f'{r:.3g}' for r in rates)}. What arrives at a "
        "visible unit is the sum over all hidden units: nothing is taken away again."
    )
    if rank > 1:
        question(
            f"q_net_{name}_{rank}_{row}",
            "If the strongest hidden unit fell silent, what would happen to every visible unit?",
            ("it would rise or stay", "it would fall or stay"),
            "it would fall or stay",
            f"{parts.names[strongest]} only adds (rate {rates[strongest]:.3g}); without it nothing can grow.",
        )
