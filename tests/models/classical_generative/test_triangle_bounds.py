"""The bounded E-step: the sums of the whole one, whatever mixtures follow one another, and late in a climb for less."""

from dataclasses import replace

import numpy as np
import pytest

from versus.numerics import gaussian_mixture
from versus.numerics.covariance import Regularisation, structure
from versus.numerics.expectation_maximisation import Mixture, expected_moments, maximise
from versus.numerics.full import FullNormals
from versus.numerics.gaussian_mixture import GaussianMixture
from versus.numerics.triangle_bounds import BoundedMoments

COMPONENTS, COLUMNS = 6, 8


def clusters(n=20_000, separation=9.0):
    """Enough rows for several slabs."""
    rng = np.random.default_rng(0)
    centres = separation * rng.normal(size=(COMPONENTS, COLUMNS))
    shapes = rng.normal(size=(COMPONENTS, COLUMNS, COLUMNS))
    component = rng.integers(0, COMPONENTS, n)
    return centres[component] + np.einsum("nij,nj->ni", shapes[component], rng.normal(size=(n, COLUMNS)))


def some_mixture(X, rng):
    """Components anywhere, of any width."""
    spread = rng.normal(size=(COMPONENTS, COLUMNS, COLUMNS)) * rng.uniform(0.1, 3, (COMPONENTS, 1, 1))
    covariances = spread @ spread.transpose(0, 2, 1) + 0.05 * np.eye(COLUMNS)
    means = X[rng.choice(len(X), COMPONENTS)]
    return Mixture(structure("full"), rng.dirichlet(np.ones(COMPONENTS)), means, covariances)


def nudged(mixture, amount, rng):
    """Moved a little: means by a share of their deviations, covariances by a linear map near 1."""
    scale = np.sqrt(np.diagonal(mixture.covariances, axis1=1, axis2=2))
    near_one = np.eye(COLUMNS) + amount * rng.normal(size=mixture.covariances.shape) / COLUMNS
    return replace(
        mixture,
        means=mixture.means + amount * scale * rng.normal(size=mixture.means.shape),
        covariances=near_one @ mixture.covariances @ near_one.transpose(0, 2, 1),
    )


def assert_same_sums(found, wanted):
    np.testing.assert_allclose(found.log_likelihood, wanted.log_likelihood, rtol=1e-13)
    np.testing.assert_allclose(found.totals, wanted.totals, rtol=1e-9, atol=1e-9)
    scatter = np.abs(wanted.scatter).max()
    np.testing.assert_allclose(found.scatter, wanted.scatter, rtol=1e-9, atol=1e-11 * scatter)
    # at a maximum the first moments cancel; by Cauchy and Schwarz they could be as large as this root
    largest = np.sqrt(wanted.totals.max() * scatter)
    np.testing.assert_allclose(found.first, wanted.first, rtol=1e-9, atol=1e-11 * largest)


@pytest.fixture
def evaluated(monkeypatch):
    """How many rows were evaluated for all components, call by call."""
    counts, whole = [], FullNormals.evaluate
    monkeypatch.setattr(FullNormals, "evaluate", lambda self, rows: counts.append(len(rows)) or whole(self, rows))
    return counts


def test_along_a_climb_the_sums_are_those_of_all_components_and_cost_less(evaluated):
    X, rng = clusters(), np.random.default_rng(1)
    regular = Regularisation(X.var(axis=0), 0.0, 1e-9 * X.var(axis=0))
    bounded, mixture, whole = BoundedMoments(X), some_mixture(X, rng), []
    for _ in range(60):
        wanted = expected_moments(X, mixture)
        evaluated.clear()
        found = bounded(mixture)
        whole.append(sum(evaluated))
        assert_same_sums(found, wanted)
        mixture = maximise(mixture.structure, wanted, mixture.means, regular)
    assert whole[0] == len(X)
    assert whole[-20:] == [0] * 20


