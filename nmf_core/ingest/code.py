"""Preparation as Python code that a person can run, read and change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nmf_core.ingest.steps import Step, step_from_json


def steps_code(steps: Sequence[Step] | Sequence[Mapping[str, Any]], *, sparse: bool = False) -> str:
    """Return Python statements that prepare ``X`` (with ``rows`` and ``cols``) as the steps did.

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
    for number, item in enumerate(steps, 1):
        step: Step = item if isinstance(item, Step) else step_from_json(item)  # type: ignore[arg-type]
        options = ", ".join(f"{key}={value!r}" for key, value in step.options().items() if len(repr(value)) < 60)
        lines.append(f"# {number}. {step.LABEL}{f' ({options})' if options else ''}")
        lines.append(step.code(sparse))
    return "\n".join(lines) + "\n"
