"""The result as one HTML file that needs nothing else: numbers, pictures, tables."""

from __future__ import annotations

import base64
import gzip
import html
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nmf_core.components import Parts, feature_axis, top_features, well_known
from nmf_core.figures.base import Picture
from nmf_core.figures.component_bars import ComponentBars
from nmf_core.figures.component_lines import ComponentLines
from nmf_core.figures.component_tiles import ComponentTiles
from nmf_core.figures.drawing import FactorDrawing
from nmf_core.figures.error_curve import ErrorCurve
from nmf_core.figures.errors import SampleErrors
from nmf_core.figures.heatmaps import FeatureHeatmap, SampleHeatmap
from nmf_core.figures.label_counts import LabelCounts
from nmf_core.figures.reconstruction import Reconstruction
from nmf_core.figures.space import ComponentSpace
from nmf_core.figures.text import plain
from nmf_core.quality import cards, compared_label
from nmf_core.types import Dataset, FitResult
from nmf_core.wording import count

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 60  # of a table behind a picture; the CSV files hold the rest

# plotly.js is packed (a third of its size) and unpacked by the browser itself; nothing is fetched from anywhere, which
# the policy in the head makes sure of.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; \
script-src 'unsafe-inline' 'unsafe-eval' blob:; font-src data:">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
:root {{ --ink: #31333f; --paper: #fff; --line: #d5d7de; --soft: #f5f6f8; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #fafafa; --paper: #0e1117; --line: #3a3d46; --soft: #1a1d25; }} }}
@media print {{ :root {{ --ink: #31333f; --paper: #fff; --line: #d5d7de; --soft: #f5f6f8; }} }}
body {{ margin: 0 auto; max-width: 1100px; padding: 24px; background: var(--paper); color: var(--ink);
  font: 16px/1.5 "Source Sans 3", "Source Sans Pro", "Segoe UI", Helvetica, Arial, sans-serif; }}
h1 {{ font-size: 1.9rem; margin: 0 0 4px; }} h2 {{ font-size: 1.3rem; margin: 36px 0 8px; }}
.cards {{ display: flex; flex-wrap: wrap; gap: 12px; padding: 0; margin: 16px 0; }}
.card {{ background: var(--soft); border-radius: 8px; padding: 10px 14px; min-width: 150px; flex: 1 1 150px; }}
.card b {{ display: block; font-size: 1.35rem; }} .card small {{ display: block; opacity: .8; }}
figure {{ margin: 0 0 8px; }} figcaption {{ opacity: .85; font-size: .92rem; }}
.plot {{ width: 100%; overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: .88rem; margin: 8px 0; }}
th, td {{ border-bottom: 1px solid var(--line); padding: 3px 10px; text-align: left; }}
td.n {{ text-align: right; font-variant-numeric: tabular-nums; }}
.wide {{ overflow-x: auto; max-height: 420px; }}
details {{ margin: 4px 0 20px; }} summary {{ cursor: pointer; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{story}</p>
<div class="cards">{cards}</div>
{sections}
<h2>Settings</h2>
{settings}
<noscript><p>The pictures need JavaScript; every number in them is in the tables.</p></noscript>
<script type="application/json" id="figures">{figures}</script>
<script type="text/plain" id="library">{library}</script>
<script>
(async () => {{
  const packed = Uint8Array.from(atob(document.getElementById("library").textContent), c => c.charCodeAt(0));
  const text = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  const script = document.createElement("script");
  script.textContent = text;
  document.head.append(script);
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
  for (const [id, figure] of Object.entries(figures)) {{
    figure.layout.font = {{...(figure.layout.font || {{}}), color: ink}};
    Plotly.newPlot(id, figure.data, figure.layout, {{responsive: true, displaylogo: false}});
  }}
}})();
</script>
</body>
</html>
"""


def html_report(
    dataset: Dataset,
    result: FitResult,
    parts: Parts,
    *,
    rows_are: str = "samples",
    cols_are: str = "features",
    pictures: Sequence[tuple[str, Picture]] | None = None,
) -> str:
    """Return a self-contained HTML page: cards, pictures with alt text and tables, and the settings.

    Parameters
    ----------
    dataset, result, parts
        As shown.
    rows_are, cols_are : str
        Plural nouns for samples and features.
    pictures : sequence of (heading, picture), optional
        Other pictures than the usual ones.

    Returns
    -------
    str
        Below 5 MB for pictures that keep their limit of 1 MB; opens without a network and asks for none.
    """
    chosen = list(pictures) if pictures is not None else usual_pictures(dataset, result, parts, rows_are, cols_are)
    figures: dict[str, Any] = {}
    sections = []
    for i, (heading, picture) in enumerate(chosen):
        figures[f"picture-{i}"] = json.loads(picture.build().to_json())
        alt = html.escape(plain(picture.describe()), quote=True)
        sections.append(
            f"<h2>{html.escape(plain(heading))}</h2>\n<figure>"
            f'<div class="plot" id="picture-{i}" role="img" aria-label="{alt}"></div>'
            f"<figcaption>{alt}</figcaption></figure>\n"
            f"<details><summary>Table</summary>{_table(picture.table())}</details>"
        )
    n, m = dataset.shape
    story = (
        f"{n:,} {html.escape(rows_are)} × {m:,} {html.escape(cols_are)} as sums of "
        f"{count(parts.rank, 'component')}: X ≈ W · H. Each row of H is a component; each row of W says how much of "
        f"each component one of the {html.escape(rows_are)} holds. Scale of W and H: {html.escape(parts.scale)}."
    )
    if parts.visible().rank < parts.rank:
        hidden = ", ".join(plain(name) for name, gone in zip(parts.names, parts.hidden, strict=True) if gone)
        story += f" Hidden from the pictures of components, but part of the model: {html.escape(hidden)}."
    shown = "".join(
        f'<div class="card">{html.escape(name)}<b>{html.escape(value)}</b><small>{html.escape(help_text)}</small></div>'
        for name, value, help_text in cards(dataset, result, parts)
    )
    return _PAGE.format(
        title=html.escape(plain(dataset.name)) or "NMF",
        story=story,
        cards=shown,
        sections="\n".join(sections),
        settings=_settings(dataset, result),
        figures=_inside_script(json.dumps(figures, ensure_ascii=False, separators=(",", ":"))),
        library=_library(),
    )


def usual_pictures(
    dataset: Dataset, result: FitResult, parts: Parts, rows_are: str = "samples", cols_are: str = "features"
) -> list[tuple[str, Picture]]:
    """Return the pictures of a report with their headings, as the kind of data asks for."""
    components: Picture
    if dataset.cell_shape is not None and len(dataset.cell_shape) in (2, 3):
        components = ComponentTiles(dataset, parts)
    elif feature_axis(dataset) is not None:
        components = ComponentLines(dataset, parts)
    else:
        components = ComponentBars(dataset, parts)
    named = compared_label(dataset)
    order = "label" if named else "cluster"
    chosen: list[tuple[str, Picture]] = [
        ("What X, W and H are", FactorDrawing(dataset, parts, rows_are, cols_are)),
        ("The components", components),
        ("W: the recipe of each sample", SampleHeatmap(dataset, parts, order=order, label=named)),
        ("H: the components, feature by feature", FeatureHeatmap(dataset, parts)),
    ]
    if parts.rank > 1:
        chosen.append(("Samples by two components", ComponentSpace(dataset, parts, color=named or "dominant")))
    if named:
        chosen.append(("Labels and dominant components", LabelCounts(dataset, parts, named)))
    chosen += [
        ("The data, the model, and what is left", Reconstruction(dataset, parts)),
        ("Error of each sample", SampleErrors(dataset, parts)),
        ("How the loss fell", ErrorCurve(dataset, result)),
    ]
    return chosen


def top_table(dataset: Dataset, parts: Parts, n: int = 10) -> pd.DataFrame:
    """Return the names of the strongest features, one column per component."""
    import pandas as pd

    picked, _ = top_features(parts, n, among=well_known(dataset, parts.rank))
    frame = pd.DataFrame({str(k): dataset.cols[row] for k, row in enumerate(picked)})
    frame.columns = pd.Index(list(parts.names))
    return frame


def _table(frame: pd.DataFrame) -> str:
    head = "".join(f"<th>{html.escape(plain(column))}</th>" for column in frame.columns)
    rows = frame.head(_ROWS).itertuples(index=False)
    body = [f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows]
    more = f"<p>The first {_ROWS} of {len(frame):,} rows.</p>" if len(frame) > _ROWS else ""
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>{more}'


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f'<td class="n">{value:.6g}</td>'
    return f"<td>{html.escape(plain(value))}</td>"


def _settings(dataset: Dataset, result: FitResult) -> str:
    facts: dict[str, Any] = {
        "data": f"{plain(dataset.name)} ({dataset.shape[0]:,} × {dataset.shape[1]:,}), fingerprint {dataset.id}",
        **{key: value for key, value in result.request.to_json().items() if key != "dataset_id"},
        "stopped because": str(result.stop),
        "solver chosen because": result.solver_reason or "it was asked for",
        **{f"version of {name}": version for name, version in result.versions.items()},
    }
    facts |= {f"preparation {i + 1}": note for i, note in enumerate(dataset.notes)}
    rows = "".join(
        f"<tr><th>{html.escape(plain(key))}</th><td>{html.escape(plain(value))}</td></tr>"
        for key, value in facts.items()
    )
    return f"<table>{rows}</table>"


def _inside_script(text: str) -> str:
    """Return JSON that cannot end its script element or open a comment in it."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e").replace("\u2028", "\\u2028")


@lru_cache(maxsize=1)
def _library() -> str:
    from plotly.offline import get_plotlyjs

    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), 9, mtime=0)).decode("ascii")
