import numpy as np

from versus.statistics.pareto import pareto_front


def test_front_by_hand():
    seconds = np.array([1.0, 2.0, 3.0, 2.0, 1.0, np.nan])
    accuracy = np.array([0.7, 0.9, 0.8, 0.9, 0.6, 1.0])
    np.testing.assert_array_equal(pareto_front(seconds, accuracy), [True, True, False, True, False, False])


def test_front_is_what_a_sweep_finds():
    rng = np.random.default_rng(0)
    cost, gain = rng.random(200), rng.random(200)
    best, expected = -1.0, np.zeros(200, bool)
    for i in np.argsort(cost):
        expected[i] = gain[i] > best
        best = max(best, gain[i])
    np.testing.assert_array_equal(pareto_front(cost, gain), expected)
