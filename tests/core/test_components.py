"""Scaling, ordering, naming, matching and identity of components."""

import json

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from nmf_core import load_dataset
from nmf_core.components import (
    SCALES,
    Identity,
    carry,
    dominant,
    dominant_feature,
    drop_start,
    feature_axis,
    feature_axis_words,
    match,
    present,
    suggest_names,
    top_features,
    well_known,
)
from nmf_core.types import Dataset, FitRequest, FitResult, Stop, Trace


def result_of(W, H):
    trace = Trace(np.array([2.0, 1.0]), np.array([0.0, 0.1]))
    return FitResult(FitRequest(rank=W.shape[1], solver="hals"), W, H, trace, Stop.CONVERGED, (trace,))


def problem(n=30, m=12, rank=4, seed=0, dtype=np.float64, **more):
    rng = np.random.default_rng(seed)
    W = rng.gamma(0.5, size=(n, rank)) * np.array([1.0, 5.0, 0.2, 2.0, 3.0, 0.7, 1.5][:rank])
    H = rng.gamma(0.5, size=(rank, m))
    X = W @ H + rng.uniform(0, 0.05, (n, m))
    return Dataset.of(X.astype(dtype), **more), result_of(W.astype(dtype), H.astype(dtype))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("magnitude", [1e-150, 1e-6, 1.0, 1e6, 1e150])
def test_scale_leaves_the_product_unchanged(scale, magnitude):
    data, result = problem()
    result = result_of(result.W / magnitude, result.H * magnitude)
    parts = present(data, result, scale)
    product = result.W @ result.H
    assert np.abs(parts.W @ np.diag(parts.weights) @ parts.H - product).max() <= 1e-12 * product.max()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(0, 10_000), st.sampled_from(SCALES))
def test_scale_property_with_zero_rows(rank, seed, scale):
    rng = np.random.default_rng(seed)
    W = rng.random((9, rank)) * (rng.random((9, rank)) > 0.4)
    H = rng.random((rank, 7)) * (rng.random((rank, 7)) > 0.4)
    H[rng.integers(rank)] = 0
    data = Dataset.of(rng.random((9, 7)))
    parts = present(data, result_of(W, H), scale)
    assert np.isfinite(parts.W).all()
    assert np.isfinite(parts.H).all()
    np.testing.assert_allclose(parts.recipe @ parts.H, W @ H, atol=1e-12)


def test_each_scale_is_what_it_says():
    data, result = problem()
    np.testing.assert_allclose(present(data, result, "component sums 1").H.sum(axis=1), 1)
    np.testing.assert_allclose(present(data, result, "max 1").H.max(axis=1), 1)
    np.testing.assert_allclose(np.linalg.norm(present(data, result, "unit L2").H, axis=1), 1)
    both = present(data, result, "W·D·H")
    np.testing.assert_allclose(both.H.sum(axis=1), 1)
    np.testing.assert_allclose(both.W.sum(axis=0), 1)
    np.testing.assert_allclose(both.weights.sum(), (result.W @ result.H).sum())
    with pytest.raises(ValueError, match="as fitted, component sums 1"):
        present(data, result, "none")


def test_order_by_variation_explained_is_the_same_under_every_scale():
    data, result = problem()
    X = data.X
    alone = [1 - np.sum((X - np.outer(result.W[:, k], result.H[k])) ** 2) / np.sum(X**2) for k in range(4)]
    for scale in SCALES:
        parts = present(data, result, scale)
        np.testing.assert_allclose(parts.share, np.sort(alone)[::-1])
        np.testing.assert_array_equal(parts.index, np.argsort(alone)[::-1])
        assert parts.names == ("Part 1", "Part 2", "Part 3", "Part 4")
        assert len(set(parts.colors)) == 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shares_of_sparse_and_missing_cells_agree_with_the_direct_sum(dtype):
    rng = np.random.default_rng(1)
    X = rng.random((20, 9)) * (rng.random((20, 9)) > 0.6)
    X[0] = 1
    W, H = rng.random((20, 3)), rng.random((3, 9))
    result = result_of(W.astype(dtype), H.astype(dtype))

    def direct(cells):
        alone = [1 - np.sum((X - np.outer(W[:, k], H[k]))[cells] ** 2) / np.sum(X[cells] ** 2) for k in range(3)]
        return np.sort(alone)[::-1]

    everywhere = np.ones_like(X, dtype=bool)
    sparse = Dataset.of(sp.csr_array(X.astype(dtype)))
    np.testing.assert_allclose(present(sparse, result).share, direct(everywhere), rtol=1e-4)
    unstored = Dataset.of(sp.csr_array(X.astype(dtype)), mask="unstored")
    np.testing.assert_allclose(present(unstored, result).share, direct(X > 0), rtol=1e-4)
    holes = rng.random(X.shape) < 0.2
    missing = Dataset.of(np.where(holes, np.nan, X).astype(dtype))
    np.testing.assert_allclose(present(missing, result).share, direct(~holes), rtol=1e-4)