@pytest.mark.parametrize("amount", [0.0, 1e-3, 0.03, 0.3])
def test_after_any_moves_the_sums_are_those_of_all_components(amount):
    rng = np.random.default_rng(2)
    X = clusters()
    X[:50] *= 1e3  # far from everything: distances are large, and their differences small
    X[50:60] *= 1e8
    bounded, mixture = BoundedMoments(X), some_mixture(X[60:], rng)
    for step in range(12):
        mixture = some_mixture(X[60:], rng) if step == 6 else nudged(mixture, amount, rng)
        assert_same_sums(bounded(mixture), expected_moments(X, mixture))


def test_components_on_one_spot_share_their_rows():
    X, rng = clusters(), np.random.default_rng(3)
    mixture = some_mixture(X, rng)
    mixture.means[1], mixture.covariances[1] = mixture.means[0], mixture.covariances[0]
    bounded = BoundedMoments(X)
    for _ in range(3):
        assert_same_sums(bounded(mixture), expected_moments(X, mixture))
    weights = np.array([1e-300, 0.5, 0.2, 0.1, 0.1, 0.1])
    mixture = replace(mixture, weights=weights)  # which of the two wins changes at once
    assert_same_sums(bounded(mixture), expected_moments(X, mixture))


def test_the_kept_distances_are_lower_bounds(evaluated):
    X, rng = clusters(3000), np.random.default_rng(4)
    bounded, mixture = BoundedMoments(X), some_mixture(X, rng)
    mixture = replace(mixture, means=mixture.means * 3)  # apart
    kept = 0
    for _ in range(30):
        mixture = nudged(mixture, 1e-3, rng)
        evaluated.clear()
        bounded(mixture)
        whitened = np.einsum("kij,knj->kni", mixture.normals.inverse, X - mixture.means[:, None])
        distances = np.linalg.norm(whitened, axis=2)
        assert (bounded._nearest <= distances * (1 + 1e-6)).all()
        assert (bounded._nearest >= 0.5 * distances).all()  # and not empty ones
        kept += not evaluated
    assert kept > 20


def test_a_component_that_only_moves_is_followed():
    X, rng = clusters(3000), np.random.default_rng(6)
    start = some_mixture(X, rng)
    bounded, away = BoundedMoments(X), 300.0 * np.eye(1, COLUMNS)
    moving = np.eye(COMPONENTS)[:, :1]  # one comes and goes; widths stay, so what bounds the distances is the way alone
    for share in [*np.linspace(1.0, 0.0, 40), *np.linspace(0.0, 1.0, 8)]:
        mixture = replace(start, means=start.means + share * moving * away)
        assert_same_sums(bounded(mixture), expected_moments(X, mixture))


def test_another_number_of_components_starts_anew():
    X, rng = clusters(500), np.random.default_rng(5)
    bounded, mixture = BoundedMoments(X), some_mixture(X, rng)
    bounded(mixture)
    fewer = Mixture(mixture.structure, np.ones(2) / 2, mixture.means[:2], mixture.covariances[:2])
    assert_same_sums(bounded(fewer), expected_moments(X, fewer))


def test_long_fits_end_where_short_ones_do(monkeypatch, evaluated):
    X = clusters()
    plain = GaussianMixture(COMPONENTS, starts=2, steps=60, tolerance=0, random_state=0).fit(X)
    rows_of_plain = sum(evaluated)
    evaluated.clear()
    monkeypatch.setattr(gaussian_mixture, "_LONG", 1.0)
    fast = GaussianMixture(COMPONENTS, starts=2, steps=60, tolerance=0, random_state=0).fit(X)
    assert sum(evaluated) < 0.7 * rows_of_plain
    np.testing.assert_allclose(fast.trace_[-1], plain.trace_[-1], rtol=0, atol=1e-9)
    # both starts may reach the same maximum, in another order: densities do not depend on it
    np.testing.assert_allclose(fast.log_prob(X), plain.log_prob(X), rtol=0, atol=1e-5)
