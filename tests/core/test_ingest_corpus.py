"""Every file of the corpus gets its answer: the right verdict, the right words, a data set that holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nmf_core.ingest import Reading, Verdict, read
from nmf_core.types import is_sparse
from tests.core.ingest_corpus import CASES, Case
from tests.core.ingest_dirt import CASES as DIRT
from tests.core.ingest_programs import CASES as PROGRAMS
from tests.core.ingest_writers import CASES as WRITERS

CASES = [*CASES, *PROGRAMS, *DIRT, *WRITERS]
ROOT = Path(__file__).parents[2]
ASKED = (
    "from nmf_core.ingest import read; words = 'é à ù ô ê î ç œ ä ö'.split();"
    "print(read('\\n'.join(f'{w},{i},{i + 2}' for i, w in enumerate(words, 1)).encode('cp1252'), 'x.csv', sandbox=False).notes)"
)
LETTER = {"R": Verdict.READ, "N": Verdict.NOTE, "A": Verdict.ASK, "X": Verdict.REFUSE}
#: Read in a child process, as the app does: one of each reader, and the ones that end a process or fill the memory.
IN_CHILD = (
    "T09 decimal comma", "E00 workbook", "E01 far cell", "P02c lying footer", "N02 promises a terabyte", "M01 cut in a number",
    "I01 900 MP", "S05 damaged", "D00 lines", "W00 graphml", "J08 deep", "N06d sparse",
)  # fmt: skip


def said(reading: Reading) -> str:
    """Return the words of a reading that its verdict is about."""
    if reading.message is not None:
        return str(reading.message)
    if reading.verdict is Verdict.ASK:
        return "\n".join(f"{q.text} {[o.label for o in q.options]}" for q in reading.open)
    return "\n".join(note.text for note in reading.notes)


def check(case: Case, reading: Reading) -> None:
    """Assert everything that a reading owes to anybody."""
    assert reading.verdict is LETTER[case.verdict], f"{reading.verdict}: {said(reading)}"
    assert re.search(case.pattern, said(reading)), said(reading)
    if reading.verdict is Verdict.REFUSE:
        assert reading.dataset is None
        assert reading.message is not None
        assert reading.message.code
        assert reading.message.text
        assert "Traceback" not in said(reading)
        assert len(said(reading)) < 600
        return
    assert reading.raw is not None
    if case.rows:
        assert tuple(reading.raw.rows[: len(case.rows)]) == case.rows
    if case.cols:
        assert tuple(reading.raw.cols[: len(case.cols)]) == case.cols
    if case.labels:
        assert tuple(reading.raw.labels) == case.labels
    if case.first:
        X = reading.raw.X[[0]].toarray() if is_sparse(reading.raw.X) else reading.raw.X
        np.testing.assert_allclose(X[0, : len(case.first)], case.first, atol=1e-6)
    if reading.verdict is Verdict.ASK:
        assert reading.dataset is None
        for question in reading.open:
            values = [option.value for option in question.options]
            assert len(values) >= 1
            assert set([question.default] if isinstance(question.default, str) else question.default) <= set(values)
        return
    dataset = reading.dataset
    assert dataset is not None
    if case.shape:
        assert dataset.shape == case.shape
    if case.kind:
        assert dataset.kind == case.kind
    values = dataset.X.data if is_sparse(dataset.X) else dataset.X[~np.isnan(dataset.X)]
    assert np.isfinite(values).all()
    assert values.min(initial=0) >= 0
    assert len(set(dataset.rows)) == dataset.shape[0]
    assert len(set(dataset.cols)) == dataset.shape[1]
    assert dataset.notes == tuple(note.text for note in reading.notes)


def test_the_corpus_is_large_and_its_names_are_unique():
    names = [case.id for case in CASES]
    assert len(set(names)) == len(names) >= 500


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id.replace(" ", "-"))
def test_every_file_gets_its_answer(case):
    check(case, read(case.make(), case.name, dict(case.choices), sandbox=False))


def test_the_same_bytes_get_the_same_answer_in_every_process():
    """Python orders sets of words anew in each process; an answer must not depend on it."""
    told = {
        subprocess.run(
            [sys.executable, "-c", ASKED],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
    assert "Windows-1252" in told.pop()


@pytest.mark.parametrize("name", IN_CHILD)
def test_the_answer_through_a_child_process_is_the_same(name):
    case = next(case for case in CASES if case.id == name)
    here = read(case.make(), case.name, dict(case.choices), sandbox=False)
    there = read(case.make(), case.name, dict(case.choices))
    check(case, there)
    assert there.message == here.message
    assert there.notes == here.notes
    assert there.questions == here.questions
    if here.dataset is not None:
        assert there.dataset is not None
        assert there.dataset.id == here.dataset.id
        assert dict(there.dataset.extra).keys() == dict(here.dataset.extra).keys()


@pytest.mark.parametrize("case", [c for c in CASES if c.verdict == "A"], ids=lambda case: case.id.replace(" ", "-"))
def test_taking_every_default_ends_the_questions(case):
    reading = read(case.make(), case.name, dict(case.choices), sandbox=False)
    for _ in range(4):  # an answer may lead to another question
        if reading.verdict is not Verdict.ASK:
            break
        reading = read(case.make(), case.name, reading.defaults, sandbox=False)
    assert reading.verdict is not Verdict.ASK
    assert reading.open == ()
