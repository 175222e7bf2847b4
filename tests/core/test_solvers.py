"""Every solver on every loss and kind of input it claims: descent, signs, optima, published values."""

import gc
import weakref

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_digits, load_iris

from nmf_core import load_dataset, solvers
from nmf_core.fit import fit
from nmf_core.gradient import kkt_norm
from nmf_core.loss import objective
from nmf_core.problem import once, prepare
from nmf_core.solvers.coordinate import sweep

IRIS = load_iris().data
BETAS = [2.0, 1.0, 0.0, 0.5, 1.5, 3.0, -0.5]
KINDS = ["float64", "float32", "csr", "missing", "unstored"]
GOLDEN_X = np.array([[1, 2, 0], [3, 4, 1], [0, 1, 5], [2, 0, 1]], dtype=float)
GOLDEN_W = np.array([[0.5, 1], [1, 0.25], [0.75, 0.5], [1, 1]])
GOLDEN_H = np.array([[1, 0.5, 0.25], [0.5, 1, 2]])


def matrix(kind, beta, shape=(23, 17)):
    """Return a matrix of one kind, and the mask that goes with it."""
    rng = np.random.default_rng(7)
    X = rng.gamma(1.0, 1.0, (shape[0], 4)) @ rng.gamma(1.0, 1.0, (4, shape[1])) + 0.1 * rng.random(shape)
    if beta > 0:
        X[rng.random(shape) < 0.5] = 0
    if kind == "float32":
        return X.astype(np.float32), None
    if kind == "csr":
        return sp.csr_array(X), None
    if kind == "missing":
        X[rng.random(shape) < 0.2] = np.nan
        return X, None
    if kind == "unstored":
        return sp.csr_array(X), "unstored"
    return X, None


def products():
    """Every solver × loss × kind of input × penalty that the registry says is legal."""
    for beta in BETAS:
        for kind in KINDS:
            for alpha in (0.0, 0.01):
                legal = solvers.available(
                    beta,
                    masked=kind in ("missing", "unstored"),
                    sparse=kind in ("csr", "unstored"),
                    penalised=alpha > 0,
                )
                for solver in legal:
                    yield pytest.param(solver.name, beta, kind, alpha, id=f"{solver.name}-{beta:g}-{kind}-{alpha:g}")


@pytest.mark.parametrize(("name", "beta", "kind", "alpha"), list(products()))
def test_descends_stays_nonnegative_and_reports_the_true_objective(name, beta, kind, alpha):
    X, mask = matrix(kind, beta)
    result = fit(
        X,
        rank=3,
        solver=name,
        loss=beta,
        mask=mask,
        init="random",
        seed=1,
        max_iter=60,
        tol=0,
        alpha_W=alpha,
        l1_ratio=0.4,
    )
    losses = result.trace.loss
    assert result.W.dtype == result.H.dtype == (np.float32 if kind == "float32" else np.float64)
    assert (result.W >= 0).all()
    assert (result.H >= 0).all()
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    if solvers.get(name).monotone:
        slack = 1e-5 if kind == "float32" else 1e-11
        assert np.diff(losses).max() <= slack * losses[0]
    problem = prepare(X, beta=beta, mask=mask, alpha_W=alpha, l1_ratio=0.4)
    digits = 1e-4 if kind == "float32" else 1e-9
    assert losses[-1] == pytest.approx(objective(problem, result.W, result.H), rel=digits)


def penalised():
    for beta in BETAS:
        for solver in solvers.available(beta, penalised=True):
            if solver.monotone:
                yield pytest.param(solver.name, beta, id=f"{solver.name}-{beta:g}")


@pytest.mark.parametrize(("name", "beta"), list(penalised()))
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("init", ["random", "kmeans"])
def test_strong_penalties_do_not_make_it_rise(name, beta, l1_ratio, init):
    """The plain multiplicative rule overshoots under an L2 penalty unless β is 2: its exponent must shrink."""
    for scale in (1.0, 1e4):
        X = scale * matrix("float64", beta)[0]
        result = fit(X, rank=3, solver=name, loss=beta, init=init, max_iter=25, tol=0, alpha_W=1.0, l1_ratio=l1_ratio)
        losses = result.trace.loss
        noise = 1e-12 * (X[X > 0] ** beta).sum()
        assert (np.diff(losses) <= 1e-9 * losses[:-1] + noise).all()


