"""scikit-learn's own tests of NMF, run with our estimator in place of theirs."""

import inspect
import warnings
from types import FunctionType

import pytest
from sklearn.decomposition import NMF as ReferenceNMF

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what scikit-learn's module does while it is imported is not ours to judge
    from sklearn.decomposition.tests import test_nmf as theirs

from nmf_core.estimator import NMF, non_negative_factorization

# Tests of MiniBatchNMF and of private functions say nothing about the class.
APPLICABLE = [
    "test_convergence_warning",
    "test_parameter_checking",
    "test_nmf_fit_nn_output",
    "test_nmf_fit_close",
    "test_nmf_true_reconstruction",
    "test_nmf_transform",
    "test_nmf_transform_custom_init",
    "test_nmf_inverse_transform",
    "test_n_components_greater_n_features",
    "test_nmf_sparse_input",
    "test_nmf_sparse_transform",
    "test_non_negative_factorization_consistency",
    "test_non_negative_factorization_checking",
    "test_nmf_multiplicative_update_sparse",
    "test_nmf_negative_beta_loss",
    "test_nmf_regularization",
    "test_nmf_decreasing",
    "test_nmf_dtype_match",
    "test_nmf_float32_float64_consistency",
    "test_nmf_custom_init_dtype_error",
    "test_nmf_minibatchnmf_equivalence",
    "test_feature_names_out",
    "test_nmf_n_components_auto",
    "test_nmf_non_negative_factorization_n_components_auto",
    "test_nmf_n_components_auto_no_h_update",
    "test_nmf_w_h_not_used_warning",
    "test_nmf_custom_init_shape_error",
    "test_nmf_smoke",
]


def _swapped(value):
    return NMF if value is ReferenceNMF else value


def _cases():
    """Expand each applicable test over its own parametrization, with the class swapped in the parameters too."""
    for name in APPLICABLE:
        test = getattr(theirs, name)
        sets = [{}]
        for mark in getattr(test, "pytestmark", []):
            if mark.name != "parametrize":
                continue
            names = mark.args[0]
            names = [n.strip() for n in names.split(",")] if isinstance(names, str) else list(names)
            values = [v if len(names) > 1 else (v,) for v in mark.args[1]]
            sets = [
                {**chosen, **dict(zip(names, map(_swapped, value), strict=True))} for chosen in sets for value in values
            ]
        for i, chosen in enumerate(sets):
            if theirs.MiniBatchNMF not in chosen.values():
                yield pytest.param(test, chosen, id=f"{name}-{i}")


@pytest.mark.parametrize(("test", "arguments"), list(_cases()))
def test_their_test_passes_with_our_class(test, arguments, monkeypatch):
    """The test body is theirs; only the names NMF and non_negative_factorization now mean ours."""
    monkeypatch.setattr(theirs, "NMF", NMF)
    monkeypatch.setattr(theirs, "non_negative_factorization", non_negative_factorization)
    body = inspect.unwrap(test)
    assert isinstance(body, FunctionType)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # their own suite ignores warnings it does not ask for
        body(**arguments)


def test_the_swap_really_reaches_our_class(monkeypatch):
    """A test of theirs must fail when our class is broken: else the module above would prove nothing."""

    class Broken(NMF):
        def transform(self, X):
            return super().transform(X) + 1.0

    monkeypatch.setattr(theirs, "NMF", Broken)
    with pytest.raises(AssertionError):
        inspect.unwrap(theirs.test_nmf_transform)("cd")
