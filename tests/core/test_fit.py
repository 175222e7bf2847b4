"""The loop: chunks, restarts, stop rules, continuing, and inputs nobody tuned for."""

import dataclasses
import multiprocessing
import threading

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits, load_iris

from nmf_core import Dataset, FitRequest, Stop, fit, solvers
from nmf_core.fit import FitWork, advance
from nmf_core.problem import prepare
from nmf_core.types import Work

IRIS = load_iris().data
DIGITS = load_digits().data[:120]


def copied(value):
    """Send a value through a process's pipe and back: what a worker gets."""
    here, there = multiprocessing.Pipe()
    thread = threading.Thread(target=here.send, args=(value,))  # a pipe holds little: send while the other end reads
    thread.start()
    received = there.recv()
    thread.join()
    here.close()
    there.close()
    return received


def in_chunks(X, request, ticks, mask=None):
    """Run a fit with a clock that ticks once per look, cutting it after `ticks` looks, each state through pickle."""
    problem = prepare(X, beta=request.beta, mask=mask, alpha_W=request.alpha_W, l1_ratio=request.l1_ratio)
    state, chunks = None, 0
    while True:
        time = iter(range(10**9))
        chunk = advance(problem, request, state, ticks, clock=lambda time=time: next(time))
        state, chunks = copied(chunk.state), chunks + 1
        if chunk.stop is not Stop.RUNNING:
            return state, chunk.stop, chunks


def same(state, other):
    return all(np.array_equal(a, b) for a, b in zip(state.losses, other.losses, strict=True)) and (
        np.array_equal(state.best.W, other.best.W) and np.array_equal(state.best.H, other.best.H)
    )


def kinds():
    for solver in solvers.registry().values():
        for beta in (2.0, 1.0, 0.5):
            if solver.handles(beta):
                for kind in ("dense", "csr", "missing"):
                    if (kind != "csr" or solver.supports_sparse) and (kind != "missing" or solver.supports_mask):
                        yield pytest.param(solver.name, beta, kind, id=f"{solver.name}-{beta:g}-{kind}")


@pytest.mark.parametrize(("name", "beta", "kind"), list(kinds()))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_chunked_equals_whole_bit_for_bit(name, beta, kind, dtype):
    X = DIGITS.astype(dtype)
    if kind == "csr":
        X = sp.csr_array(X)
    elif kind == "missing":
        X[::7, ::3] = np.nan
    request = FitRequest(rank=4, solver=name, loss=beta, init="random", seed=5, max_iter=35, tol=1e-7, n_restarts=2)
    whole, stop, one = in_chunks(X, request, 10**6)
    cut, stop_cut, several = in_chunks(X, request, 3)
    assert one == 1
    assert several > 10
    assert stop is stop_cut
    assert same(whole, cut)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(0, 1000), st.sampled_from(["eahals", "mu", "cd", "bpp"]))
def test_any_cut_gives_the_same_bits(ticks, seed, name):
    request = FitRequest(rank=3, solver=name, init="random", seed=seed, max_iter=24, tol=1e-6)
    assert same(in_chunks(IRIS, request, 10**6)[0], in_chunks(IRIS, request, ticks)[0])


def test_fit_with_and_without_a_callback_agree_and_both_equal_the_work():
    dataset = Dataset.of(DIGITS, "digits")
    request = FitRequest(dataset_id=dataset.id, rank=6, max_iter=60, n_restarts=2)
    seen = []
    plain = fit(dataset, request)
    watched = fit(dataset, request, callback=lambda state, chunk: seen.append(chunk.message))
    work = FitWork(request)
    assert isinstance(work, Work)
    state, stop = None, Stop.RUNNING
    while stop is Stop.RUNNING:
        chunk = work.advance(dataset, state, 0.0)
        state, stop = chunk.state, chunk.stop
        partial = work.result(dataset, state, Stop.CANCELLED)
        assert np.isfinite(partial.loss)
    worked = work.result(dataset, state, stop)
    assert seen
    for other in (watched, worked):
        assert np.array_equal(plain.W, other.W)
        assert np.array_equal(plain.H, other.H)
        assert np.array_equal(plain.trace.loss, other.trace.loss)
        assert plain.stop is other.stop


