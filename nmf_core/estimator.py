"""NMF as a scikit-learn estimator over this engine: scikit-learn's names and meanings, more solvers, a trace."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data

from nmf_core import solvers
from nmf_core.fit import advance_to_end
from nmf_core.loss import objective, penalty
from nmf_core.problem import Problem, prepare
from nmf_core.types import LOSSES, Array, FitRequest, FitResult, beta_of


class NMF(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Non-negative matrix factorization X ≈ WH, as a drop-in for ``sklearn.decomposition.NMF``.

    Rows of H (``components_``) are the parts; rows of W (what `transform` returns) say how much of each part a sample
    holds. The objective, its penalties and their scaling are scikit-learn's.

    Parameters
    ----------
    n_components : int, "auto" or None, default="auto"
        Number of components; "auto" takes it from custom W and H, else (like None) n_features.
    init : {"random", "nndsvd", "nndsvda", "nndsvdar", "kmeans", "custom"} or None, default=None
        None: "nndsvda" if n_components ≤ min(n_samples, n_features), else "random".
    solver : str, default="auto"
        "auto" takes the fastest for the loss; "cd" and "mu" give scikit-learn's numbers; the others are listed by
        ``nmf_core.solvers.available()``.
    beta_loss : float or {"frobenius", "kullback-leibler", "itakura-saito"}, default="frobenius"
    tol : float, default=1e-4
        With "cd" and "mu" as in scikit-learn, else the fall of √(2·loss) in ten iterations relative to its value after
        the first ten.
    max_iter : int, default=200
    random_state : int, RandomState or None, default=None
    alpha_W, alpha_H, l1_ratio : float
        Penalties; ``alpha_H="same"`` means alpha_W.
    verbose : int, default=0
        Print progress.
    shuffle : bool, default=False
        Visit components in random order ("cd" only).
    n_init : int, default=1
        Best of so many starts; the first is the one that a single start would take.
    solver_options : dict or None, default=None
        Fields of the solver, for example ``{"inner": 5}``.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
    n_components_, n_iter_, n_features_in_ : int
    reconstruction_err_ : float
        √(2·loss) without penalties: for the Frobenius loss the norm of X − WH.
    trace_ : Trace
        Objective and seconds after every iteration, the start included.
    stop_ : Stop
        Why the fit ended; its value is a sentence.
    solver_ : str
        The solver used.

    Notes
    -----
    Missing values are refused as in scikit-learn, since `transform` of a row nobody has seen is another question; use
    :func:`nmf_core.fit` for them.

    Examples
    --------
    >>> import numpy as np
    >>> from nmf_core import NMF
    >>> X = np.array([[1, 1], [2, 1], [3, 1.2], [4, 1], [5, 0.8], [6, 1]])
    >>> model = NMF(n_components=2, init="random", random_state=0, max_iter=2000)
    >>> W = model.fit_transform(X)
    >>> H = model.components_
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None, StrOptions({"auto"})],
        "init": [StrOptions({"random", "nndsvd", "nndsvda", "nndsvdar", "kmeans", "custom"}), None],
        "solver": [StrOptions({"auto", *solvers.registry()})],
        "beta_loss": [StrOptions(set(LOSSES)), Real],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "alpha_W": [Interval(Real, 0, None, closed="left")],
        "alpha_H": [Interval(Real, 0, None, closed="left"), StrOptions({"same"})],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "verbose": ["verbose"],
        "shuffle": ["boolean"],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "solver_options": [dict, None],
    }

    def __init__(
        self,
        n_components: Any = "auto",
        *,
        init: str | None = None,
        solver: str = "auto",
        beta_loss: str | float = "frobenius",
        tol: float = 1e-4,
        max_iter: int = 200,
        random_state: Any = None,
        alpha_W: float = 0.0,
        alpha_H: Any = "same",
        l1_ratio: float = 0.0,
        verbose: int = 0,
        shuffle: bool = False,
        n_init: int = 1,
        solver_options: dict[str, Any] | None = None,
    ) -> None:
        self.n_components = n_components
        self.init = init
        self.solver = solver
        self.beta_loss = beta_loss
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state
        self.alpha_W = alpha_W
        self.alpha_H = alpha_H
        self.l1_ratio = l1_ratio
        self.verbose = verbose
        self.shuffle = shuffle
        self.n_init = n_init
        self.solver_options = solver_options

    def fit(self, X: Any, y: Any = None, **params: Any) -> NMF:
        """Learn the components of X; see `fit_transform`."""
        self.fit_transform(X, **params)
        return self

    def fit_transform(self, X: Any, y: Any = None, W: Array | None = None, H: Array | None = None) -> Array:
        """Learn the components of X and return W.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : ignored
        W, H : array-like, optional
            The start, with ``init="custom"``.

        Returns
        -------
        W : ndarray of shape (n_samples, n_components)
        """
        self._validate_params()
        X = validate_data(self, X, accept_sparse=("csr", "csc"), dtype=[np.float64, np.float32])
        result, problem = self._run(X, W, H, update_H=True)
        self.components_ = result.H
        self.n_components_ = result.H.shape[0]
        self.n_iter_ = result.n_iter
        if problem.beta == 2.0 and problem.dtype == np.float64 and not problem.penalised:
            data_loss = result.loss  # to 1e-7 of itself, without another pass over X
        else:
            data_loss = objective(problem, result.W, result.H) - penalty(problem, result.W, result.H)
        self.reconstruction_err_ = float(np.sqrt(2.0 * max(data_loss, 0.0)))
        self.trace_ = result.trace
        self.stop_ = result.stop
        self.solver_ = result.request.solver
        return result.W

    def transform(self, X: Any) -> Array:
        """Return W for new samples, the components kept.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        W : ndarray of shape (n_samples, n_components)
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=("csr", "csc"), dtype=[np.float64, np.float32], reset=False)
        result, _ = self._run(X, None, self.components_.astype(X.dtype, copy=False), update_H=False)
        return result.W

    def inverse_transform(self, X: Any) -> Array:
        """Return the product of X (n_samples × n_components) with the components."""
        check_is_fitted(self)
        return X @ self.components_

    @property
    def _n_features_out(self) -> int:
        return self.components_.shape[0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _run(self, X: Any, W: Any, H: Any, *, update_H: bool) -> tuple[FitResult, Problem]:
        """Check as scikit-learn checks, fit, and warn as it warns."""
        beta = beta_of(self.beta_loss)
        if self.solver != "auto" and not solvers.get(self.solver).handles(beta):
            raise ValueError(
                f"Invalid beta_loss parameter: solver {self.solver!r} does not handle beta_loss = {self.beta_loss!r}"
            )
        if self.solver == "mu" and self.init == "nndsvd":
            warnings.warn(
                "The multiplicative update ('mu') solver cannot update zeros present in the initialization, and so "
                "leads to poorer results when used jointly with init='nndsvd'. You may try init='nndsvda' or "
                "init='nndsvdar' instead.",
                UserWarning,
                stacklevel=3,
            )
        check_non_negative(X, "NMF (input X)")
        problem = prepare(
            X,
            beta=beta,
            alpha_W=self.alpha_W,
            alpha_H=self.alpha_H,
            l1_ratio=self.l1_ratio,
            update_H=update_H,
            floor=float(np.finfo(np.float32).eps) if self.solver == "mu" else None,  # where scikit-learn clamps WH
        )
        W, H, init = self._start(X, W, H, update_H)
        options = dict(self.solver_options or {})
        if self.solver == "cd":
            options.setdefault("shuffle", self.shuffle)
        elif self.solver == "mu":
            options.setdefault("as_scikit_learn", True)
        request = FitRequest(
            rank=self._n_components,
            solver=self.solver,
            loss=self.beta_loss,
            init=init,
            seed=self._seed(),
            n_restarts=self.n_init if update_H else 1,
            max_iter=self.max_iter,
            tol=min(self.tol, 1.0),
            stop_rule="scikit-learn" if self.solver in ("cd", "mu") else "loss",
            alpha_W=self.alpha_W,
            alpha_H=self.alpha_H,
            l1_ratio=self.l1_ratio,
            options=tuple(options.items()),
        )
        result = advance_to_end(problem, request, W=W, H=H, report=print if self.verbose else None)
        if result.n_iter == self.max_iter and self.tol > 0:
            warnings.warn(
                f"Maximum number of iterations {self.max_iter} reached. Increase it to improve convergence.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return result, problem

    def _start(self, X: Any, W: Any, H: Any, update_H: bool) -> tuple[Array | None, Array | None, str]:
        """Return W, H and the name of the start; sets ``_n_components``."""
        n, m = X.shape
        rank: Any = m if self.n_components is None else self.n_components
        if not update_H:
            if W is not None:
                message = "When update_H=False, the provided initial W is not used."
                warnings.warn(message, RuntimeWarning, stacklevel=4)
            H = _given(H, (rank, m), "NMF (input H)")
            if H.dtype != X.dtype:
                raise TypeError(f"H should have the same dtype as X. Got H.dtype = {H.dtype}.")
            self._n_components = H.shape[0]
            return None, H, "custom"
        if self.init == "custom":
            H = _given(H, (rank, m), "NMF (input H)")
            W = _given(W, (n, H.shape[0] if rank == "auto" else rank), "NMF (input W)")
            if H.dtype != X.dtype or W.dtype != X.dtype:
                raise TypeError(
                    f"H and W should have the same dtype as X. Got H.dtype = {H.dtype} and W.dtype = {W.dtype}."
                )
            self._n_components = H.shape[0]
            return W, H, "custom"
        if W is not None or H is not None:
            warnings.warn(
                "When init!='custom', provided W or H are ignored. Set  init='custom' to use them as initialization.",
                RuntimeWarning,
                stacklevel=4,
            )
        self._n_components = m if rank == "auto" else rank
        if self.init is None:
            return None, None, "nndsvda" if self._n_components <= min(n, m) else "random"
        return None, None, self.init

    def _seed(self) -> int:
        """Return an int: `random_state` itself, or one drawn from it."""
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))


