"""The methods: each runs a given number of iterations from a given start and returns W and H."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmf_core.types import LOSSES, is_sparse

# run(X, W0, H0, loss, iterations) → W, H
Run = Callable[[Any, Any, Any, str, int], tuple[Any, Any]]


@dataclass(frozen=True)
class Method:
    """A way to factorize.

    Attributes
    ----------
    name, package : str
    run : callable
    dtype : type
    threads : int
        BLAS threads; our kernels use as many threads of their own and keep BLAS at one.
    takes : callable
        ``takes(X, loss)``.
    ours : bool
    """

    name: str
    package: str
    run: Run
    dtype: type
    threads: int
    takes: Callable[[Any, str], bool]
    ours: bool = False


def asked(solver: str) -> tuple[tuple[str, Any], ...]:
    """Return the options that make a solver treat the common start as it treats one drawn by ourselves: large X is sampled."""
    return (("sample", True),) if solver == "eahals" else ()


def _ours(solver: str) -> Run:
    def run(X: Any, W: Any, H: Any, loss: str, iterations: int) -> tuple[Any, Any]:
        from nmf_core.fit import fit

        fields = {"rank": len(H), "solver": solver, "loss": loss, "options": asked(solver)}
        result = fit(X, W=W, H=H, init="custom", max_iter=iterations, tol=0, **fields)
        return result.W, result.H

    return run


def _sklearn(solver: str) -> Run:
    def run(X: Any, W: Any, H: Any, loss: str, iterations: int) -> tuple[Any, Any]:
        from sklearn.decomposition import non_negative_factorization

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            W, H, _ = non_negative_factorization(
                X, W.copy(), H.copy(), n_components=len(H), init="custom", solver=solver,
                beta_loss=loss, max_iter=iterations, tol=0,
            )  # fmt: skip
        return W, H

    return run


def _tensorly(X: Any, W: Any, H: Any, loss: str, iterations: int) -> tuple[Any, Any]:
    from tensorly.cp_tensor import CPTensor
    from tensorly.decomposition import non_negative_parafac_hals

    init = CPTensor((np.ones(len(H), X.dtype), [W.copy(), H.T.copy()]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weights, factors = non_negative_parafac_hals(X, len(H), n_iter_max=iterations, init=init, tol=0)
    return factors[0] * weights, factors[1].T


def _nn_fac(X: Any, W: Any, H: Any, loss: str, iterations: int) -> tuple[Any, Any]:
    from nn_fac.nmf import nmf

    rule, beta = ("hals", 2) if loss == "frobenius" else ("mu", LOSSES[loss])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = nmf(
            X, len(H), init="custom", U_0=W.copy(), V_0=H.copy(), n_iter_max=iterations, tol=0,
            update_rule=rule, beta=beta,
        )  # fmt: skip
    return out[0], out[1]


def _nimfa(X: Any, W: Any, H: Any, loss: str, iterations: int) -> tuple[Any, Any]:
    import nimfa

    objective = {"frobenius": "euclidean", "kullback-leibler": "divergence"}[loss]
    model = nimfa.Nmf(
        X, rank=len(H), W=W.copy(), H=H.copy(), seed=None, max_iter=iterations, update=objective, objective="fro",
        min_residuals=None,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = model()
    return np.asarray(fit.basis()), np.asarray(fit.coef())


def _torchnmf(X: Any, W: Any, H: Any, loss: str, iterations: int) -> tuple[Any, Any]:
    import torch
    from torchnmf.nmf import NMF

    model = NMF(W=torch.tensor(H.T.copy()), H=torch.tensor(W.copy()))
    model.fit(torch.tensor(X), beta=LOSSES[loss], tol=0, max_iter=iterations)
    return model.H.detach().numpy(), model.W.detach().numpy().T


def methods(peers: bool, single: bool = True) -> tuple[list[Method], list[str]]:
    """Return ours, scikit-learn in all its variants and the peers that run; and what is installed but fails, and how."""
    failing: list[str] = []
    dtypes = (np.float64, np.float32) if single else (np.float64,)

    def label(dtype: type) -> str:
        return "f64" if dtype is np.float64 else "f32"

    found: list[Method] = []
    for dtype in dtypes:
        found.append(
            Method(f"eahals {label(dtype)}", "NMF Explorer", _ours("eahals"), dtype, 2, _only("frobenius"), True)
        )
        for solver in ("bmme", "ccd"):
            if _has(solver):
                takes = (lambda X, loss: loss == "kullback-leibler") if solver == "ccd" else _not("frobenius")
                found.append(Method(f"{solver} {label(dtype)}", "NMF Explorer", _ours(solver), dtype, 2, takes, True))
        for threads in (1, 2):
            tag = f"{label(dtype)} {threads}t"
            found.append(Method(f"cd {tag}", "scikit-learn", _sklearn("cd"), dtype, threads, _only("frobenius")))
            found.append(Method(f"mu {tag}", "scikit-learn", _sklearn("mu"), dtype, threads, _not("frobenius")))
    if peers:
        dense = lambda X, loss: loss == "frobenius" and not is_sparse(X)  # noqa: E731
        for package, run, takes in (
            ("tensorly", _tensorly, dense),
            ("nn_fac", _nn_fac, lambda X, loss: not is_sparse(X)),
            ("nimfa", _nimfa, lambda X, loss: not is_sparse(X) and loss != "itakura-saito"),
            ("torchnmf", _torchnmf, lambda X, loss: not is_sparse(X)),
        ):
            if importlib.util.find_spec(package) is None:
                continue
            try:
                rng = np.random.default_rng(0)
                run(rng.random((8, 6)), rng.random((8, 2)), rng.random((2, 6)), "frobenius", 2)
            except Exception as error:  # also a failing import: a peer may not run with this NumPy
                failing.append(f"{package} ({type(error).__name__}: {str(error).splitlines()[0]})")
            else:
                found.append(Method(f"{package} f64", package, run, np.float64, 2, takes))
    return found, failing


def _has(solver: str) -> bool:
    from nmf_core import solvers

    return solver in solvers.registry()


def _only(loss: str) -> Callable[[Any, str], bool]:
    return lambda X, other: other == loss


def _not(loss: str) -> Callable[[Any, str], bool]:
    return lambda X, other: other != loss
