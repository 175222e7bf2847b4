"""A claim says what the numbers say, also when NMF loses."""

from __future__ import annotations

import numpy as np
import pytest

from nmf_core.lenses.text import claims
from nmf_core.lenses.text.claims import FoldInCheck
from nmf_core.lenses.text.clusters import Agreement
from nmf_core.lenses.text.completion import Completion
from nmf_core.lenses.text.prevalence import prevalence
from nmf_core.lenses.text.second_opinion import Opinion
from nmf_core.lenses.text.summary import Race


def opinion(nmf: list[float], lda: list[float]) -> Opinion:
    return Opinion(None, np.array(lda), np.array(nmf), 20)


@pytest.mark.parametrize(
    ("nmf", "lda", "holds", "words"),
    [
        ([0.3, 0.28], [0.1, 0.2], True, "more coherent than LDA's on every seed"),
        ([0.1, 0.2], [0.3, 0.28], False, "Here NMF loses"),
        ([0.1, 0.3], [0.2, 0.15], None, "Too close to call, with NMF ahead"),
        ([], [], None, "nothing to compare"),
    ],
)
def test_topics(nmf: list[float], lda: list[float], holds: bool | None, words: str):
    found = claims.topics_claim(opinion(nmf, lda))
    assert found.holds is holds
    assert words in found.text
    if nmf:
        assert f"{np.mean(nmf):.3f}" in found.text


@pytest.mark.parametrize(
    ("ours", "plain", "holds", "words"),
    [(0.5, 0.2, True, "better than plain words"), (0.2, 0.5, False, "NMF loses"), (0.3, 0.301, None, "equally")],
)
def test_groups(ours: float, plain: float, holds: bool | None, words: str):
    found = claims.clusters_claim(
        Agreement(0.1, 0.2, ours, 90, 3), Agreement(0.1, 0.2, plain, 90, 3), "topics", "party"
    )
    assert found.holds is holds
    assert words in found.text
    assert "close to chance" not in found.text


def test_groups_near_chance_say_so():
    weak = Agreement(-0.0001, 0.1, 0.02, 90, 3)
    text = claims.clusters_claim(weak, weak, "topics", "party").text
    assert "close to chance" in text
    assert "-0.000" not in text


@pytest.mark.parametrize(
    ("nmf", "plain", "holds", "words"),
    [(0.6, 0.6, True, "does as well"), (0.6, 0.7, True, "does better"), (0.3, 0.5, False, "Here NMF loses")],
)
def test_summaries(nmf: float, plain: float, holds: bool, words: str):
    n = np.arange(5)
    race = Race(n, np.full(5, nmf), np.full(5, 0.5), np.full(5, 0.4), np.full(5, plain), 5)
    found = claims.summary_claim(race, 3)
    assert found.holds is holds
    assert words in found.text
    few = Race(n[:2], np.ones(2), np.ones(2), np.ones(2), np.ones(2), 2)
    assert claims.summary_claim(few, 3).holds is None


@pytest.mark.parametrize(("topics", "words", "holds"), [(0.6, 0.4, True), (0.4, 0.6, False), (0.5, 0.5, None)])
def test_fold_in(topics: float, words: float, holds: bool | None):
    found = claims.fold_in_claim(FoldInCheck(50, 0.0012, words, topics, 0.3), "party")
    assert found.holds is holds
    assert "0.12 percentage points" in found.text
    assert claims.fold_in_claim(FoldInCheck(50, 0.0012, np.nan, np.nan, np.nan), None).holds is None


@pytest.mark.parametrize(("topics", "common", "holds"), [(0.8, 0.7, True), (0.6, 0.7, False), (0.7, 0.7, None)])
def test_completion(topics: float, common: float, holds: bool | None):
    assert claims.completion_claim(Completion(10, topics, common, 5)).holds is holds
    assert claims.completion_claim(Completion(0, np.nan, np.nan, 0)).holds is None


@pytest.mark.parametrize(("ours", "theirs", "holds"), [(0.3, 0.2, True), (0.2, 0.3, False), (0.2, 0.201, None)])
def test_weighting(ours: float, theirs: float, holds: bool | None):
    assert claims.weighting_claim(ours, theirs, "TF-IDF", "Counts").holds is holds


def test_prevalence_tells_overlap_from_difference():
    rng = np.random.default_rng(0)
    apart = np.vstack([rng.dirichlet([8, 1], 50), rng.dirichlet([1, 8], 50)])
    same = rng.dirichlet([1, 1], 100)
    codes = np.repeat([0, 1], 50)
    assert "do not overlap" in claims.prevalence_claim(prevalence(apart, codes, ("a", "b")), ("x", "y"), "periods").text
    assert (
        "No difference stands out"
        in claims.prevalence_claim(prevalence(same, codes, ("a", "b")), ("x", "y"), "periods").text
    )
    assert (
        "nothing can be compared"
        in claims.prevalence_claim(prevalence(same, codes * 0, ("a",)), ("x", "y"), "periods").text
    )
