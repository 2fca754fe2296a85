"""EM: it climbs, it fills gaps exactly, and it survives what breaks naive code."""

import numpy as np
import pytest
import torch

from tests.models.classical_generative import small_data as data
from versus.models.classical_generative import mixture as mixture_module
from versus.models.classical_generative.mixture import GaussianMixture, GaussianMixtureClassifier
from versus.numerics.covariances import STRUCTURES, Regularisation, structure
from versus.numerics.machine import placement
from versus.numerics.missing import completed_scatter
from versus.numerics.mixtures import Mixture, SinglePrecision, em, expected_moments
from versus.numerics.normals import FullNormals

ALL = list(STRUCTURES)


def blobs(n=400, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(3, 4)) * 3
    return centres[rng.integers(0, 3, n)] + rng.normal(size=(n, 4)) @ rng.normal(size=(4, 4))


def with_gaps(X, share=0.2, seed=0):
    gaps = X.copy()
    gaps[np.random.default_rng(seed).random(X.shape) < share] = np.nan
    return gaps


@pytest.mark.parametrize("covariance", ALL)
@pytest.mark.parametrize("gaps", [False, True])
def test_em_never_decreases_the_likelihood(covariance, gaps):
    X = with_gaps(blobs()) if gaps else blobs()
    for seed in range(3):
        model = GaussianMixture(5, covariance, max_iter=60, tol=0, pseudo_counts=0, var_smoothing=0)
        model.random_state = seed
        trace = model.fit(X).trace_
        assert len(trace) == 60
        assert np.diff(trace).min() > -1e-9
        assert trace[-1] > trace[0]


@pytest.mark.parametrize("covariance", ["full", "diag"])
def test_with_pseudo_counts_em_never_decreases_the_posterior(covariance):
    X, pseudo = blobs(), 3.0
    prior = X.var(axis=0)

    def penalty(mixture):
        full = mixture.expanded()
        fit = np.einsum("kii,i->k", np.linalg.inv(full), prior)
        return -0.5 * pseudo * (np.linalg.slogdet(full)[1] + fit).sum()

    objective = []
    for steps in range(1, 25):
        model = GaussianMixture(
            6, covariance, max_iter=steps, tol=0, pseudo_counts=pseudo, var_smoothing=0, random_state=0
        )
        mixture = model.fit(X).mixture_
        objective.append(model.log_prob(X).sum() + penalty(mixture))
    assert np.diff(objective).min() > -1e-8


@pytest.mark.parametrize("covariance", ALL)
def test_with_one_component_and_no_gaps_the_fit_is_the_sample_moments(covariance):
    X = blobs()
    mixture = GaussianMixture(1, covariance, pseudo_counts=0, var_smoothing=0, random_state=0).fit(X).mixture_
    full = np.cov(X.T, bias=True)
    expected = {
        "full": full[None],
        "tied": full,
        "diag": np.diag(full)[None],
        "spherical": np.diag(full).mean()[None],
    }[covariance]
    np.testing.assert_allclose(mixture.means[0], X.mean(axis=0))
    np.testing.assert_allclose(mixture.covariances, expected)


def test_gaps_are_filled_with_what_the_rest_of_the_row_says():
    rng = np.random.default_rng(0)
    mean, covariance = rng.normal(size=3), np.cov(rng.normal(size=(3, 50)))
    row = np.array([[0.3, np.nan, -1.2]])
    first, scatter = completed_scatter(row, np.ones((1, 1)), mean[None], covariance[None])
    slopes = covariance[1, [0, 2]] @ np.linalg.inv(covariance[np.ix_([0, 2], [0, 2])])
    expected = mean[1] + slopes @ (row[0, [0, 2]] - mean[[0, 2]])
    deviation = np.array([0.3, expected, -1.2]) - mean
    np.testing.assert_allclose(first[0], deviation)
    spread = np.zeros((3, 3))
    spread[1, 1] = covariance[1, 1] - slopes @ covariance[[0, 2], 1]
    np.testing.assert_allclose(scatter[0], np.outer(deviation, deviation) + spread)