def test_equal_requests_have_equal_keys_and_a_start_changes_the_key():
    work = FitWork(FitRequest(rank=3))
    assert work.key == FitWork(FitRequest(rank=3)).key
    assert work.key != FitWork(FitRequest(rank=4)).key
    custom = FitRequest(rank=1, init="custom")
    one, two = np.ones((3, 1)), np.ones((1, 2))
    assert FitWork(custom, one, two).key != FitWork(custom, 2 * one, two).key
    assert FitWork(custom, one, two).key == FitWork(custom, one.copy(), two.copy()).key
    assert FitWork(custom, one, two, update_H=False).key != FitWork(custom, one, two).key


@pytest.mark.parametrize("name", [s.name for s in solvers.registry().values()])
def test_continuing_equals_one_long_run(name):
    beta = 2.0 if solvers.get(name).handles(2.0) else 1.0
    request = FitRequest(rank=4, solver=name, loss=beta, init="random", seed=3, max_iter=33, tol=0)
    short = fit(DIGITS, request)
    assert short.stop is Stop.MAX_ITER
    longer = request.with_(max_iter=71)
    resumed, whole = fit(DIGITS, longer, continue_from=short), fit(DIGITS, longer)
    assert np.array_equal(resumed.W, whole.W)
    assert np.array_equal(resumed.H, whole.H)
    assert np.array_equal(resumed.trace.loss, whole.trace.loss)
    assert resumed.n_iter == 71


def test_continuing_after_convergence_needs_a_smaller_tolerance():
    request = FitRequest(rank=3, max_iter=5000, tol=1e-2)
    loose = fit(IRIS, request)
    assert loose.stop is Stop.CONVERGED
    again = fit(IRIS, request.with_(max_iter=9000), continue_from=loose)
    assert again.n_iter == loose.n_iter
    tight = fit(IRIS, request.with_(tol=1e-7), continue_from=loose)
    assert tight.n_iter > loose.n_iter
    assert np.array_equal(tight.W, fit(IRIS, request.with_(tol=1e-7)).W)


def test_continuing_a_cancelled_fit_finishes_its_restarts():
    dataset = Dataset.of(DIGITS)
    request = FitRequest(rank=5, max_iter=60, tol=0, n_restarts=3, init="random", dataset_id=dataset.id)
    whole = fit(dataset, request)
    work = FitWork(request)
    chunk = work.advance(dataset, None, 0.0)  # no time at all: one step
    assert chunk.stop is Stop.RUNNING
    stopped = work.result(dataset, chunk.state, Stop.CANCELLED)
    assert stopped.stop is Stop.CANCELLED
    assert np.isfinite(stopped.W).all()
    resumed = fit(dataset, request, continue_from=stopped)
    assert np.array_equal(resumed.W, whole.W)
    assert [len(t.loss) for t in resumed.restarts] == [61] * 3


def test_another_model_cannot_be_continued():
    first = fit(IRIS, rank=3, max_iter=20, tol=0)
    for change in ({"rank": 2}, {"solver": "mu"}, {"seed": 1}, {"alpha_W": 0.1}, {"options": {"inner": 5}}):
        with pytest.raises(ValueError, match="Start a new fit"):
            fit(IRIS, first.request.with_(max_iter=40, **change), continue_from=first)
    with pytest.raises(ValueError, match="X must be the same"):
        fit(2 * IRIS, first.request, continue_from=first)


@dataclasses.dataclass(frozen=True)
class Breaking(solvers.get("mu")):
    """Multiplicative updates that fail in iteration 17."""

    name = "breaking"

    def step(self, problem, state):
        after = super().step(problem, state)
        return dataclasses.replace(after, W=after.W * np.nan, loss=float("nan")) if after.n_iter == 17 else after


