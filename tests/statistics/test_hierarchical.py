import numpy as np
import pytest
from scipy.stats import norm

from versus.statistics.hierarchical import population

D, S = np.array([0.02, -0.01, 0.03, 0.0, 0.012]), np.array([0.01, 0.02, 0.015, 0.03, 0.005])


def test_equals_the_enumeration_of_mean_and_deviation():
    mu, tau = np.linspace(-0.4, 0.4, 1601)[:, None], np.linspace(0, 0.2, 801)[None, :] + 1e-9
    posterior = np.ones((1601, 801))
    for d, s in zip(D, S, strict=True):
        posterior *= norm.pdf(d, mu, np.hypot(s, tau))
    posterior /= posterior.sum()
    found = population(D, S, largest=0.2)
    assert found.mean == pytest.approx(float((posterior * mu).sum()), abs=1e-5)
    for halfwidth in (0.0, 0.01, 0.03):
        rope = found.next_one(halfwidth)
        assert rope.below == pytest.approx(float((posterior * norm.cdf(-halfwidth, mu, tau)).sum()), abs=2e-3)
        assert rope.above == pytest.approx(float((posterior * norm.sf(halfwidth, mu, tau)).sum()), abs=2e-3)
        assert rope.below + rope.within + rope.above == pytest.approx(1)
    of_mean = np.cumsum(posterior.sum(axis=1))
    low, high = found.interval(0.9)
    assert np.interp([low, high], mu[:, 0], of_mean) == pytest.approx([0.05, 0.95], abs=5e-3)


def test_many_exact_differences_give_their_own_mean_and_deviation():
    d = np.random.default_rng(0).normal(0.02, 0.03, 400)
    found = population(d, np.full(400, 1e-4))
    assert found.mean == pytest.approx(d.mean(), abs=1e-4)
    assert found.next_one(0.01).above == pytest.approx(norm.sf(0.01, d.mean(), d.std()), abs=0.01)
    half = np.diff(found.interval(0.95))[0] / 2
    assert half == pytest.approx(1.96 * d.std() / 20, rel=0.03)


def test_equal_models_are_practically_equal_on_the_next_data_set_and_different_ones_are_not():
    assert population(np.zeros(10), np.full(10, 0.002)).next_one(0.01).within > 0.95
    assert population(np.full(10, 0.05), np.full(10, 0.002)).next_one(0.01).above > 0.95


def test_interval_of_the_mean_covers_it():
    rng, covered = np.random.default_rng(1), []
    for _ in range(200):
        s = rng.uniform(0.005, 0.03, 8)
        low, high = population(rng.normal(0.01, np.hypot(s, 0.02)), s).interval(0.95)
        covered.append(low < 0.01 < high)
    assert 0.91 <= np.mean(covered) <= 0.995


@pytest.mark.parametrize(("d", "s"), [([0.1, 0.2], [0.1, 0.1]), ([0, 0, 0], [1, 1, 0]), ([0, 0, np.nan], [1, 1, 1])])
def test_too_few_or_unusable_differences_are_refused(d, s):
    with pytest.raises(ValueError, match="differences"):
        population(np.array(d, float), np.array(s, float))
