"""What a factorization starts from where most cells are unknown."""

import numpy as np
import pytest
import scipy.sparse as sp

from nmf_core import Dataset, fit, load_dataset
from nmf_core.components import present, top_features, well_known
from nmf_core.defaults import known_share, suggested_penalty, suggested_scale

RATINGS = load_dataset("movielens_small")


def asked(data, loss="frobenius"):
    found = suggested_penalty(data, loss)
    return {"alpha_W": found.alpha_W, "alpha_H": found.alpha_H, "l1_ratio": found.l1_ratio}


def test_films_that_many_rated_are_foretold_better_with_it():
    stars = RATINGS.X.tocoo()
    held = np.random.default_rng(0).random(stars.nnz) < 0.1
    shape = RATINGS.X.shape
    rest = Dataset.of(
        sp.coo_array((stars.data[~held], (stars.row[~held], stars.col[~held])), shape=shape).tocsr(), mask="unstored"
    )
    row, col, truth = stars.row[held], stars.col[held], stars.data[held]
    often = np.bincount(stars.col[~held], minlength=shape[1])[col] >= 10

    def error(**penalty):
        found = fit(rest, rank=5, **penalty)
        foretold = np.clip(np.einsum("ij,ij->i", found.W[row], found.H[:, col].T), 0.5, 5)
        return float(np.sqrt(np.mean(np.square(foretold - truth)[often])))

    assert error(**asked(rest)) < error() - 0.02 < 0.95


def test_the_first_picture_of_ratings_shows_films_that_people_know_in_sizes_they_can_read():
    found = fit(RATINGS, rank=5, **asked(RATINGS))
    parts = present(RATINGS, found, suggested_scale(RATINGS))
    picked, _ = top_features(parts, 10, among=well_known(RATINGS, 5))
    known = RATINGS.extra["n_ratings"]
    assert known[picked].min() >= 20
    assert np.median(known[picked[0]]) > 150
    assert (parts.H.max(axis=1) == 1).all()
    assert 1 < parts.W.max() < 10  # stars; without a penalty up to 1e10
    free = present(RATINGS, fit(RATINGS, rank=5), "max 1")
    assert np.median(known[top_features(free, 10)[0]]) < 5


@pytest.mark.parametrize("scale", [1e-3, 1.0, 250.0])
@pytest.mark.parametrize("loss", ["frobenius", "kullback-leibler", 1.5])
def test_the_model_does_not_depend_on_the_unit_of_the_ratings(scale, loss):
    rng = np.random.default_rng(2)
    known = rng.random((40, 30)) < 0.3
    X = rng.gamma(2, size=(40, 2)) @ rng.gamma(1, size=(2, 30))
    one, other = (Dataset.of(np.where(known, X * s, np.nan)) for s in (1.0, scale))
    a, b = (fit(d, rank=2, loss=loss, max_iter=300, tol=0.0, **asked(d, loss)) for d in (one, other))
    np.testing.assert_allclose(b.W @ b.H, scale * (a.W @ a.H), rtol=0.05, atol=0.02 * scale * X.max())


def test_nothing_is_suggested_where_most_cells_are_known():
    for name in ("iris", "energy_mix", "text_reuters395"):
        data = load_dataset(name)
        assert suggested_penalty(data) is None
        assert suggested_scale(data) == "component sums 1"
    assert known_share(load_dataset("iris")) == 1.0
    zeros = Dataset.of(sp.csr_array(np.eye(6)))  # what is not stored is zero here, and zero is known
    assert suggested_penalty(zeros) is None


def test_the_reason_names_its_numbers():
    found = suggested_penalty(RATINGS)
    assert found.alpha_W == pytest.approx(2 * RATINGS.X.data.mean() / 9066, rel=5e-3)
    assert found.alpha_H == pytest.approx(2 * RATINGS.X.data.mean() / 671, rel=5e-3)
    assert found.l1_ratio == 0.0
    assert "98.4 % of the cells are unknown" in found.reason
    assert f"{found.alpha_W:g}" in found.reason
    assert float(f"{found.alpha_H:g}") == found.alpha_H  # an address holds six digits
    holes = np.full((4, 5), np.nan)
    holes[0, 0] = 0.0
    holes[1, 1] = 1.0
    assert suggested_penalty(Dataset.of(holes)).alpha_W == pytest.approx(0.2)
