"""The template survives Streamlit, and leaves colours of text and paper to the page."""

import subprocess
import sys
from pathlib import Path

import plotly.io as pio
import pytest

from nmf_core.figures.palette import COMPONENT_COLORS
from nmf_core.figures.template import axis_id, axis_key, figure, grid_domains, inked, note, template

ROOT = Path(__file__).parents[2]


def test_every_figure_carries_the_registered_template():
    made = figure([{"type": "scatter", "y": [1, 2]}], {"height": 200})
    assert "nmf" in pio.templates
    assert made.layout.template.layout.colorway == COMPONENT_COLORS
    assert made.layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert made.layout.paper_bgcolor is None  # nothing fixed on the figure: a page's theme decides
    assert made.layout.font.color is None
    assert template() is template()


def test_no_name_of_a_tick_is_dropped_because_it_leaves_the_figure():
    axes = figure([], {}).layout.template.layout
    assert (axes.xaxis.ticklabeloverflow, axes.yaxis.ticklabeloverflow) == ("allow", "allow")
    assert axes.xaxis.automargin
    # Turned names end at their tick: those of the last columns would otherwise run out of the figure to the right.
    assert all(angle <= 0 for angle in axes.xaxis.autotickangles)


def test_importing_streamlit_does_not_break_it():
    code = (
        "import json, sys\n"
        "from nmf_core.figures.template import figure\n"
        "before = figure([{'type': 'bar', 'y': [1]}], {}).to_json()\n"
        "import streamlit, plotly.io\n"
        "assert plotly.io.templates.default != 'nmf'\n"
        "after = figure([{'type': 'bar', 'y': [1]}], {}).to_json()\n"
        "assert before == after\n"
        "print(json.loads(after)['layout']['template']['layout']['colorway'][0])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "#0072b2"


@pytest.mark.parametrize(("n", "columns"), [(1, 3), (3, 3), (7, 3), (24, 4)])
def test_panels_do_not_overlap_and_stay_inside(n, columns):
    domains = grid_domains(n, columns)
    assert len(domains) == n
    for (x0, x1), (y0, y1) in domains:
        assert 0 <= x0 < x1 <= 1
        assert 0 <= y0 < y1 <= 1
    for i, (xa, ya) in enumerate(domains):
        for xb, yb in domains[i + 1 :]:
            assert xa[1] <= xb[0] + 1e-9 or xb[1] <= xa[0] + 1e-9 or yb[1] <= ya[0] + 1e-9


def test_axes_are_numbered_as_plotly_does():
    assert [axis_id("x", i) for i in range(3)] == ["x", "x2", "x3"]
    assert [axis_key("y", i) for i in range(3)] == ["yaxis", "yaxis2", "yaxis3"]


def test_an_empty_figure_says_why():
    assert note("Nothing here.").layout.annotations[0].text == "Nothing here."


def test_ink_colours_the_text_and_nothing_else():
    made = figure(
        [{"type": "bar", "y": [1]}],
        {"xaxis": {"visible": False}, "yaxis": {"tickfont": {"size": 9}}, "legend": {"y": 1}, "height": 300},
    )
    dark = inked(made, "#eeeeee")
    assert dark.layout.font.color == "#eeeeee"
    assert (dark.layout.yaxis.tickfont.color, dark.layout.yaxis.tickfont.size) == ("#eeeeee", 9)
    assert dark.layout.xaxis.tickfont.color is None
    assert (dark.layout.legend.y, dark.layout.height) == (1, 300)
    assert dark.layout.paper_bgcolor is None