def _given(F: Any, shape: tuple[Any, Any], whom: str) -> Array:
    """Check a factor given by the caller, in scikit-learn's words; ``"auto"`` leaves a length open."""
    F = check_array(F)
    for axis, word in enumerate(("first", "second")):
        if shape[axis] != "auto" and F.shape[axis] != shape[axis]:
            raise ValueError(
                f"Array with wrong {word} dimension passed to {whom}. Expected {shape[axis]}, but got {F.shape[axis]}."
            )
    check_non_negative(F, whom)
    if np.max(F) == 0:
        raise ValueError(f"Array passed to {whom} is full of zeros.")
    return F


def non_negative_factorization(
    X: Any,
    W: Any = None,
    H: Any = None,
    n_components: Any = "auto",
    *,
    update_H: bool = True,
    **params: Any,
) -> tuple[Array, Array, int]:
    """Return W, H and the number of iterations, as ``sklearn.decomposition.non_negative_factorization``.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
    W, H : array-like, optional
        The start, with ``init="custom"``; H alone with ``update_H=False``.
    n_components : int, "auto" or None
    update_H : bool
        False: seek W only.
    **params
        Of :class:`NMF`.
    """
    model = NMF(n_components, **params)
    model._validate_params()
    X = check_array(X, accept_sparse=("csr", "csc"), dtype=[np.float64, np.float32])
    result, _ = model._run(X, W, H, update_H=update_H)
    return result.W, result.H, result.n_iter
