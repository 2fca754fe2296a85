import numpy as np
import pytest
import scikit_posthocs
from scipy.stats import friedmanchisquare

from versus.statistics.ranks import critical_difference, friedman, indistinct_groups, rank_rows, win_rates

# Demšar (2006), table 6: AUC of C4.5, C4.5+m, C4.5+cf and C4.5+m+cf on 14 data sets. Two values are given a digit
# more than is printed where the printed ranks show that they were not tied ("voting").
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)


def test_demsar_ranks_and_friedman():
    found = friedman(rank_rows(DEMSAR))
    np.testing.assert_allclose(found.mean_ranks, [3.143, 2.000, 2.893, 1.964], atol=5e-4)
    assert found.chi_square == pytest.approx(9.28, abs=0.005)
    assert found.f_statistic == pytest.approx(3.69, abs=0.005)
    assert found.p_value < 0.05  # the paper: F(3, 39) = 2.85 at 0.05, so the hypothesis is rejected


def test_demsar_critical_difference():
    assert critical_difference(4, 14, 0.05) == pytest.approx(1.25, abs=0.005)
    assert critical_difference(4, 14, 0.10) == pytest.approx(1.12, abs=0.005)
    # table 5(a): q at 0.05 for 2 and for 10 models
    assert critical_difference(2, 1) == pytest.approx(1.960 * np.sqrt(2 * 3 / 6), abs=1e-3)
    assert critical_difference(10, 1) == pytest.approx(3.164 * np.sqrt(10 * 11 / 6), abs=3e-3)


def test_agrees_with_libraries():
    scores = np.random.default_rng(0).normal(size=(9, 5)) + np.arange(5) * 0.6
    ranks = rank_rows(scores)
    assert friedman(ranks).chi_square == pytest.approx(friedmanchisquare(*scores.T).statistic)
    p = scikit_posthocs.posthoc_nemenyi_friedman(scores).to_numpy()
    mean_ranks = friedman(ranks).mean_ranks
    apart = np.abs(mean_ranks[:, None] - mean_ranks) > critical_difference(5, 9)
    np.testing.assert_array_equal(apart, p < 0.05)
    assert apart.any()
    assert not apart.all()


def test_ranks_by_hand():
    np.testing.assert_array_equal(rank_rows(np.array([[0.9, 0.8, 0.9, 0.1]])), [[1.5, 3, 1.5, 4]])
    np.testing.assert_array_equal(rank_rows(np.array([[3.0, 1.0, 2.0]]), higher_is_better=False), [[3, 1, 2]])


def test_unanimous_ranks_and_all_ties():
    assert friedman(rank_rows(np.tile([1.0, 2.0, 3.0], (6, 1)))).p_value == 0.0
    assert friedman(rank_rows(np.ones((6, 3)))).p_value == pytest.approx(1.0)


def test_groups():
    assert indistinct_groups(np.array([1.2, 1.9, 3.0, 3.1, 4.6]), 1.25) == [(0, 1), (1, 2, 3)]
    assert indistinct_groups(np.array([3.0, 1.0, 2.0]), 5.0) == [(1, 2, 0)]
    assert indistinct_groups(np.array([1.0, 9.0]), 1.0) == []


def test_refuses_one_dataset():
    with pytest.raises(ValueError, match="shape"):
        friedman(np.array([[1.0, 2.0]]))


def test_win_rates_by_hand():
    """Three data sets; the third model ran on two of them, and ties with the first on one."""
    scores = np.array([[0.9, 0.8, 0.9], [0.7, 0.8, np.nan], [0.9, 0.8, 0.95]])
    rates, met = win_rates(scores)
    np.testing.assert_allclose(rates, [[np.nan, 2 / 3, 0.25], [1 / 3, np.nan, 0], [0.75, 1, np.nan]])
    np.testing.assert_array_equal(met, [[3, 3, 2], [3, 3, 2], [2, 2, 2]])
    np.testing.assert_allclose(win_rates(scores, higher_is_better=False)[0], rates.T)
