"""What may never be in the code, and what a file's names may never do."""

from __future__ import annotations

import ast
import csv
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nmf_core.figures.ingest_matrix import DataHeatmap, MissingMap
from nmf_core.figures.ingest_spectrum import SingularValues
from nmf_core.figures.ingest_values import BeforeAfter, ColumnDistributions
from nmf_core.ingest import Verdict, read
from nmf_core.ingest.names import file_name, title

ROOT = Path(__file__).parents[2]
SOURCES = [
    *sorted(p for folder in ("nmf_core", "pages", "datasets") for p in (ROOT / folder).rglob("*.py")),
    ROOT / "app.py",
]
NASTY = (
    "<img src=x onerror=alert(1)>", "![](http://evil.example/x)", "[x](http://evil.example)", "$\\frac{1}{2}$", ":red[x]", "=cmd|'/C'!A0",
    "+1", "-1+1", "@SUM(A1)", "a\u202eb", "%{x}", "<a href='http://evil.example'>x</a>", "x" * 10_000, "\t=1", "#N/A", "null", "a\x0bb",
)  # fmt: skip


def calls(tree: ast.AST) -> list[ast.Call]:
    """Return every call in a module."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_code_opens_what_can_run_code(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and not node.level
    }
    assert not imported & {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "requests", "httpx"}
    for call in calls(tree):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        assert name not in ("eval", "read_pickle", "to_pickle", "exec") or (name == "exec" and "learn" in path.parts)
        assert name not in ("urlopen", "urlretrieve")
        allowed = given.get("allow_pickle")
        assert allowed is None or (isinstance(allowed, ast.Constant) and allowed.value is False)
        assert "unsafe_allow_html" not in given
        assert "persist" not in given
        assert not (isinstance(given.get("shell"), ast.Constant) and given["shell"].value)


def test_readers_that_take_addresses_are_never_given_a_name():
    for path in (ROOT / "nmf_core" / "ingest").rglob("*.py"):
        text = path.read_text()
        assert not re.search(
            r"pd\.read_\w+\(|np\.(loadtxt|genfromtxt|fromfile)\(|open\((?!node|info|self)\s*name", text
        ), path


def nasty_table() -> bytes:
    """Return a table whose names act wherever they are not escaped."""
    buffer = io.StringIO()
    X = np.random.default_rng(0).random((len(NASTY), len(NASTY))) + 0.1
    pd.DataFrame(X, index=[f"{n}r" for n in NASTY], columns=[f"{n}c" for n in NASTY]).to_csv(buffer)
    return buffer.getvalue().encode()


def test_names_are_kept_as_text_and_cut_to_a_length():
    reading = read(nasty_table(), "x.csv", sandbox=False)
    assert reading.verdict is Verdict.NOTE
    assert reading.dataset.cols[0] == "<img src=x onerror=alert(1)>c"
    assert max(map(len, reading.dataset.cols)) <= 200
    assert reading.dataset.cols.nbytes < 1_000_000


@pytest.mark.parametrize("kind", ["heatmap", "missing", "columns", "before"])
def test_no_name_is_markup_in_a_figure(kind):
    dataset = read(nasty_table(), "x.csv", sandbox=False).dataset
    X = dataset.X.copy()
    X[0, 0] = np.nan
    figure = {
        "heatmap": lambda: DataHeatmap(X, dataset.rows, dataset.cols, title=NASTY[0]),
        "missing": lambda: MissingMap(X, dataset.rows, dataset.cols),
        "columns": lambda: ColumnDistributions(X, dataset.cols),
        "before": lambda: BeforeAfter(X, X, title=NASTY[0]),
    }[kind]()
    drawn = figure.build().to_json()
    assert "<img" not in drawn
    assert "<a href" not in drawn
    assert "\u202e" not in drawn
    assert len(drawn) < 1_000_000
    assert figure.describe()
    assert len(figure.table())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"), ("C:\\data\\x.csv", "x"), ("a\0b.csv", "ab"), ("x" * 300 + ".csv", "x" * 80), ("CON", "CON"),
        ("📈.csv", "📈"), ("", "data"), ("...", "data"), ("\u202etxt.csv", "txt"), (".csv", ".csv"), ("a/b/", "b"), ("x.csv.gz", "x"),
    ],
)  # fmt: skip
def test_a_files_name_becomes_a_title_and_never_a_path(name, shown):
    assert title(name) == shown
    assert "/" not in file_name(name)
    assert "\\" not in file_name(name)
    assert len(file_name(name)) <= 120


def test_a_figure_shows_the_values_it_is_given():
    X = np.random.default_rng(0).random((7, 5))
    rows, cols = np.array(list("abcdefg")), np.array(list("uvwxy"))
    np.testing.assert_allclose(DataHeatmap(X, rows, cols).build().data[0].z, X, rtol=1e-6)
    assert "7 rows by 5 columns" in DataHeatmap(X, rows, cols).describe()
    boxes = ColumnDistributions(X, cols).build().data[0]
    np.testing.assert_allclose(boxes.median, np.median(X, axis=0))
    frame = BeforeAfter(X, X * 2).table()
    assert frame.groupby("side")["cells"].sum().to_dict() == {"after": 35, "before": 35}
    values = SingularValues(np.array([3.0, 1.0]), 10.0, 1)
    assert values.table()["cumulative share"].tolist() == [0.9, 1.0]
    assert "90.0 %" in values.describe()


def test_large_matrices_are_averaged_and_say_so():
    X = np.arange(2000.0 * 1000).reshape(2000, 1000)
    picture = DataHeatmap(X, np.arange(2000).astype(str), np.arange(1000).astype(str))
    drawn = picture.build()
    assert drawn.data[0].z.shape == (300, 300)
    assert "2,000 × 1,000 cells as 300 × 300 averages" in drawn.layout.title.text
    assert drawn.data[0].z.mean() == pytest.approx(X.mean(), rel=0.01)
    assert len(drawn.to_json()) < 1_000_000


def test_tables_that_leave_come_back_with_the_same_values():
    """CSV export makes formulas in text harmless; our reader finds the same numbers again."""
    from nmf_core.export import tables

    dataset = read(nasty_table(), "x.csv", sandbox=False).dataset
    text = tables.matrix_csv(dataset.X, dataset.rows, dataset.cols)
    assert all(cell[:1] not in ("=", "+", "-", "@", "\t") for row in csv.reader(io.StringIO(text)) for cell in row)
    again = read(text.encode(), "x.csv", sandbox=False).dataset
    np.testing.assert_array_equal(again.X, dataset.X)
    plain = [str(name).split()[0] for name in dataset.cols]
    assert [str(name).split()[0] for name in again.cols] == plain
    assert again.cols[5] == "=cmd|'/C'!A0c"