def test_a_fit_on_gaps_finds_the_clusters():
    rng = np.random.default_rng(3)
    centres = np.array([[0.0, 0.0, 0.0], [6.0, 0.0, 3.0], [0.0, 6.0, -3.0]])
    X = centres[rng.integers(0, 3, 600)] + rng.normal(size=(600, 3))
    mixture = GaussianMixture(3, "full", n_init=3, random_state=0).fit(with_gaps(X, 0.25)).mixture_
    found = mixture.means[np.argsort(mixture.means @ [1.0, 2.0, 0.0])]
    np.testing.assert_allclose(found, centres, atol=0.35)


@pytest.mark.parametrize("covariance", ALL)
def test_more_starts_are_no_worse(covariance):
    X = blobs(150)
    one, many = (GaussianMixture(6, covariance, n_init=s, random_state=1).fit(X) for s in (1, 6))
    assert many.trace_[-1] >= one.trace_[-1]


def degenerate():
    rng = np.random.default_rng(0)
    yield "more components than points", rng.normal(size=(3, 2))
    yield "one point", rng.normal(size=(1, 2))
    yield "duplicates", np.repeat(rng.normal(size=(2, 3)), 20, axis=0)
    yield "one value", np.full((10, 2), 7.0)
    yield "more columns than rows", rng.normal(size=(8, 30))
    yield "a constant column", np.column_stack([rng.normal(size=50), np.full(50, 1e6)])
    yield "a copied column", np.repeat(rng.normal(size=(50, 1)), 2, axis=1)
    yield "far clusters", np.concatenate([rng.normal(size=(20, 2)), rng.normal(size=(20, 2)) + 1e8])
    yield "tiny units", rng.normal(size=(40, 2)) * 1e-150
    yield "an outlier", np.concatenate([rng.normal(size=(50, 2)), [[1e12, -1e12]]])
    yield "a column that nobody has", np.column_stack([rng.normal(size=20), np.full(20, np.nan)])
    yield "a row with nothing", np.concatenate([rng.normal(size=(20, 2)), np.full((1, 2), np.nan)])


@pytest.mark.parametrize("covariance", ALL)
@pytest.mark.parametrize("pseudo_counts", [0.0, 1.0, "auto"])
@pytest.mark.parametrize("X", [X for _, X in degenerate()], ids=[what for what, _ in degenerate()])
def test_survives(X, covariance, pseudo_counts):
    model = GaussianMixture(5, covariance, pseudo_counts=pseudo_counts, n_init=2, max_iter=50, random_state=0).fit(X)
    mixture = model.mixture_
    assert np.isfinite(model.trace_).all()
    assert np.isfinite(model.log_prob(X)).all()
    assert np.isfinite(model.sample(10, random_state=0)).all()
    np.testing.assert_allclose(mixture.weights.sum(), 1.0)
    assert (np.linalg.eigvalsh(mixture.expanded()) > 0).all()


def test_a_component_that_no_row_belongs_to_does_no_harm():
    X = blobs()
    means = np.array([X.mean(axis=0), np.full(4, 1e6)])
    start = Mixture(structure("full"), np.full(2, 0.5), means, np.stack([np.eye(4)] * 2))
    model = GaussianMixture(2, "full", max_iter=30, pseudo_counts=0).fit(X, start=start)
    np.testing.assert_allclose(model.mixture_.weights, [1, 0], atol=1e-12)
    np.testing.assert_allclose(model.mixture_.means[0], X.mean(axis=0))


def test_a_singular_covariance_without_regularisation_says_what_helps():
    X = np.random.default_rng(0).normal(size=(8, 30))
    with pytest.raises(ValueError, match="pseudo-counts"):
        GaussianMixture(2, "full", pseudo_counts=0, var_smoothing=0, random_state=0).fit(X)