def test_a_value_that_is_not_finite_ends_the_fit_with_the_last_good_state(monkeypatch):
    known = {**solvers.registry(), "breaking": Breaking}
    monkeypatch.setattr(solvers, "registry", lambda: known)
    request = FitRequest(rank=3, solver="breaking", max_iter=50, tol=0)
    result = fit(IRIS, request)
    assert result.stop is Stop.NONFINITE
    assert result.n_iter == 16
    assert np.array_equal(result.W, fit(IRIS, request.with_(solver="mu", max_iter=16)).W)
    assert fit(IRIS, request, continue_from=result).n_iter == 16


@pytest.mark.parametrize("kind", ["dense", "missing", "csr", "unstored"])
def test_the_work_runs_on_every_kind_of_dataset(kind):
    """A Dataset is read-only and may hold missing cells; the work must see the same problem as fit does."""
    X = DIGITS + 1.0 if kind == "dense" else DIGITS.copy()
    if kind == "missing":
        X[::5, ::4] = np.nan
    dataset = Dataset.of(
        sp.csr_array(X) if kind in ("csr", "unstored") else X, mask="unstored" if kind == "unstored" else None
    )
    for solver in solvers.available(
        "frobenius", masked=kind in ("missing", "unstored"), sparse=kind in ("csr", "unstored")
    ):
        request = FitRequest(dataset_id=dataset.id, rank=3, solver=solver.name, max_iter=15, tol=0)
        work = FitWork(request)
        chunk = work.advance(dataset, None, 60.0)
        assert chunk.stop is Stop.MAX_ITER
        assert np.array_equal(work.result(dataset, chunk.state, chunk.stop).W, fit(dataset, request).W)


def test_the_best_restart_wins_and_every_trace_is_kept():
    result = fit(IRIS, rank=4, init="random", n_restarts=6, max_iter=150, tol=1e-7)
    ends = [t.loss[-1] for t in result.restarts]
    assert len(ends) == 6
    assert len(set(ends)) == 6
    assert result.best == int(np.argmin(ends))
    assert result.loss == min(ends)
    assert 0.5 * ((IRIS - result.W @ result.H) ** 2).sum() == pytest.approx(result.loss, rel=1e-6)


def test_restart_i_is_the_same_however_many_follow():
    few, many = (fit(IRIS, rank=3, init="random", n_restarts=n, max_iter=50, tol=0) for n in (2, 4))
    for one, other in zip(few.restarts, many.restarts, strict=False):
        assert np.array_equal(one.loss, other.loss)


def test_the_time_limit_stops_within_a_few_iterations_and_keeps_the_result():
    result = fit(DIGITS, rank=20, max_iter=10**6, tol=0, time_limit=0.1, n_restarts=100, init="random")
    assert result.stop is Stop.TIME_LIMIT
    assert sum(t.seconds[-1] for t in result.restarts) < 1.0
    assert result.n_iter > 0
    assert np.isfinite(result.W).all()


def test_the_kkt_rule_ends_near_a_stationary_point():
    from nmf_core.gradient import kkt_norm

    problem = prepare(IRIS)
    result = fit(IRIS, rank=3, stop_rule="kkt", tol=1e-5, max_iter=50_000)
    assert result.stop is Stop.CONVERGED
    loose = fit(IRIS, rank=3, stop_rule="kkt", tol=1e-2, max_iter=50_000)
    assert loose.n_iter < result.n_iter
    assert kkt_norm(problem, result.W, result.H) < 0.05 * kkt_norm(problem, loose.W, loose.H)


