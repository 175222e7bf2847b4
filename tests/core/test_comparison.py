"""The second opinion: other methods, other solvers, spoiled data, two runs."""

from __future__ import annotations

import numpy as np
import pytest

from nmf_core import Dataset, FitRequest, fit, load_dataset
from nmf_core.comparison.likeness import likeness
from nmf_core.comparison.ranks import RanksWork
from nmf_core.comparison.rivals import RivalsWork, negatives, nmf, offered, running_sum, signs
from nmf_core.comparison.runs import changes, data_changes, matched, pair, same_main_part, told_apart
from nmf_core.components import Identity, present
from nmf_core.staged import run


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


def test_pins_of_one_title_say_what_they_differ_in(iris):
    dataset, _ = iris
    request = FitRequest(dataset.id, rank=2)
    cut = Dataset.of(np.array(dataset.X[:100]), dataset.name, cols=dataset.cols)
    told = told_apart(
        ["a", "a", "b", "a", "a"],
        [dataset, dataset, dataset, cut, dataset],
        [request, request.with_(max_iter=50, alpha_H=0.5), request, request.with_(dataset_id=cut.id), request],
    )
    assert len(set(told)) == 5
    assert told[2] == "b"
    assert "iterations at most 50" in told[1]
    assert "penalty on H 0.5" in told[1]
    assert "100 × 4" in told[3]
    assert told[4] == f"{told[0]} (2)"


def test_runs_are_matched_and_the_extra_part_has_no_counterpart(iris):
    dataset, result = iris
    three = present(dataset, result, "component sums 1")
    two = present(dataset, fit(dataset, rank=2), "component sums 1")
    table = matched(pair(three, dataset.cols, two, dataset.cols))
    assert len(table) == 3
    assert table["cosine"].isna().sum() == 1
    assert table.iloc[-1]["second"] == ""
    same = pair(three, dataset.cols, three, dataset.cols)
    np.testing.assert_allclose(matched(same)["cosine"], 1)
    assert (matched(same)["first"] == matched(same)["second"]).all()
    assert same_main_part(same) == 1


def test_prepared_data_are_compared_on_the_features_both_have(iris):
    dataset, result = iris
    fewer = Dataset.of(dataset.X[:, [3, 0, 2]], cols=dataset.cols[[3, 0, 2]], rows=dataset.rows, name="three of Iris")
    other = present(fewer, fit(fewer, rank=3))
    found = pair(present(dataset, result), dataset.cols, other, fewer.cols)
    assert found.cols.tolist() == fewer.cols.tolist()
    assert found.left_out == (1, 0)
    np.testing.assert_allclose(found.a.H.sum(axis=1), 1)
    first = result.H[found.a.index][:, [3, 0, 2]]
    np.testing.assert_allclose(found.a.H, first / first.sum(axis=1, keepdims=True))
    assert data_changes(dataset, fewer)[:2] == [
        ("data", "Iris", "three of Iris"),
        ("rows × columns", "150 × 4", "150 × 3"),
    ]
    assert data_changes(dataset, dataset) == []
    scaled = fewer.with_(steps=({"step": "scale", "by": "max", "learned": [1, 2]},))
    steps = data_changes(dataset, scaled)[-1]
    assert steps == ("preparation", "none", "scale (by max)")


def test_results_without_common_features_are_not_compared(iris):
    dataset, result = iris
    wine = load_dataset("wine")
    assert pair(present(dataset, result), dataset.cols, present(wine, fit(wine, rank=3)), wine.cols) is None
    twice = np.array(["a", "a", "b", "c"])
    parts = present(dataset, result)
    assert pair(parts, dataset.cols, parts, twice) is None
    assert pair(parts, twice, parts, twice) is not None


def test_the_main_part_is_followed_through_the_matching(iris):
    dataset, result = iris
    one = present(dataset, result)
    turned = present(dataset, result, identity=Identity(order=(0, 1, 2)))
    assert one.index.tolist() != turned.index.tolist()
    assert same_main_part(pair(one, dataset.cols, turned, dataset.cols)) == 1
    two = present(dataset, fit(dataset, rank=2))
    share = same_main_part(pair(one, dataset.cols, two, dataset.cols))
    assert 0 < share < 1
    short = Dataset.of(dataset.X[:40], cols=dataset.cols)
    assert same_main_part(pair(one, dataset.cols, present(short, fit(short, rank=2)), short.cols)) is None


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
