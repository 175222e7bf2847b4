"""SECURITY.md names tests; a table whose tests are gone would be worse than none."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.core.ingest_corpus import CASES
from tests.core.ingest_dirt import CASES as DIRT
from tests.core.ingest_programs import CASES as PROGRAMS

ROOT = Path(__file__).parents[2]
PAPER = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
ROWS = [line for line in PAPER.splitlines() if re.match(r"\| \d+\.\d+\.\d+ ", line)]
NAMED = sorted(set(re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAPER)))
FILES = sorted(set(re.findall(r"`(test_\w+\.py)`", PAPER)))


def names_in(file: str) -> set[str]:
    """Return the names of the tests in a file, wherever it lies."""
    found = list((ROOT / "tests").rglob(file))
    assert len(found) == 1, f"{file}: {len(found)} files of this name"
    return {node.name for node in ast.walk(ast.parse(found[0].read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[f"{file}-{test}" for file, test in NAMED])
def test_every_test_that_the_paper_names_exists(file, test):
    assert test in names_in(file)


@pytest.mark.parametrize("file", FILES)
def test_every_file_of_tests_that_the_paper_names_exists(file):
    assert any(name.startswith("test_") for name in names_in(file))


@pytest.mark.parametrize("row", ROWS, ids=[row.split()[1] for row in ROWS])
def test_every_requirement_is_met_by_something_and_held_by_a_test(row):
    cells = [cell.strip() for cell in re.split(r"(?<!\\\\)\|", row.strip("| "))]
    assert len(cells) == 3
    assert len(cells[1]) > 20
    assert "`test_" in cells[2]


def test_every_file_of_the_corpus_that_the_paper_names_exists():
    ids = {case.id.split()[0] for case in (*CASES, *PROGRAMS, *DIRT)}
    named = [name for group in re.findall(r"`test_ingest_corpus\.py` \(([^)]*)\)", PAPER) for name in group.split(", ")]
    assert len(named) > 5
    for name in named:
        assert any(known.startswith(name.rstrip("*")) if name.endswith("*") else known == name for known in ids), name


def test_the_paper_covers_the_level_two_requirements_of_the_chapter():
    covered = {row.split()[1] for row in ROWS}
    assert covered >= {"5.1.1", "5.2.1", "5.2.2", "5.2.3", "5.2.4", "5.3.1", "5.3.2", "5.4.1", "5.4.2", "5.4.3"}
