"""Names from files are shown, never obeyed."""

import ast
import html
import re
from pathlib import Path

import plotly
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmf_core.figures.text import label, labels, plain, shorten
from nmf_core.wording import count, number, percent


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=120))
def test_no_markup_and_no_control_characters_get_through(text):
    shown = label(text)
    assert shown
    assert "<" not in shown
    assert ">" not in shown
    assert '"' not in shown
    assert "%{" not in shown
    assert not (shown.startswith("$") and shown.endswith("$"))
    assert all(ord(c) >= 32 and not 0x7F <= ord(c) < 0xA0 for c in shown)
    assert len(html.unescape(shown)) <= 64


@pytest.fixture(scope="module")
def decoded():
    """Return what Plotly's own script makes of a text: its table of entities is read out of the installed file."""
    script = (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
    table = re.search(r"\{(mu:[^{}]*amp:[^{}]*)\}", script)[1]
    named = {key: ast.literal_eval(value) for key, value in re.findall(r'(\w+):("[^"]*")', table)}
    assert "lt" in named
    assert r"/&(#\d+|#x[\da-fA-F]+|[a-z]+);/g" in script

    def decode(text):
        def one(found):
            name = found[1]
            if name.startswith("#"):
                return chr(int(name[2:], 16) if name[1] == "x" else int(name[1:]))
            return named.get(name, found[0])

        return re.sub(r"&(#\d+|#x[\da-fA-F]+|[a-z]+);", one, text)

    return decode


@pytest.mark.parametrize(
    "text",
    ['"Great Performances" Cats', "Schindler's List", "a < b & c > d", "&quot;", "&#34;", "&nbsp;&amp;", "'\"'", "R&D"],
)
def test_plotly_shows_a_name_as_it_stands_in_the_file(decoded, text):
    assert decoded(label(text)) == text


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=50))
def test_plotly_shows_any_name(decoded, text):
    assert decoded(label(text, 0)).replace("\u2060", "") == (plain(text) or "(no name)")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("petal length (cm)", "petal length (cm)"),
        ("<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
        ("a & b", "a &amp; b"),
        ("", "(no name)"),
        (" \n\t", "(no name)"),
        (3.5, "3.5"),
        ("line\nbreak", "line break"),
        ("\u202egnp.exe", "gnp.exe"),
        ("grün ß 漢字", "grün ß 漢字"),
    ],
)
def test_label(text, shown):
    assert label(text) == shown


def test_the_middle_is_cut_out_of_long_names():
    long = "concentration of petal length measured in cm"
    assert len(shorten(long, 20)) <= 20
    assert shorten(long, 20).startswith("concentr")
    assert shorten(long, 20).endswith("cm")
    assert label(long, 0) == long
    pair = [f"{'x' * 40} sample {i}" for i in (1, 2)]
    assert len(set(labels(pair, 30))) == 2
    assert plain("a\u200bb") == "a b"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (15.530613, "15.53"),
        (0.0421234, "0.04212"),
        (1234.5, "1,234"),
        (0, "0"),
        (3.2e-9, "3.20e-09"),
        (float("nan"), "not defined"),
    ],
)
def test_number(value, shown):
    assert number(value) == shown


def test_percentages_are_written_in_one_way():
    root = Path(__file__).parents[2]
    folders = ("pages/explore_sections", "pages/image_sections", "pages/text_sections", "pages/ui", "nmf_core/lenses")
    files = [file for folder in folders for file in (root / folder).rglob("*.py")]
    assert len(files) > 40
    for file in files:
        assert re.findall(r"\{[^{}]*:\.\d%\}", file.read_text(encoding="utf-8")) == [], file


def test_percent_and_count():
    assert percent(0.9984) == "99.8 %"
    assert percent(0.99999) == "99.999 %"
    assert percent(0.0412) == "4.12 %"
    assert percent(1.0) == "100.0 %"
    assert [percent(v, 2) for v in (0.4312, 0.0431, 1.0, 0.0)] == ["43 %", "4.3 %", "100 %", "0 %"]
    assert percent(0.43217, 4) == "43.22 %"
    assert percent(float("nan")) == "not defined"
    assert count(1, "sample") == "1 sample"
    assert count(1500, "sample") == "1,500 samples"
