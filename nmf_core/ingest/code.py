"""Preparation as Python code that a person can run, read and change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nmf_core.ingest.steps import Step, step_from_json


def steps_code(steps: Sequence[Step] | Sequence[Mapping[str, Any]], *, sparse: bool = False) -> str:
    """Return Python statements that prepare ``X`` (with ``rows`` and ``cols``) as the steps did.

    Where a step reads or makes labels of the rows, they are a dictionary ``labels`` of arrays.

    Parameters
    ----------
    steps : sequence of Step, or of the mappings in ``dataset.steps``
    sparse : bool
        Write the statements for a SciPy CSR array.
    """
    lines = ["import numpy as np"]
    if sparse:
        lines.append("import scipy.sparse as sp")
    lines.append("")
    if not steps:
        lines.append("# no preparation")
    made = [item if isinstance(item, Step) else step_from_json(item) for item in steps]
    labelled = any(step.NAME in ("keep_rows", "set_aside") for step in made)
    for number, step in enumerate(made, 1):
        options = ", ".join(f"{key}={value!r}" for key, value in step.options().items() if len(repr(value)) < 60)
        lines.append(f"# {number}. {step.LABEL}{f' ({options})' if options else ''}")
        lines.append(step.code(sparse))
        if labelled and step.chooses_rows:
            lines.append("labels = {name: np.asarray(values)[keep] for name, values in labels.items()}")
        elif labelled and step.NAME == "transpose":
            lines.append("labels = {}")
    return "\n".join(lines) + "\n"