def test_dominant_component_does_not_depend_on_the_scale():
    data, result = problem(n=60)
    first = dominant(present(data, result))
    for scale in SCALES[1:]:
        np.testing.assert_array_equal(dominant(present(data, result, scale)), first)
        np.testing.assert_array_equal(
            dominant_feature(present(data, result, scale)), dominant_feature(present(data, result))
        )
    W = result.W.copy()
    W[3] = 0
    assert dominant(present(data, result_of(W, result.H)))[3] == -1


def test_top_features_are_sorted_and_ties_keep_file_order():
    H = np.array([[1.0, 3, 3, 0, 2, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 5, 0, 0, 0, 0, 0, 1, 0, 0]])
    data = Dataset.of(np.ones((2, 12)))
    parts = present(data, result_of(np.array([[2.0, 0.1], [2.0, 0.1]]), H), identity=Identity(order=(0, 1)))
    for n in (2, 4, 12):
        positions, values = top_features(parts, n)
        assert positions.shape == (2, n)
        assert positions[0, :2].tolist() == [1, 2]
        assert positions[1, 0] == 3
        assert (np.diff(values, axis=1) <= 0).all()
    assert top_features(parts, 99)[0].shape == (2, 12)


def test_features_that_may_stand_for_a_component_are_those_of_which_enough_is_known():
    ratings = load_dataset("movielens_small")
    known = ratings.extra["n_ratings"]
    np.testing.assert_array_equal(well_known(ratings, 5), known >= 20)
    assert well_known(load_dataset("iris"), 3) is None
    # Where hardly anything is known, 20 features per component stay all the same: the best known ones.
    small = Dataset.of(sp.csr_array((np.arange(400).reshape(10, 40) % 7 == 0).astype(float)), mask="unstored")
    assert well_known(small, 5).all()
    thin = Dataset.of(np.where(np.arange(60) < np.arange(1, 10)[:, None] * 6, 1.0, np.nan))
    assert well_known(thin, 1).sum() >= 20
    assert well_known(thin, 1)[:20].all()
    H = np.array([[9.0, 1, 8, 2]])
    parts = present(Dataset.of(np.ones((2, 4))), result_of(np.ones((2, 1)), H))
    positions, values = top_features(parts, 3, among=np.array([False, True, True, True]))
    assert positions.tolist() == [[2, 3, 1]]
    assert values.tolist() == [[8.0, 2.0, 1.0]]


def test_distinctive_features_leave_out_what_is_strong_everywhere():
    H = np.array([[5.0, 4, 0], [5.0, 0, 4]])
    parts = present(Dataset.of(np.ones((2, 3))), result_of(np.eye(2), H), identity=Identity(order=(0, 1)))
    assert top_features(parts, 1)[0].ravel().tolist() == [0, 0]
    assert top_features(parts, 1, by="distinctive")[0].ravel().tolist() == [1, 2]


def test_match_finds_a_permutation_and_ignores_scale():
    rng = np.random.default_rng(2)
    H = rng.gamma(0.3, size=(6, 40))
    order = rng.permutation(6)
    found = match(H, H[order] * rng.uniform(1e-3, 1e3, (6, 1)))
    np.testing.assert_array_equal(order[found.b], np.arange(6))
    np.testing.assert_allclose(found.similarity, 1)
    fewer = match(H, H[:2])
    assert fewer.a.tolist() == [0, 1]
    assert fewer.cosine.shape == (6, 2)
    with pytest.raises(ValueError, match="40 and 39 features"):
        match(H, H[:, :-1])


