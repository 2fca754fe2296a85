import numpy as np
import pytest
import torch
from scipy import stats

from tests.models.classical_generative import small_data as data
from versus.models.classical_generative.kernel_density import KernelDensity
from versus.numerics.kernel_densities import kernel_sums, left_one_out, log_kernel_sums


def brute_force(X, points, widths):
    return np.log(
        [np.prod(stats.norm(points, widths).pdf(x), axis=1).mean() for x in X],
    )


def test_product_of_kernels():
    X, _ = data.numeric_table()
    model = KernelDensity(bandwidth=0.6).fit(X)
    np.testing.assert_allclose(model.widths_, 0.6 * X.std(axis=0, ddof=1))
    np.testing.assert_allclose(model.log_prob(X[:40]), brute_force(X[:40], X, model.widths_))


def test_far_queries_do_not_underflow():
    X, _ = data.numeric_table()
    model = KernelDensity().fit(X)
    far = X[:3] + 1e6 * X.std(axis=0)
    assert np.isfinite(model.log_prob(far)).all()
    assert (model.log_prob(far) < -1e10).all()


def test_leaving_one_out():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    by_hand = [brute_force(X[[i]], np.delete(X, i, axis=0), np.full(2, 0.4))[0] for i in range(len(X))]
    np.testing.assert_allclose(left_one_out(X, 0.4), np.mean(by_hand))


def test_cross_validation_finds_structure_that_the_rules_smooth_over():
    rng = np.random.default_rng(0)
    X = (rng.integers(0, 8, 600) * 10 + rng.normal(size=600))[:, None]
    fresh = (rng.integers(0, 8, 600) * 10 + rng.normal(size=600))[:, None]
    scott, found = (KernelDensity(rule, random_state=0).fit(X) for rule in ("scott", "cross_validation"))
    assert found.widths_[0] < 0.3 * scott.widths_[0]
    assert found.log_prob(fresh).mean() > scott.log_prob(fresh).mean() + 0.3


def test_kernels_stand_on_complete_rows():
    X, _ = data.numeric_table()
    gaps = X.copy()
    gaps[::3, 1] = np.nan
    model = KernelDensity().fit(gaps)
    np.testing.assert_array_equal(model.points_, np.delete(X, np.s_[::3], axis=0))
    gaps[:, 1] = np.nan
    with pytest.raises(ValueError, match="all 210 miss some"):
        KernelDensity().fit(gaps)


@pytest.mark.parametrize("X", [np.full((5, 2), 3.0), np.zeros((1, 2)), np.eye(3)[:, :2]])
def test_degenerate_rows(X):
    for rule in ("scott", "silverman", "cross_validation"):
        for kernel in ("product", "isotropic"):
            model = KernelDensity(rule, kernel, random_state=0).fit(X)
            assert (model.widths_ > 0).all()
            assert np.isfinite(model.log_prob(X)).all()


def test_sums_over_blocks_and_on_a_device_agree():
    rng = np.random.default_rng(0)
    queries, points = rng.normal(size=(3000, 3)) * 2, rng.normal(size=(900, 3))
    whole = np.log(np.exp(-0.5 * ((queries[:, None] - points) ** 2).sum(axis=2)).sum(axis=1))
    np.testing.assert_allclose(log_kernel_sums(queries, points), whole, rtol=1e-9)
    np.testing.assert_allclose(kernel_sums(torch.from_numpy(queries), torch.from_numpy(points)), whole, rtol=1e-9)


@pytest.mark.parametrize(("name", "value"), [("bandwidth", "widest"), ("bandwidth", 0.0), ("kernel", "box")])
def test_arguments_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=f"{name}={value!r}; accepted"):
        KernelDensity(**{name: value}).fit(data.numeric_table()[0])