def test_as_scikit_learn_is_what_the_plain_rule_does_under_penalties():
    """The switch is there because the two differ: without it the loss falls, with it scikit-learn's numbers come out."""
    from sklearn.decomposition import non_negative_factorization

    X = matrix("float64", 1.0)[0]
    rng = np.random.default_rng(0)
    W, H = rng.random((23, 3)), rng.random((3, 17))
    args = {"rank": 3, "loss": 1.0, "solver": "mu", "init": "custom", "W": W, "H": H, "max_iter": 15, "tol": 0}
    ours = fit(X, alpha_W=0.1, options={"as_scikit_learn": True}, **args)
    _, theirs, _ = non_negative_factorization(
        X, W.copy(), H.copy(), 3, init="custom", solver="mu", beta_loss=1.0, max_iter=15, tol=0, alpha_W=0.1
    )
    np.testing.assert_allclose(ours.H, theirs, rtol=1e-9)
    assert not np.allclose(fit(X, alpha_W=0.1, **args).H, theirs, rtol=1e-3)


@pytest.mark.parametrize("name", [s.name for s in solvers.available("frobenius")])
def test_iris_rank_2_reaches_the_svd_bound(name):
    result = fit(IRIS, rank=2, solver=name, init="nndsvda", max_iter=20_000, tol=1e-12)
    rss = 2 * result.loss
    assert rss == pytest.approx(15.530613, rel=1e-6)
    assert 1 - rss / (IRIS**2).sum() == pytest.approx(0.99837193, abs=1e-8)


@pytest.mark.parametrize("name", [s.name for s in solvers.available("frobenius")])
@pytest.mark.parametrize(("X", "rss"), [(IRIS, 330.98493), (load_digits().data, 2097239.574)], ids=["iris", "digits"])
def test_rank_1_is_the_leading_singular_triplet(name, X, rss):
    result = fit(X, rank=1, solver=name, init="random", max_iter=500, tol=1e-10)
    assert 2 * result.loss == pytest.approx(rss, rel=1e-7)


@pytest.mark.parametrize("name", [s.name for s in solvers.available("kullback-leibler")])
def test_rank_1_kullback_leibler_is_the_product_of_the_margins(name):
    result = fit(IRIS, rank=1, solver=name, loss="kullback-leibler", init="random", max_iter=300, tol=1e-12)
    assert result.loss == pytest.approx(72.107718, rel=1e-7)
    margins = np.outer(IRIS.sum(axis=1), IRIS.sum(axis=0)) / IRIS.sum()
    np.testing.assert_allclose(result.W @ result.H, margins, rtol=1e-6)


@pytest.mark.parametrize("name", [s.name for s in solvers.available("frobenius")])
@pytest.mark.parametrize("kind", ["dense", "csr"])
def test_agrees_on_the_fixed_factor_problem(name, kind):
    """With H fixed the problem is convex: every solver must find the one optimum, to which all KKT conditions point."""
    rng = np.random.default_rng(0)
    X, H = rng.random((30, 12)), rng.random((3, 12))
    if kind == "csr":
        X = sp.csr_array(X * (X > 0.6))
    result = fit(X, rank=3, solver=name, H=H, update_H=False, max_iter=20_000, tol=1e-13)
    best = fit(X, rank=3, solver="bpp", H=H, update_H=False, max_iter=3, tol=0)
    assert np.array_equal(result.H, H)
    assert result.loss == pytest.approx(best.loss, rel=1e-6)
    problem = prepare(X, update_H=False)
    assert kkt_norm(problem, best.W, H) < 1e-9 * kkt_norm(problem, np.zeros_like(best.W), H)


def test_block_pivoting_solves_what_nnls_solves():
    from scipy.optimize import nnls

    from nmf_core.solvers.bpp import solve

    rng = np.random.default_rng(3)
    A, B = rng.random((20, 6)), rng.standard_normal((20, 40))
    F = solve(A.T @ A, A.T @ B, np.zeros((6, 40), dtype=bool))
    expected = np.column_stack([nnls(A, b)[0] for b in B.T])
    np.testing.assert_allclose(F, expected, atol=1e-10)


@pytest.mark.parametrize("name", [s.name for s in solvers.available("frobenius", masked=True)])
def test_missing_cells_have_no_say(name):
    """What is written where a cell is missing must not matter, and an exact low-rank matrix is completed."""
    rng = np.random.default_rng(1)
    truth = rng.random((40, 2)) @ rng.random((2, 30))
    missing = rng.random(truth.shape) < 0.3
    holes = np.where(missing, np.nan, truth)
    nonsense = np.where(missing, 1e6, truth)
    first = fit(holes, rank=2, solver=name, init="random", max_iter=2500, tol=1e-9)
    second = fit(nonsense, rank=2, solver=name, init="random", mask=missing, max_iter=2500, tol=1e-9)
    assert np.array_equal(first.W, second.W)
    assert np.abs(first.W @ first.H - truth)[missing].max() < 1e-2