@pytest.mark.parametrize(("name", "value"), [("n_components", 0), ("n_init", 0), ("max_iter", 0)])
def test_counts_below_one_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name}=0"):
        GaussianMixture(**{name: value}).fit(blobs())


@pytest.mark.parametrize("value", [-1.0, "some"])
def test_pseudo_counts_out_of_range_are_refused(value):
    with pytest.raises(ValueError, match=f"pseudo_counts={value!r}; accepted: float from 0 up to 1e\\+50, 'auto'"):
        GaussianMixture(pseudo_counts=value).fit(blobs())


def test_pseudo_counts_keep_small_components_from_overfitting():
    rng = np.random.default_rng(0)
    X, fresh = rng.normal(size=(60, 10)), rng.normal(size=(500, 10))
    without, some = (GaussianMixture(3, pseudo_counts=p, random_state=0).fit(X) for p in (0.0, "auto"))
    assert some.log_prob(fresh).mean() > without.log_prob(fresh).mean() + 2
    assert some.pseudo_counts_ == 12.0  # 2 and the 10 columns


def test_pseudo_counts_are_few_where_many_rows_tell_the_shape():
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(1200, 4)) * [1.0, 1.0, 0.02, 0.02] + 3 * rng.integers(0, 2, size=(1200, 1))
    X, fresh = flat[:300], flat[300:]
    usual, chosen = (GaussianMixture(2, pseudo_counts=p, random_state=0).fit(X) for p in (6.0, "auto"))
    assert chosen.pseudo_counts_ == 0.1
    assert chosen.log_prob(fresh).mean() > usual.log_prob(fresh).mean() + 1


def test_an_unknown_structure_is_refused():
    with pytest.raises(ValueError, match=r"'round'.*'full', 'tied'"):
        GaussianMixtureClassifier(covariance_type="round").fit(*data.numeric_table())


def test_units_do_not_matter():
    X, y = data.numeric_table()
    units, shift = np.array([1e5, 1e-4, 3.0]), np.array([1e3, -7.0, 0.5])
    for covariance in ("full", "tied", "diag"):
        plain = GaussianMixtureClassifier(3, covariance, random_state=0).fit(X, y)
        scaled = GaussianMixtureClassifier(3, covariance, random_state=0).fit(X * units + shift, y)
        np.testing.assert_allclose(plain.predict_proba(X), scaled.predict_proba(X * units + shift), atol=1e-5)
        log_jacobian = -np.log(units).sum()
        np.testing.assert_allclose(scaled.log_prob(X * units + shift), plain.log_prob(X) + log_jacobian, atol=1e-4)


def many_rows(dtype):
    """Enough rows for several slabs."""
    return blobs(10_000, seed=2).astype(dtype)


@pytest.mark.parametrize("covariance", ALL)
def test_single_precision_follows_double(covariance):
    double, single = (
        GaussianMixture(4, covariance, max_iter=15, tol=0, random_state=0).fit(many_rows(t))
        for t in (np.float64, np.float32)
    )
    np.testing.assert_allclose(single.trace_, double.trace_, rtol=1e-5)
    np.testing.assert_allclose(single.mixture_.means, double.mixture_.means, atol=1e-2)


@pytest.mark.parametrize("covariance", ALL)
def test_the_e_step_in_torch_gives_the_same_sums(covariance):
    X = many_rows(np.float64)
    mixture = GaussianMixture(4, covariance, max_iter=3, random_state=0).fit(X).mixture_
    here, there = (expected_moments(rows, mixture) for rows in (X, torch.from_numpy(X)))
    for name in ("totals", "first", "scatter"):
        np.testing.assert_allclose(getattr(there, name), getattr(here, name), rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(there.log_likelihood, here.log_likelihood)


def test_the_gpu_is_asked_for_by_name():
    rows = np.zeros((2, 2))
    assert placement("cpu", 1e20)(rows) is rows
    assert placement("auto", 1.0)(rows) is rows
    with pytest.raises(ValueError, match=r"'gpu'.*'cuda'"):
        placement("gpu", 1.0)


def test_far_from_the_origin_no_digits_are_lost():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 3))
    covariance = np.cov(X.T)[None]
    near = FullNormals(np.zeros((1, 3)), covariance).log_density(X)
    # 2^20: shifting by a power of two rounds X itself by a known, small amount.
    far = FullNormals(np.full((1, 3), 2.0**20), covariance).log_density(X + 2.0**20)
    np.testing.assert_allclose(far, near, atol=1e-6)


