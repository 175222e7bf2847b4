"""Orders are permutations that do what their words say."""

import numpy as np
import pytest

from nmf_core.components import dominant, dominant_feature, present_matrices
from nmf_core.figures.groups import groups_of
from nmf_core.figures.ordering import FEATURE_ORDERS, SAMPLE_ORDERS, label_codes, order_features, order_samples
from nmf_core.types import Dataset


def problem(n=40, m=15, rank=3, **more):
    rng = np.random.default_rng(0)
    W, H = rng.gamma(0.4, size=(n, rank)), rng.gamma(0.4, size=(rank, m))
    data = Dataset.of(W @ H + 0.01, labels={"group": rng.choice(["b", "a", "c"], n)}, **more)
    return data, present_matrices(data, W, H)


@pytest.mark.parametrize("by", SAMPLE_ORDERS)
def test_sample_orders_are_permutations(by):
    data, parts = problem()
    found = order_samples(data, parts, by)
    at = np.arange(40) if found.order is None else found.order
    assert sorted(at) == list(range(40))
    if by == "label":
        assert (np.diff(np.searchsorted(["a", "b", "c"], data.labels["group"][at])) >= 0).all()
    if by == "dominant":
        top = dominant(parts)[at]
        assert (np.diff(top) >= 0).all()
        purity = (parts.amounts.max(axis=1) / parts.amounts.sum(axis=1))[at]
        for k in range(3):
            assert (np.diff(purity[top == k]) <= 1e-12).all()


@pytest.mark.parametrize("by", FEATURE_ORDERS)
def test_feature_orders_are_permutations(by):
    data, parts = problem(cols=[f"{chr(122 - j)}" for j in range(15)])
    found = order_features(data, parts, by)
    at = np.arange(15) if found.order is None else found.order
    assert sorted(at) == list(range(15))
    if by == "name":
        assert data.cols[at].tolist() == sorted(data.cols.tolist())
    if by == "dominant":
        assert (np.diff(dominant_feature(parts)[at]) >= 0).all()


def test_similar_rows_stand_together_in_the_tree_order():
    W = np.tile(np.eye(3), (10, 1)) + 0.01
    data = Dataset.of(W @ np.eye(3))
    found = order_samples(data, present_matrices(data, W, np.eye(3)), "cluster").order
    assert (np.diff(found % 3) != 0).sum() == 2


def test_beyond_the_limit_the_tree_is_replaced_and_the_words_say_so(monkeypatch):
    monkeypatch.setattr("nmf_core.figures.ordering.CLUSTER_LIMIT", 20)
    data, parts = problem()
    found = order_samples(data, parts, "cluster")
    assert "up to 20 only" in found.words
    np.testing.assert_array_equal(found.order, order_samples(data, parts, "dominant").order)


def test_unknown_orders_and_labels():
    data, parts = problem()
    with pytest.raises(ValueError, match="file, label, dominant, cluster"):
        order_samples(data, parts, "size")
    with pytest.raises(ValueError, match="file, name, dominant, cluster"):
        order_features(data, parts, "size")
    plain = data.with_(labels={})
    assert order_samples(plain, parts, "label").order is None
    by_first = order_samples(data, parts, "label", "absent").order
    np.testing.assert_array_equal(by_first, order_samples(data, parts, "label", "group").order)


@pytest.mark.parametrize(
    ("values", "codes", "names"),
    [
        (["b", "a", "", "b"], [1, 0, 2, 1], ["a", "b", "(none)"]),
        ([10, 9, 10, 2], [2, 1, 2, 0], ["2", "9", "10"]),
        ([1.5, np.nan, 0.5], [1, 2, 0], ["0.5", "1.5", "(none)"]),
        (np.array([None, "x", np.nan], dtype=object), [1, 0, 1], ["x", "(none)"]),
        ([True, False], [1, 0], ["False", "True"]),
    ],
)
def test_label_codes(values, codes, names):
    found, shown = label_codes(np.asarray(values))
    assert found.tolist() == codes
    assert shown == names


def test_many_groups_are_joined_and_none_is_lost():
    values = np.repeat([f"g{i:02d}" for i in range(30)], range(1, 31))
    codes, names = label_codes(values, 12)
    assert len(names) == 12
    assert names[-1] == "other (19 groups)"
    assert names[0] == "g19"
    assert np.bincount(codes).sum() == len(values)
    data = Dataset.of(np.ones((len(values), 2)), labels={"g": values})
    rng = np.random.default_rng(0)
    parts = present_matrices(data, rng.random((len(values), 30)), rng.random((30, 2)))
    for by in ("g", "dominant"):
        groups = groups_of(data, parts, by, most=12)
        assert len(groups.names) == 12
        assert groups.names[-1].startswith("other (19")
        assert groups.codes.min() >= 0
        assert len(groups.colors) == len(groups.symbols) == 12
