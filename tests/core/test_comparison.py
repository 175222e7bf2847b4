"""The second opinion: other methods, other solvers, spoiled data, two runs."""

from __future__ import annotations

import numpy as np
import pytest

from nmf_core import Dataset, FitRequest, fit, load_dataset
from nmf_core.comparison.likeness import likeness
from nmf_core.comparison.ranks import RanksWork
from nmf_core.comparison.rivals import RivalsWork, negatives, nmf, offered, running_sum, signs
from nmf_core.comparison.runs import changes, matched
from nmf_core.components import Identity, present
from nmf_core.lenses.images.staged import run


@pytest.fixture(scope="module")
def iris():
    dataset = load_dataset("iris")
    return dataset, fit(dataset, rank=3)


def test_svd_has_the_smallest_error_and_nmf_reaches_it_at_rank_2():
    dataset = load_dataset("iris")
    (svd,) = run(RivalsWork(dataset.id, rank=2, names=("SVD",)), dataset)
    own = nmf(dataset, fit(dataset, rank=2, max_iter=2000, tol=1e-9))
    assert (svd.error * np.linalg.norm(dataset.X)) ** 2 == pytest.approx(15.530613, rel=1e-6)
    assert own.error == pytest.approx(svd.error, rel=1e-6)


def test_only_methods_without_minus_signs_have_no_negative_entries(iris):
    dataset, result = iris
    pca, vq, ica = run(RivalsWork(dataset.id, rank=3, names=("PCA", "VQ", "ICA")), dataset)
    assert negatives(nmf(dataset, result)) == 0
    assert negatives(vq) == 0
    assert negatives(pca) > 0.2
    assert negatives(ica) > 0.2
    np.testing.assert_array_equal((vq.codes > 0).sum(axis=1), 1)


def test_a_running_sum_ends_at_the_reconstruction(iris):
    dataset, _ = iris
    (pca,) = run(RivalsWork(dataset.id, rank=3, names=("PCA",)), dataset)
    order, pieces = running_sum(pca, 17)
    assert sorted(order) == [0, 1, 2]
    np.testing.assert_allclose(pca.offset + pieces.sum(axis=0), pca.rebuilt(17), atol=1e-12)
    sizes = np.abs(pieces).sum(axis=1)
    assert (np.diff(sizes) <= 0).all()


def test_lda_is_for_counts_alone():
    counts = Dataset.of(np.random.default_rng(0).poisson(3, (20, 8)).astype(float))
    assert "LDA" in offered(counts)
    assert "LDA" not in offered(load_dataset("iris"))
    (lda,) = run(RivalsWork(counts.id, rank=2, names=("LDA",)), counts)
    np.testing.assert_allclose(lda.parts.sum(axis=1), 1)
    np.testing.assert_allclose(lda.codes.sum(axis=1), counts.X.sum(axis=1))


def test_an_unknown_method_gets_a_sentence():
    dataset = load_dataset("iris")
    with pytest.raises(ValueError, match="unknown method 'TSNE'"):
        run(RivalsWork(dataset.id, names=("TSNE",)), dataset)


def test_changes_name_the_settings_that_differ():
    a = FitRequest("d", rank=3, seed=1)
    assert changes(a, a.with_(rank=4, solver="mu")) == [("rank", 3, 4), ("solver", "auto", "mu")]
    assert changes(a, a) == []


def test_runs_are_matched_and_the_extra_part_has_no_counterpart(iris):
    dataset, result = iris
    three = present(dataset, result, "component sums 1")
    two = present(dataset, fit(dataset, rank=2), "component sums 1")
    table = matched(three, two, dataset.cols)
    assert len(table) == 3
    assert table["cosine"].isna().sum() == 1
    assert table.iloc[-1]["second"] == ""
    same = matched(three, three, dataset.cols)
    np.testing.assert_allclose(same["cosine"], 1)
    assert (same["first"] == same["second"]).all()


def test_axes_that_hold_nothing_are_left_out():
    dataset = load_dataset("swimmer")
    svd, pca, ica = run(RivalsWork(dataset.id, rank=17, names=("SVD", "PCA", "ICA")), dataset)
    true_rank = np.linalg.matrix_rank(dataset.X)
    centred = np.linalg.matrix_rank(dataset.X - dataset.X.mean(axis=0))
    assert (len(svd.parts), len(pca.parts), len(ica.parts)) == (true_rank, centred, centred)
    assert svd.error == pca.error == 0
    assert ica.error < 1e-6
    assert negatives(ica) > 0.1


def test_unknown_cells_count_in_nobodys_error():
    dataset = load_dataset("energy_mix")
    (pca,) = run(RivalsWork(dataset.id, rank=2, names=("PCA",)), dataset)
    known = ~dataset.mask
    model = pca.offset + pca.codes @ pca.parts
    expected = np.linalg.norm((dataset.X - model)[known]) / np.linalg.norm(dataset.X[known])
    assert pca.error == pytest.approx(expected, rel=1e-9)
    result = fit(dataset, rank=2)
    own = np.linalg.norm((dataset.X - result.W @ result.H)[known]) / np.linalg.norm(dataset.X[known])
    assert nmf(dataset, result).error == pytest.approx(own, rel=1e-9)


def test_errors_at_every_rank_are_those_of_the_methods_themselves():
    dataset = load_dataset("wine")
    work = RanksWork(dataset.id, ranks=(2, 3), names=("NMF", "SVD", "PCA", "VQ", "ICA"))
    table = run(work, dataset).set_index(["method", "rank"])["relative error"]
    for rank in (2, 3):
        svd, pca, vq, ica = run(RivalsWork(dataset.id, rank=rank, names=("SVD", "PCA", "VQ", "ICA")), dataset)
        for method in (svd, pca, vq, ica):
            assert table[method.name, rank] == pytest.approx(method.error, rel=1e-6)
        assert table["NMF", rank] >= table["SVD", rank]
        own = nmf(dataset, fit(dataset, rank=rank, max_iter=300, tol=1e-5))
        assert table["NMF", rank] == pytest.approx(own.error, rel=1e-6)


def test_a_component_is_like_a_part_whatever_its_sign_and_scale():
    parts = np.eye(4)[:3] + 0.05
    components = np.stack([-7 * parts[2], [0.5, 0.5, 0.5, 2.0], parts[0]])
    found = likeness(parts, components)
    assert found.partner.tolist() == [2, -1, 0]
    assert found.cosine[[0, 2]] == pytest.approx(1)


def test_nmf_is_compared_as_the_visitor_ordered_it(iris):
    dataset, result = iris
    parts = present(dataset, result, identity=Identity(order=(2, 0, 1)))
    method = nmf(dataset, parts)
    np.testing.assert_array_equal(method.parts, result.H[[2, 0, 1]])
    assert method.error == pytest.approx(nmf(dataset, result).error)
    assert signs(method) == (0, 0)
