import numpy as np
import pytest

from versus.metrics.classification import reliability
from versus.metrics.table import named

expected_calibration_error = named("expected_calibration_error").score


def test_by_hand():
    # two rows at 0.9, one of them right; two at 0.6, both right: 1/2 · |0.5 - 0.9| + 1/2 · |1 - 0.6|
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]])
    assert expected_calibration_error(np.array([0, 1, 0, 1]), probabilities) == pytest.approx(0.4)


def test_small_where_probabilities_are_meant_and_large_where_they_boast():
    rng = np.random.default_rng(0)
    meant = rng.uniform(0.5, 1.0, 20_000)
    y = (rng.random(20_000) > meant).astype(int)
    honest = np.stack([meant, 1 - meant], axis=1)
    boasting = np.stack([np.full(20_000, 0.999), np.full(20_000, 0.001)], axis=1)
    assert expected_calibration_error(y, honest) < 0.01
    assert expected_calibration_error(y, boasting) > 0.2


def test_bins_hold_every_row_once_also_at_the_ends():
    probabilities = np.array([[1.0, 0.0], [0.5, 0.5], [0.2, 0.8], [1 / 3, 2 / 3]])
    bins = reliability(np.array([0, 0, 1, 1]), probabilities, bins=3)
    np.testing.assert_array_equal(bins.count, [0, 2, 2])  # 0.5 and 2/3; 0.8 and 1
    np.testing.assert_allclose(bins.confidence, [0, (0.5 + 2 / 3) / 2, 0.9])
    np.testing.assert_allclose(bins.accuracy, [0, 1, 1])
    np.testing.assert_allclose(bins.high[:-1], bins.low[1:])