def test_a_poor_start_does_not_end_the_fit():
    """NNDSVDa fills zeros with X's mean in both factors: on large numbers the first error is thousands of times X."""
    X = np.random.default_rng(0).gamma(1.0, 3000.0, (60, 40))
    result = fit(X, rank=5, init="nndsvda", solver="ahals", tol=1e-4, max_iter=2000)
    assert result.trace.loss[0] > 1e4 * (X**2).sum()
    assert result.loss <= 1.02 * fit(X, rank=5, init="nndsvd", tol=1e-6, max_iter=2000).loss


def test_rows_of_the_result_and_the_trace_belong_together():
    result = fit(IRIS, rank=3, max_iter=25, tol=0)
    assert len(result.trace.loss) == len(result.trace.seconds) == 26
    assert result.n_iter == 25
    assert np.all(np.diff(result.trace.seconds) >= 0)
    assert result.versions["numpy"] == np.__version__
    assert result.request.solver != "auto"
    restored = copied(result)
    assert np.array_equal(restored.W, result.W)
    assert fit(IRIS, restored.request).loss == result.loss


def test_the_given_arrays_are_not_touched():
    X, W, H = IRIS.copy(), np.ones((150, 2)), np.arange(8.0).reshape(2, 4)
    for array in (X, W, H):
        array.flags.writeable = False
    for solver in solvers.available("frobenius"):
        fit(X, rank=2, solver=solver.name, init="custom", W=W, H=H, max_iter=3)


AWKWARD = {
    "one row": np.array([[1.0, 2.0, 0.0, 4.0]]),
    "one column": np.array([[1.0], [2.0], [0.0]]),
    "one cell": np.array([[3.0]]),
    "all zero": np.zeros((5, 4)),
    "zero row and column": np.pad(np.random.default_rng(0).random((6, 5)), 1),
    "one cell not zero": np.eye(6)[:, :4] * np.array([1.0, 0, 0, 0]),
    "constant": np.full((7, 5), 3.0),
    "identical rows": np.tile(np.random.default_rng(0).random(6), (9, 1)),
    "tiny": 1e-130 * np.random.default_rng(0).random((8, 6)),
    "huge": 1e130 * np.random.default_rng(0).random((8, 6)),
    "one dominant column": np.random.default_rng(0).random((20, 6)) * np.array([1e9, 1, 1, 1, 1, 1]),
    "ten scales": np.random.default_rng(0).random((20, 6)) * np.logspace(-5, 5, 6),
    "nine tenths zeros": np.random.default_rng(0).random((40, 30)) * (np.random.default_rng(1).random((40, 30)) > 0.9),
    "counts": np.random.default_rng(0).poisson(0.7, (30, 20)).astype(float),
    "wide": np.random.default_rng(0).random((5, 200)),
    "square": np.random.default_rng(0).random((30, 30)),
    "ill-conditioned": np.vander(np.linspace(0, 1, 20), 8),
    "float32 small": (1e-12 * np.random.default_rng(0).random((8, 6))).astype(np.float32),
    "float32 large": (1e13 * np.random.default_rng(0).random((8, 6))).astype(np.float32),
}


@pytest.mark.parametrize("solver", [s.name for s in solvers.registry().values()])
@pytest.mark.parametrize("case", AWKWARD)
@pytest.mark.parametrize("kind", ["dense", "csr"])
def test_awkward_input_ends_in_a_sane_result(solver, case, kind):
    X = AWKWARD[case]
    cls = solvers.get(solver)
    if kind == "csr":
        if not cls.supports_sparse:
            return
        X = sp.csr_array(X)
    for beta in [b for b in (2.0, 1.0, 0.5) if cls.handles(b)]:
        for init in ("random", "nndsvda"):
            result = fit(X, rank=min(3, *X.shape), solver=solver, loss=beta, init=init, max_iter=12)
            assert np.isfinite(result.W).all()
            assert np.isfinite(result.H).all()
            assert result.W.min(initial=0) >= 0
            assert result.H.min(initial=0) >= 0
            assert np.isfinite(result.trace.loss).all()
            assert result.trace.loss[-1] <= result.trace.loss[0] * (1 + 1e-5)
            assert result.stop in (Stop.CONVERGED, Stop.MAX_ITER)


