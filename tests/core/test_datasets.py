"""Every built-in data set is what its INFO says, and the contract of Dataset and FitRequest holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from nmf_core import Dataset, FitRequest, list_datasets, load_dataset
from nmf_core.types import is_sparse

NAMES = list(list_datasets())
DATA = Path(__file__).parents[2] / "datasets" / "data"


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_is_what_its_info_says(name):
    info, dataset = list_datasets()[name], load_dataset(name)
    assert dataset.shape == info.shape
    assert dataset.kind == info.kind
    assert len(dataset.rows) == dataset.shape[0]
    assert len(dataset.cols) == dataset.shape[1]
    values = dataset.X.data if is_sparse(dataset.X) else dataset.X[~np.isnan(dataset.X)]
    assert values.min() >= 0
    assert np.isfinite(values).all()
    assert not values.flags.writeable or not is_sparse(dataset.X)
    assert all(len(label) == dataset.shape[0] for label in dataset.labels.values())
    assert 1 <= info.rank <= dataset.max_rank
    assert info.story
    assert info.source
    assert info.licence
    if dataset.cell_shape:
        assert np.prod(dataset.cell_shape) == dataset.shape[1]


def test_every_shipped_folder_has_a_notice_and_a_loader():
    folders = {path.name for path in DATA.iterdir() if path.is_dir()}
    assert folders <= set(NAMES)
    assert all((DATA / name / "NOTICE").read_text().strip() for name in folders)


def test_iris_is_first_and_loaded_once():
    assert NAMES[0] == "iris"
    assert load_dataset("iris") is load_dataset("iris")


def test_swimmer_parts_are_disjoint_and_of_rank_17():
    dataset = load_dataset("swimmer")
    parts = dataset.extra["true_parts"]
    gram = parts @ parts.T
    np.testing.assert_array_equal(gram, np.diag(np.diag(gram)))
    assert np.linalg.matrix_rank(parts) == 17
    # Each figure holds the torso and exactly one position of each limb.
    use = (dataset.X @ parts.T) / np.diag(gram)
    np.testing.assert_array_equal(use[:, 0], 1)
    np.testing.assert_array_equal(use[:, 1:].reshape(256, 4, 4).sum(axis=2), 1)


def test_synthetic_options_mean_what_they_say():
    noiseless = load_dataset("synthetic", rank=4, noise=0.0, n_samples=30, n_features=20)
    assert np.linalg.matrix_rank(noiseless.X) == 4
    np.testing.assert_allclose(noiseless.X, noiseless.extra["true_W"] @ noiseless.extra["true_H"])
    sparse = load_dataset("synthetic", sparsity=0.9, n_samples=500, n_features=300)
    assert 0.65 < (sparse.extra["true_H"] == 0).mean() < 0.9


def test_the_mutations_are_shares_and_keep_the_totals():
    dataset = load_dataset("mutations_brca21")
    np.testing.assert_allclose(dataset.X.sum(axis=1), 1)
    assert dataset.extra["totals"].sum() == 183_916
    assert dataset.extra["totals"].max() == 70_690


def test_unknown_names_and_options_get_a_sentence():
    with pytest.raises(ValueError, match="no data set named 'irsi'; known are iris, wine"):
        load_dataset("irsi")
    with pytest.raises(ValueError, match="'iris' has no option 'rank'; it has none"):
        load_dataset("iris", rank=3)
    with pytest.raises(ValueError, match="noise must be from 0 to 1, not 7"):
        load_dataset("synthetic", noise=7)


class TestDataset:
    def test_equal_bytes_equal_id_and_any_change_changes_it(self):
        X = np.arange(12.0).reshape(3, 4)
        base = Dataset.of(X)
        assert Dataset.of(X.copy()).id == base.id
        changed = X.copy()
        changed[2, 3] += 1e-9
        others = [Dataset.of(changed), Dataset.of(X.astype(np.float32)), Dataset.of(X.T), Dataset.of(X, cols="abcd")]
        assert len({base.id, *(other.id for other in others)}) == 5

    def test_large_matrices_that_differ_in_one_cell_have_other_ids(self):
        # A cache that samples big arrays would take these for one another.
        X = np.zeros((800, 800))
        ids = set()
        for i in range(10):
            Y = X.copy()
            Y[i, 799 - i] = 1
            ids.add(Dataset.of(Y).id)
        assert len(ids) == 10

    def test_the_callers_array_is_neither_changed_nor_frozen(self):
        X = np.array([[1.0, np.nan], [2.0, 3.0]])
        dataset = Dataset.of(X)
        X[0, 0] = 7
        assert dataset.X[0, 0] == 1
        with pytest.raises(ValueError, match="read-only"):
            dataset.X[0, 0] = 5

    def test_nan_becomes_the_mask_and_the_mask_becomes_nan(self):
        from_nan = Dataset.of([[1.0, np.nan], [2.0, 3.0]])
        from_mask = Dataset.of([[1.0, 9.0], [2.0, 3.0]], mask=[[False, True], [False, False]])
        assert from_nan.mask.tolist() == from_mask.mask.tolist() == [[False, True], [False, False]]
        assert from_nan.id == from_mask.id

    def test_sparse_stays_sparse_and_explicit_zeros_go(self):
        X = sp.csr_array(np.eye(3))
        X.data[1] = 0
        dataset = Dataset.of(X)
        assert is_sparse(dataset.X)
        assert dataset.X.nnz == 2
        assert Dataset.of(X, mask="unstored").X.nnz == 3
        assert X.nnz == 3

    @pytest.mark.parametrize(
        ("X", "sentence"),
        [
            ([[1.0, -2.0]], "1 negative values"),
            ([[1.0, np.inf]], "infinite"),
            (np.ones(3), "rows and columns"),
            (np.ones((0, 3)), "empty"),
        ],
    )
    def test_what_cannot_be_factorized_is_refused_with_a_sentence(self, X, sentence):
        with pytest.raises(ValueError, match=sentence):
            Dataset.of(X)

    def test_names_and_labels_must_fit(self):
        with pytest.raises(ValueError, match="2 row and 2 column names for a 3 × 2 matrix"):
            Dataset.of(np.ones((3, 2)), rows=["a", "b"])
        with pytest.raises(ValueError, match="'species' has 2 entries for 3 rows"):
            Dataset.of(np.ones((3, 2)), labels={"species": ["a", "b"]})


class TestFitRequest:
    def test_equal_requests_are_equal_and_have_equal_keys(self):
        a = FitRequest("d", rank=3, loss=1.0, options={"b": 1, "a": 2})
        b = FitRequest("d", rank=np.int64(3), loss="kullback-leibler", options=(("a", 2), ("b", 1)))
        assert a == b
        assert hash(a) == hash(b)
        assert a.key == b.key
        assert a.with_(seed=1).key != a.key

    def test_json_round_trip(self):
        request = FitRequest("d", rank=4, loss=0.5, alpha_H=0.25, options={"inner": 3}, time_limit=2)
        assert FitRequest.from_json(request.to_json()) == request

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("rank", 0),
            ("rank", 1.5),
            ("rank", "3"),
            ("rank", True),
            ("rank", 10**6),
            ("max_iter", 0),
            ("max_iter", 10**9),
            ("tol", -1.0),
            ("tol", float("nan")),
            ("loss", "absolute"),
            ("loss", float("inf")),
            ("init", "magic"),
            ("seed", -1),
            ("stop_rule", "never"),
            ("l1_ratio", 1.5),
            ("alpha_W", float("nan")),
            ("time_limit", -3),
        ],
    )
    def test_values_out_of_limits_name_the_field(self, field, value):
        with pytest.raises(ValueError, match=field if field != "loss" else "loss: "):
            FitRequest(**{field: value})

    def test_unknown_fields_are_named(self):
        with pytest.raises(ValueError, match=r"unknown field.* ranks"):
            FitRequest.from_json({"ranks": 3})
