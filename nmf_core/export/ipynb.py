"""The analysis as a Jupyter notebook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nmf_core.components import Identity
from nmf_core.export.python_code import sections
from nmf_core.types import Dataset, FitResult

_FIGURES = """from nmf_core.figures.component_bars import ComponentBars
from nmf_core.figures.error_curve import ErrorCurve
from nmf_core.figures.heatmaps import SampleHeatmap

ComponentBars(dataset, parts).build().show()
SampleHeatmap(dataset, parts).build().show()
ErrorCurve(dataset, result).build().show()"""


def notebook(
    dataset: Dataset,
    result: FitResult,
    *,
    source: Mapping[str, Any] | None = None,
    scale: str = "as fitted",
    identity: Identity | None = None,
) -> str:
    """Return a notebook (nbformat 4.5, JSON) that repeats the analysis and draws its main pictures.

    Parameters are those of `nmf_core.export.python_code.python_script`.
    """
    title = " ".join(dataset.name.split()).replace("\\", "\\\\")
    for mark in "`*_{}[]<>#|!":
        title = title.replace(mark, "\\" + mark)
    n, m = dataset.shape
    cells = [
        _markdown(f"# {title}\n\n{n:,} samples × {m:,} features in {result.request.rank} components: X ≈ W · H.", 0)
    ]
    for heading, code in sections(dataset, result, source=source, scale=scale, identity=identity):
        cells += [_markdown(f"## {heading}", len(cells)), _code(code, len(cells) + 1)]
    cells += [_markdown("## Pictures", len(cells)), _code(_FIGURES, len(cells) + 1)]
    book = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(book, ensure_ascii=False, indent=1) + "\n"


def _markdown(text: str, number: int) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": f"cell-{number}", "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(text: str, number: int) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": f"cell-{number}",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": text.splitlines(keepends=True),
    }