@pytest.mark.parametrize("solver", [s.name for s in solvers.available("frobenius")])
def test_rank_up_to_the_smaller_side_and_beyond(solver):
    X = np.random.default_rng(0).random((12, 7))
    exact = fit(X, rank=7, solver=solver, init="random", max_iter=200, tol=0)
    assert 2 * exact.loss < 0.01 * (X**2).sum()
    more = fit(X, rank=15, solver=solver, init="random", max_iter=100, tol=0)
    assert np.isfinite(more.W).all()
    assert more.loss < more.trace.loss[0]


@pytest.mark.parametrize("solver", ["eahals", "hals"])
def test_an_exact_low_rank_matrix_is_found_to_a_trillionth(solver):
    """Separable parts make the factors unique; the loss must not turn negative or stall at the Gram form's noise."""
    rng = np.random.default_rng(3)
    W = np.vstack([np.eye(3), rng.random((40, 3)) * (rng.random((40, 3)) > 0.5)])
    H = np.hstack([np.eye(3), rng.random((3, 20)) * (rng.random((3, 20)) > 0.5)])
    X = W @ H
    result = fit(X, rank=3, solver=solver, init="random", seed=1, max_iter=3000, tol=0)
    assert (result.trace.loss >= 0).all()
    assert np.sqrt(2 * result.loss) < 1e-12 * np.linalg.norm(X)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 8),
    st.integers(1, 8),
    st.integers(0, 10_000),
    st.sampled_from([s.name for s in solvers.available("frobenius")]),
    st.sampled_from([1.0, 1e-6, 1e6]),
)
def test_scaling_x_scales_the_fit(n, m, seed, solver, scale):
    """X · c has the loss · c²: nothing in the engine may know what a large number is."""
    rng = np.random.default_rng(seed)
    X = rng.random((n, m)) * (rng.random((n, m)) > 0.3)
    rank = min(2, n, m)
    base = fit(X, rank=rank, solver=solver, init="random", seed=seed, max_iter=20, tol=0)
    scaled = fit(scale * X, rank=rank, solver=solver, init="random", seed=seed, max_iter=20, tol=0)
    slack = 1e-9 * float((X**2).sum())
    if solver != "pg":  # its first step size is 1 whatever the scale
        assert scaled.loss / scale**2 == pytest.approx(base.loss, rel=1e-5, abs=slack)
    assert base.loss >= 0


@pytest.mark.parametrize(
    ("X", "args", "sentence"),
    [
        (-np.ones((3, 3)), {}, "negative values"),
        (np.array([[1.0, np.inf]]), {}, "infinite"),
        (np.full((3, 3), np.nan), {}, "every cell is missing"),
        (np.ones(3), {}, "needs rows and columns"),
        (np.ones((0, 3)), {}, "needs rows and columns"),
        (1e200 * np.ones((3, 3)), {}, "multiply X by a constant"),
        (1e-200 * np.ones((3, 3)), {}, "multiply X by a constant"),
        (np.eye(3), {"loss": "itakura-saito"}, "X contains zeros"),
        (np.ones((3, 3)), {"mask": np.ones((2, 2), dtype=bool)}, "does not match X"),
        (np.ones((3, 3)), {"mask": "unstored"}, "is for sparse X"),
        (sp.csr_array(np.eye(3)), {"mask": np.eye(3, dtype=bool)}, "a sparse X takes"),
        (np.ones((3, 3)), {"weights": -np.ones((3, 3))}, "weights: must be finite and ≥ 0"),
        (np.ones((3, 3)), {"rank": 0}, "rank: must be a whole number"),
    ],
)
def test_wrong_input_gets_a_sentence(X, args, sentence):
    with pytest.raises(ValueError, match=sentence):
        fit(X, **{"rank": 1, "init": "random", **args})