@pytest.mark.parametrize("beta", [2.0, 1.0, 0.5])
def test_unstored_cells_are_missing_cells(beta):
    X, _ = matrix("missing", 0.0)
    stored = sp.csr_array(np.nan_to_num(X, nan=0.0))
    dense = fit(X, rank=3, solver="mu", loss=beta, init="random", max_iter=30, tol=0)
    sparse = fit(stored, rank=3, solver="mu", loss=beta, init="random", max_iter=30, tol=0, mask="unstored")
    np.testing.assert_allclose(sparse.trace.loss, dense.trace.loss, rtol=1e-9)
    np.testing.assert_allclose(sparse.W @ sparse.H, dense.W @ dense.H, rtol=1e-7)


def test_weights_of_2_are_rows_written_twice():
    rng = np.random.default_rng(5)
    X = rng.random((8, 6))
    weights = np.ones_like(X)
    weights[:3] = 2.0
    H = rng.random((2, 6))
    once = fit(X, rank=2, solver="hals", init="custom", W=np.ones((8, 2)), H=H, weights=weights, max_iter=50, tol=0)
    twice = fit(
        np.vstack([X, X[:3]]), rank=2, solver="hals", init="custom", W=np.ones((11, 2)), H=H, max_iter=50, tol=0
    )
    np.testing.assert_allclose(once.H, twice.H, rtol=1e-8)
    assert once.loss == pytest.approx(twice.loss, rel=1e-9)


# One update of H alone is one step of the transposed problem with H's transpose in W's place.
def _h_update(beta, X=GOLDEN_X):
    solver = solvers.get("mu")()
    problem = prepare(np.ascontiguousarray(X.T), beta=beta, update_H=False)
    state = solver.init(problem, (GOLDEN_H.T.copy(), GOLDEN_W.T.copy()), None)
    return state, solver.step(problem, state)


def test_golden_frobenius_update():
    before, after = _h_update(2.0)
    assert 2 * before.loss == pytest.approx(38.83203125, rel=1e-12)
    assert 1 - 2 * before.loss / (GOLDEN_X**2).sum() == pytest.approx(0.373676915, abs=1e-9)
    expected = [[1.419354839, 0.814159292, 0.290220820], [0.571428571, 1.037037037, 1.454545455]]
    np.testing.assert_allclose(after.W.T, expected, atol=1e-9)
    assert 2 * after.loss == pytest.approx(35.963867374, rel=1e-10)


def test_golden_kullback_leibler_update():
    before, after = _h_update(1.0)
    assert before.loss == pytest.approx(13.264486423, rel=1e-10)
    expected = [[1.384615385, 1.075457875, 0.379667117], [0.545454545, 1.274458874, 2.096757054]]
    np.testing.assert_allclose(after.W.T, expected, atol=1e-9)


def test_golden_masked_update():
    X = GOLDEN_X.copy()
    X[0, 2] = X[2, 0] = np.nan
    before, after = _h_update(2.0, X)
    assert 2 * before.loss == pytest.approx(33.31640625, rel=1e-12)
    expected = [[1.76, 0.814159292, 0.369477912], [0.674157303, 1.037037037, 2.474226804]]
    np.testing.assert_allclose(after.W.T, expected, atol=1e-9)
    assert 2 * after.loss == pytest.approx(29.511140223, rel=1e-10)


@pytest.mark.parametrize("kind", ["dense", "csr"])
def test_kullback_leibler_keeps_the_column_sums(kind):
    X = IRIS if kind == "dense" else sp.csr_array(IRIS)
    for n_iter in (1, 2, 7):
        result = fit(X, rank=3, solver="mu", loss="kullback-leibler", max_iter=n_iter, tol=0)
        np.testing.assert_allclose((result.W @ result.H).sum(axis=0), IRIS.sum(axis=0), rtol=1e-12)


@pytest.mark.parametrize("beta", BETAS)
def test_zeros_stay_zero_under_multiplicative_updates(beta):
    rng = np.random.default_rng(2)
    W, H = rng.random((23, 3)) + 0.1, rng.random((3, 17)) + 0.1
    W[4, 1] = H[2, 5] = 0
    X, _ = matrix("float64", beta)
    result = fit(X, rank=3, solver="mu", loss=beta, init="custom", W=W, H=H, max_iter=20, tol=0)
    assert result.W[4, 1] == 0
    assert result.H[2, 5] == 0


