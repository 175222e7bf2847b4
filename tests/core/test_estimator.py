"""The estimator: scikit-learn's contract, scikit-learn's numbers, and what it adds."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import NMF as ReferenceNMF
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from nmf_core import NMF, Stop, fit

IRIS = load_iris().data


@pytest.mark.filterwarnings("ignore")  # the checks themselves provoke warnings (few iterations, odd data)
@parametrize_with_checks(
    [NMF(2), NMF(2, solver="mu", beta_loss="kullback-leibler"), NMF(2, solver="cd", init="random", n_init=2)]
)
def test_check_estimator(estimator, check, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # else the check of array API input skips itself
    check(estimator)


@pytest.mark.parametrize("init", ["random", "nndsvd", "nndsvda", "nndsvdar", None])
@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("alpha", [0.0, 0.003])
@pytest.mark.parametrize("kind", ["dense", "csr"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_cd_gives_scikit_learns_components(init, rank, alpha, kind):
    X = IRIS if kind == "dense" else sp.csr_array(IRIS)
    params = {"n_components": rank, "init": init, "random_state": 5, "max_iter": 300, "alpha_W": alpha}
    ours, reference = NMF(**params, l1_ratio=0.5, solver="cd").fit(X), ReferenceNMF(**params, l1_ratio=0.5).fit(X)
    assert ours.n_iter_ == reference.n_iter_
    np.testing.assert_allclose(ours.components_, reference.components_, rtol=1e-6, atol=1e-9)
    assert ours.reconstruction_err_ == pytest.approx(reference.reconstruction_err_, rel=1e-9)
    np.testing.assert_allclose(ours.transform(X[:20]), reference.transform(X[:20]), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("beta", [2.0, 1.0, 0.0, 0.5, 1.5, 2.5])
@pytest.mark.parametrize("init", ["random", "nndsvda"])
def test_mu_gives_scikit_learns_components(beta, init):
    params = {"n_components": 3, "init": init, "random_state": 2, "max_iter": 2000, "beta_loss": beta, "solver": "mu"}
    ours, reference = NMF(**params).fit(IRIS), ReferenceNMF(**params).fit(IRIS)
    assert ours.n_iter_ == reference.n_iter_
    np.testing.assert_allclose(ours.components_, reference.components_, rtol=1e-6, atol=1e-9)
    assert ours.reconstruction_err_ == pytest.approx(reference.reconstruction_err_, rel=1e-9)


def test_shuffle_draws_scikit_learns_order():
    params = {"n_components": 4, "random_state": 7, "shuffle": True, "solver": "cd", "max_iter": 2000}
    ours, reference = NMF(**params).fit(IRIS), ReferenceNMF(**params).fit(IRIS)
    np.testing.assert_allclose(ours.components_, reference.components_, rtol=1e-6, atol=1e-9)


def test_default_solver_is_no_worse_than_the_reference():
    X = load_digits().data
    ours = NMF(10, max_iter=500, tol=1e-5).fit(X)
    with pytest.warns(ConvergenceWarning):
        reference = ReferenceNMF(10, max_iter=40, tol=1e-9).fit(X)
    assert ours.reconstruction_err_ < reference.reconstruction_err_
    assert ours.solver_ != "auto"


def test_trace_and_stop():
    model = NMF(3, max_iter=400).fit(IRIS)
    assert len(model.trace_.loss) == model.n_iter_ + 1 == len(model.trace_.seconds)
    assert model.trace_.loss[0] > model.trace_.loss[-1]
    assert model.trace_.loss[-1] == pytest.approx(model.reconstruction_err_**2 / 2, rel=1e-6)
    assert np.all(np.diff(model.trace_.seconds) >= 0)
    assert model.stop_ is Stop.CONVERGED


def test_pipeline_and_grid_search():
    iris = load_iris()
    pipeline = make_pipeline(MinMaxScaler(clip=True), NMF(max_iter=1000), LogisticRegression(max_iter=1000))
    search = GridSearchCV(pipeline, {"nmf__n_components": [1, 3], "nmf__solver": ["auto", "hals"]}, cv=3)
    search.fit(iris.data, iris.target)
    assert search.best_params_["nmf__n_components"] == 3
    assert search.best_score_ > 0.85
    names = search.best_estimator_[:-1].get_feature_names_out()
    assert list(names) == ["nmf0", "nmf1", "nmf2"]


def test_more_starts_never_end_worse():
    one = NMF(3, init="random", random_state=1, max_iter=3000).fit(IRIS)
    many = NMF(3, init="random", random_state=1, max_iter=3000, n_init=5).fit(IRIS)
    assert many.trace_.loss[-1] <= one.trace_.loss[-1]


def test_a_random_state_object_is_drawn_from():
    rng = np.random.RandomState(0)
    first, second = (NMF(3, init="random", random_state=rng, max_iter=20, tol=0).fit(IRIS) for _ in range(2))
    assert not np.allclose(first.components_, second.components_)


def test_missing_values_are_refused_here_and_taken_by_fit():
    X = IRIS.copy()
    X[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        NMF(2).fit(X)
    assert fit(X, rank=2).loss > 0


def test_verbose_prints_where_it_stands(capsys):
    NMF(2, verbose=1, max_iter=500).fit(IRIS)
    assert "iteration" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"n_components": 0}, "'n_components' parameter of NMF must be"),
        ({"n_components": 2, "solver": "simplex"}, "'solver' parameter of NMF must be"),
        ({"n_components": 2, "solver": "eahals", "beta_loss": 1}, "solver 'eahals' does not handle beta_loss = 1"),
        ({"n_components": 2, "tol": -1.0}, "'tol' parameter of NMF must be"),
        ({"n_components": 2, "solver_options": {"speed": 1}, "solver": "hals"}, "has no option speed"),
        ({"n_components": 9, "init": "nndsvd"}, "can only be used when n_components <= min"),
    ],
)
def test_wrong_parameters_get_a_sentence(params, sentence):
    with pytest.raises(ValueError, match=sentence):
        NMF(**params).fit(IRIS)