def test_identity_renames_recolours_reorders_and_hides():
    data, result = problem()
    plain = present(data, result)
    third = int(plain.index[2])
    identity = Identity().rename(third, "Stem").recolor(third, "#ABCDEF").reorder((third,)).hide(int(plain.index[0]))
    parts = present(data, result, "max 1", identity)
    assert parts.names[0] == "Stem"
    assert parts.colors[0] == "#abcdef"
    assert parts.index.tolist() == [third, plain.index[0], plain.index[1], plain.index[3]]
    assert parts.hidden.tolist() == [False, True, False, False]
    seen = parts.visible()
    assert seen.rank == 3
    assert seen.index.tolist() == [third, plain.index[1], plain.index[3]]
    assert len(set(parts.names)) == len(set(parts.colors)) == 4
    assert identity.rename(third, " ").names == ()
    assert identity.hide(int(plain.index[0]), False).hidden == ()


def test_merge_keeps_the_totals_of_every_sample_and_feature():
    data, result = problem()
    identity = Identity().merge((0, 2)).merge((2, 3))
    assert identity.merged == ((0, 2, 3),)
    parts = present(data, result, "component sums 1", identity)
    assert sorted(parts.members) == [(0, 2, 3), (1,)]
    WH = result.W @ result.H
    np.testing.assert_allclose((parts.recipe @ parts.H).sum(axis=0), WH.sum(axis=0))
    np.testing.assert_allclose((parts.recipe @ parts.H).sum(axis=1), WH.sum(axis=1))
    assert identity.split(3).merged == ()


def test_drop_leaves_the_others_as_they_are_and_gives_the_start_of_a_refit():
    data, result = problem()
    parts = present(data, result, identity=Identity().drop(1))
    assert sorted(parts.index.tolist()) == [0, 2, 3]
    request, W, H = drop_start(result, (1,))
    assert (request.rank, request.init, request.n_restarts) == (3, "custom", 1)
    np.testing.assert_array_equal(W, result.W[:, [0, 2, 3]])
    np.testing.assert_array_equal(H, result.H[[0, 2, 3]])
    with pytest.raises(ValueError, match="keep at least one"):
        present(data, result, identity=Identity(dropped=(0, 1, 2, 3)))
    with pytest.raises(ValueError, match="keep at least one"):
        drop_start(result, range(4))


def test_identity_survives_json_and_refuses_nonsense():
    identity = Identity(
        names=((2, "a <b>"),), colors=((0, "#123456"),), order=(3, 1), hidden=(1,), merged=((0, 2),), dropped=(3,)
    )
    assert Identity.from_json(json.loads(json.dumps(identity.to_json()))) == identity
    assert Identity.from_json({}) == Identity()
    assert hash(identity) == hash(Identity.from_json(identity.to_json()))
    for wrong, words in [
        ({"colors": {"0": "red"}}, "#rrggbb"),
        ({"names": {"x": "a"}}, "position of a component"),
        ({"order": [-1]}, "position of a component"),
        ({"order": [True]}, "position of a component"),
        ({"merged": [[0, 1], [1, 2]]}, "one group only"),
        ({"merged": [0]}, "list of lists"),
        ({"hidden": "01"}, "must be a list"),
        ({"names": [1]}, "position and text"),
        ({"other": 1}, "unknown field"),
        ([], "named fields"),
    ]:
        with pytest.raises(ValueError, match=words):
            Identity.from_json(wrong)


def test_positions_beyond_the_rank_are_ignored():
    data, result = problem()
    far = Identity(names=((9, "x"),), order=(9, 2), hidden=(8,), merged=((7, 9),), dropped=(11,))
    parts = present(data, result, identity=far)
    assert parts.rank == 4
    assert parts.index[0] == 2
    assert not parts.hidden.any()


def test_names_and_colours_travel_to_a_permuted_rescaled_result():
    data, result = problem()
    identity = Identity().rename(1, "Root").recolor(3, "#111111").reorder((3, 1)).hide(2)
    old = present(data, result, "max 1", identity)
    order = [2, 0, 3, 1]
    other = result_of(result.W[:, order] * 3, result.H[order] / 3)
    carried = carry(identity, old, present(data, other))
    new = present(data, other, "max 1", carried.identity)
    assert new.names == old.names
    assert new.colors == old.colors
    np.testing.assert_array_equal(np.array(order)[new.index], old.index)
    np.testing.assert_array_equal(new.hidden, old.hidden)
    assert min(similarity for *_, similarity in carried.pairs) > 0.999
    assert carried.lost == ()
    assert carried.new == ()