@pytest.mark.parametrize("name", [s.name for s in solvers.registry().values()])
def test_component_scale_and_order_change_nothing(name):
    """(W D, D⁻¹ H) and a permutation describe the same WH; one step from either gives the same WH."""
    beta = 2.0 if solvers.get(name).handles(2.0) else 1.0
    rng = np.random.default_rng(4)
    X, _ = matrix("float64", beta)
    W, H = rng.random((23, 3)), rng.random((3, 17))
    scale = np.array([4.0, 0.25, 2.0])
    args = {"rank": 3, "solver": name, "loss": beta, "init": "custom", "max_iter": 1, "tol": 0}
    plain = fit(X, W=W, H=H, **args)
    scaled = fit(X, W=W * scale, H=H / scale[:, None], **args)
    assert plain.trace.loss[0] == pytest.approx(scaled.trace.loss[0], rel=1e-12)
    if name != "pg":  # a gradient step knows the scale of its variables
        np.testing.assert_allclose(plain.W @ plain.H, scaled.W @ scaled.H, rtol=1e-9, atol=1e-12)


def test_a_component_without_curvature_is_left_alone():
    """Set to zero it could never come back, and the fit would end one rank short."""
    F = np.ones((2, 4))
    gram = np.array([[2.0, 0.0], [0.0, 0.0]])
    after = sweep(F, gram, np.full((2, 4), 3.0), 0.0, 0.0)
    assert np.array_equal(after, [[1.5] * 4, [1.0] * 4])


@pytest.mark.parametrize("name", [s.name for s in solvers.available("frobenius")])
@pytest.mark.parametrize("seed", range(3))
def test_no_component_is_lost_on_iris(name, seed):
    result = fit(IRIS, rank=3, solver=name, init="random", seed=seed, max_iter=250, tol=1e-9)
    assert 3.552570 <= 2 * result.loss < 15.53  # below what two components can reach
    assert (result.W.sum(axis=0) * result.H.sum(axis=1) > 0).all()


def test_the_registry_offers_only_what_works():
    assert [s.name for s in solvers.available("itakura-saito", masked=True)].count("mu") == 1
    assert all(s.handles(2.0) for s in solvers.available("frobenius"))
    assert all(s.supports_mask for s in solvers.available(masked=True))
    for solver in solvers.registry().values():
        assert solver.label
        assert solver.help.endswith(".")
        assert solver.REFERENCE
        for option in solver.options().values():
            assert option.metadata["label"]
            assert option.metadata["help"].endswith(".")


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"solver": "simplex"}, "unknown name 'simplex'"),
        ({"solver": "hals", "loss": "kullback-leibler"}, "does not take the loss"),
        ({"solver": "eahals", "options": {"speed": 1}}, "no option speed"),
        ({"solver": "eahals", "options": {"label": "x"}}, "no option label"),
        ({"solver": "eahals", "options": {"inner": 0}}, "option inner must lie from 1"),
        ({"solver": "eahals", "options": {"inner": 1.5}}, "must be a whole number"),
        ({"solver": "cd", "options": {"shuffle": 1}}, "must be true or false"),
    ],
)
def test_what_a_solver_cannot_do_gets_a_sentence(request_, sentence):
    with pytest.raises(ValueError, match=sentence):
        fit(IRIS, rank=2, **request_)


def test_block_pivoting_refuses_missing_cells_and_names_who_takes_them():
    X = IRIS.copy()
    X[0, 0] = np.nan
    with pytest.raises(ValueError, match=r"missing cells; use .*hals"):
        fit(X, rank=2, solver="bpp")


@pytest.mark.parametrize(
    ("args", "name"),
    [
        ({"loss": "frobenius"}, "Frobenius"),
        ({"loss": "kullback-leibler"}, "Kullback"),
        ({"loss": 0.5}, "β = 0.5"),
    ],
)
def test_auto_says_what_it_took_and_why(args, name):
    result = fit(IRIS, rank=2, max_iter=5, tol=0, **args)
    assert result.request.solver in solvers.registry()
    assert name in result.solver_reason
    assert fit(IRIS, rank=2, max_iter=5, tol=0, solver=result.request.solver, **args).solver_reason == ""