def hard_start(X, components):
    """Components at the first rows, as wide as all rows."""
    wide = np.stack([np.diag(X.var(axis=0))] * components)
    return Mixture(structure("full"), np.full(components, 1 / components), X[:components].copy(), wide)


class Counted(SinglePrecision):
    """Counts the steps in single precision."""

    steps = 0

    def moments(self, mixture):
        self.steps += 1
        return super().moments(mixture)


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_steps_in_single_precision_end_where_double_precision_does(shift):
    X = many_rows(np.float64) + shift
    regular = Regularisation(X.var(axis=0), 0.0, 1e-9 * X.var(axis=0))
    rough = Counted(X)
    double, trace = em(X, hard_start(X, 3), 200, 1e-9, regular)
    mixed, mixed_trace = em(X, hard_start(X, 3), 200, 1e-9, regular, rough)
    assert 5 < rough.steps < len(mixed_trace)
    shared = min(rough.steps, len(trace))
    np.testing.assert_allclose(mixed_trace[:shared], trace[:shared], rtol=1e-5)
    np.testing.assert_allclose(mixed_trace[-1], trace[-1], rtol=0, atol=1e-8)
    np.testing.assert_allclose(mixed.means, double.means, rtol=0, atol=1e-3)
    np.testing.assert_allclose(mixed.covariances, double.covariances, rtol=0, atol=1e-3 * double.covariances.max())


def test_the_last_step_is_in_double_precision():
    X = many_rows(np.float64)
    regular = Regularisation(X.var(axis=0), 0.0, 0 * X.var(axis=0))
    rough = Counted(X)
    mixture, trace = em(X, hard_start(X, 3), 4, 0.0, regular, rough)
    assert (rough.steps, len(trace)) == (3, 4)
    assert mixture.means.dtype == np.float64


def test_single_precision_is_not_asked_what_it_cannot_see():
    X = blobs(500)
    far = np.concatenate([X, X + 1e6])  # rounded by 0.06 in float32, wherever the centre is
    assert SinglePrecision(X).moments(hard_start(X, 3)) is not None
    narrow = Mixture(structure("full"), np.full(2, 0.5), far[[0, -1]], np.stack([np.cov(X.T)] * 2))
    assert SinglePrecision(far).moments(narrow) is None
    noise = 1e-4 * np.random.default_rng(0).normal(size=len(X))
    copied = np.column_stack([X, X[:, 0] + noise])  # two columns that differ by hardly more than float32 tells
    thin = Mixture(structure("full"), np.ones(1), copied.mean(axis=0)[None], np.cov(copied.T)[None])
    assert SinglePrecision(copied).moments(thin) is None


def test_long_fits_in_double_precision_begin_in_single(monkeypatch):
    taken = []
    monkeypatch.setattr(mixture_module, "_LONG", 1.0)
    monkeypatch.setattr(Counted, "moments", lambda self, m: taken.append(1) or super(Counted, self).moments(m))
    monkeypatch.setattr(mixture_module, "SinglePrecision", Counted)
    X = blobs(2000)
    GaussianMixture(3, max_iter=20, random_state=0).fit(X)
    assert taken
    taken.clear()
    GaussianMixture(3, "diag", max_iter=20, random_state=0).fit(X)
    GaussianMixture(3, max_iter=20, random_state=0).fit(X.astype(np.float32))
    GaussianMixture(3, max_iter=20, random_state=0).fit(with_gaps(X))
    assert not taken