def test_a_new_component_gets_a_name_and_a_colour_nobody_had():
    rng = np.random.default_rng(3)
    H = np.kron(np.eye(4), np.ones((1, 5)))
    W = rng.random((30, 4)) + 0.1
    data = Dataset.of(W @ H)
    old = present(data, result_of(W[:, :3], H[:3]))
    new_result = result_of(W[:, 1:], H[1:])
    carried = carry(Identity(), old, present(data, new_result))
    new = present(data, new_result, identity=carried.identity)
    gone = [name for name, _ in carried.lost]
    assert len(gone) == 1
    assert carried.new == (2,)
    named = dict(zip(new.index.tolist(), zip(new.names, new.colors, strict=True), strict=True))
    assert named[2][0] == "Part 4"
    assert named[2][1] not in old.colors
    before = dict(zip(old.index.tolist(), zip(old.names, old.colors, strict=True), strict=True))
    assert named[0] == before[1]
    assert named[1] == before[2]


def test_merged_components_are_merged_again_when_matched_member_by_member():
    data, result = problem()
    identity = Identity().merge((0, 3)).rename(0, "Both")
    old = present(data, result, identity=identity)
    order = [3, 2, 1, 0]
    other = result_of(result.W[:, order], result.H[order])
    carried = carry(identity, old, present(data, other), old_H=result.H)
    new = present(data, other, identity=carried.identity)
    assert new.rank == 3
    assert sorted(new.members[new.names.index("Both")]) == [0, 3]
    np.testing.assert_allclose(np.sort(new.share), np.sort(old.share))


def test_suggested_names_say_what_sets_a_component_apart():
    cols = ["petal length", "petal width", "sepal length", "everywhere"]
    H = np.array([[4.0, 3, 0, 5], [0, 0, 3, 5]])
    data = Dataset.of(np.ones((2, 4)), cols=cols)
    parts = present(data, result_of(np.eye(2), H), identity=Identity(order=(0, 1)))
    first, second = suggest_names(parts, data)
    assert first.startswith("petal length")
    assert second.startswith("sepal length")
    waves = [f"{w:.1f}" for w in np.linspace(1900, 800, 12)]
    spectra = Dataset.of(np.ones((2, 12)), cols=waves)
    parts = present(spectra, result_of(np.eye(2), np.eye(2, 12)), identity=Identity(order=(0, 1)))
    assert suggest_names(parts, spectra) == ("peak at 1,900", "peak at 1,800")
    assert feature_axis(spectra)[0] == 1900
    assert feature_axis(data) is None
    headless = Dataset.of(np.ones((2, 12)), cols=[str(j) for j in range(12)])
    assert feature_axis(headless) is None
    channels = Dataset.of(np.ones((2, 12)), kind="spectra", cols=[f"channel {2 * j + 1}" for j in range(12)])
    assert feature_axis(channels).tolist() == list(range(1, 25, 2))
    assert feature_axis(Dataset.of(np.ones((2, 12)), kind="spectra", cols=list("abcdefghijkl")))[-1] == 12
    assert feature_axis(load_dataset("indian_pines"))[-1] == 199  # a cube's features are bands of a spectrum
    assert feature_axis_words(channels) == "channel"
    assert feature_axis_words(spectra) == "feature"
    assert feature_axis_words(spectra.with_(extra={"axis": "wavenumber, 1/cm"})) == "wavenumber, 1/cm"
    assert feature_axis_words(channels.with_(cols=np.array(["440 Hz", "880 Hz"]))) == "Hz"
    same = present(data, result_of(np.eye(2), np.ones((2, 4))))
    assert len(set(suggest_names(same, data))) == 2


def test_shapes_that_do_not_belong_together_are_refused():
    data, result = problem()
    with pytest.raises(ValueError, match="do not belong to data of shape"):
        present(data, result_of(result.W[1:], result.H))