CHOICE = {"beta": 1.0, "masked": False, "sparse": False, "penalised": False, "shape": (100, 40), "rank": 5, "stored": 0}


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"beta": 2.0}, "eahals", "small"),
        ({"beta": 2.0, "shape": (20_000, 784), "rank": 50}, "eahals", "once per iteration"),
        ({"beta": 2.0, "shape": (20_000, 784), "rank": 50}, "eahals", "a sample of the rows"),
        ({"beta": 2.0, "shape": (784, 20_000), "rank": 50}, "eahals", "a sample of the columns"),
        ({"beta": 2.0, "sparse": True, "stored": 40}, "eahals", "1 %"),
        ({"beta": 2.0, "masked": True}, "eahals", "missing"),
        ({}, "ccd", "lowest"),
        ({"shape": (20_000, 784)}, "bmme", "fastest"),
        ({"shape": (20_000, 784), "sparse": True, "stored": 78_400}, "ccd", "0.5 %"),
        ({"shape": (20_000, 784), "penalised": True}, "ccd", "lowest"),
        ({"masked": True}, "bmme", "missing"),
        ({"beta": 0.0}, "bmme", "Itakura"),
    ],
)
def test_auto_goes_by_shape_sparsity_loss_and_gaps(changes, name, words):
    chosen, reason = solvers.choose(**{**CHOICE, **changes})
    assert chosen == name
    assert words in reason


@pytest.mark.parametrize("name", ["text_commons", "iris"])
def test_what_auto_takes_for_counts_goes_lower_than_multiplicative_updates(name):
    X = load_dataset(name).X[:200] if name == "text_commons" else IRIS
    fields = {"rank": 5, "loss": "kullback-leibler", "init": "random", "max_iter": 100, "tol": 0}
    assert fit(X, **fields).loss < fit(X, solver="bmme", **fields).loss


def test_coordinate_descent_in_single_precision_goes_as_far_as_in_double():
    """Rows that start without any weight divide by the floor, whose square must stay in range."""
    rng = np.random.default_rng(0)
    X = rng.gamma(0.2, 1.0, (120, 5)) @ rng.gamma(0.1, 1.0, (5, 90)) * rng.gamma(2.0, 0.5, (120, 90)) + 1e-9
    fields = {"rank": 5, "solver": "ccd", "loss": "kullback-leibler", "init": "random", "max_iter": 60, "tol": 0}
    single, double = (fit(X.astype(dtype), **fields).loss for dtype in (np.float32, np.float64))
    assert single == pytest.approx(double, rel=0.01)


def test_what_is_worked_out_once_belongs_to_its_problem_and_goes_with_it():
    asked = []

    @once
    def total(problem):
        asked.append(problem.total)
        return [problem.total]

    one, two = prepare(IRIS), prepare(2 * IRIS)
    assert total(one) is total(one)
    assert (total(one), total(two)) == ([one.total], [2 * one.total])
    assert len(asked) == 2
    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None


def test_a_start_of_another_scale_leads_to_the_same_factors():
    """E-A-HALS brings a start to X's scale first: from one far off, its passes would run into poorer minima."""
    rng = np.random.default_rng(3)
    X = rng.gamma(0.7, 1.0, (60, 4)) @ rng.gamma(0.7, 1.0, (4, 30)) * rng.gamma(5.0, 0.2, (60, 30))
    W, H = rng.random((60, 4)), rng.random((4, 30))
    fields = {"rank": 4, "init": "custom", "max_iter": 30, "tol": 0, "solver": "eahals"}
    mask = rng.random(X.shape) < 0.1
    for more in ({}, {"mask": mask}, {"weights": rng.random(X.shape)}):
        near, far = (fit(X, W=W * c, H=H * c, **fields, **more) for c in (1.0, 32.0))
        assert far.trace.loss[0] == pytest.approx(near.trace.loss[0], rel=1e-9)
        assert far.loss == pytest.approx(near.loss, rel=1e-6)
        known = ~mask if "mask" in more else np.ones(X.shape, bool)
        weights = more.get("weights", np.ones(X.shape)) * known
        cross = (weights * X * (W @ H)).sum() / (weights * (W @ H) ** 2).sum()
        start = 0.5 * (weights * (X - cross * (W @ H)) ** 2).sum()
        assert near.trace.loss[0] == pytest.approx(start, rel=1e-9)


@pytest.mark.parametrize("penalties", [{}, {"alpha_W": 0.0005, "l1_ratio": 0.5}, {"alpha_W": 0.01, "l1_ratio": 1.0}])
def test_coordinate_descent_from_nndsvd_loses_no_component(penalties):
    """Full steps from the start empty up to 14 of 20 components here, and the error stays as far off."""
    X = load_digits().data[:300]
    found = {}
    for solver in ("ccd", "bmme"):
        found[solver] = fit(X, rank=20, solver=solver, loss="kullback-leibler", init="nndsvda", **penalties)
    W, H = found["ccd"].W, found["ccd"].H
    assert (W.sum(axis=0) * H.sum(axis=1) > 0).all()
    assert found["ccd"].loss < found["bmme"].loss
