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


def test_bins_hold_every_row_once_and_about_as_many():
    rng = np.random.default_rng(1)
    sure = rng.uniform(0.5, 1.0, 1000)
    y = (rng.random(1000) > sure).astype(int)
    bins = reliability(y, np.stack([sure, 1 - sure], axis=1))
    np.testing.assert_array_equal(bins.count, np.full(10, 100))
    assert (np.diff(bins.confidence) > 0).all()
    assert float(bins.accuracy @ bins.count) == (y == 0).sum()
    assert np.mean((bins.low <= bins.confidence) & (bins.confidence <= bins.high)) >= 0.8  # calibrated as drawn
    again = reliability(np.tile(y, 4), np.tile(np.stack([sure, 1 - sure], axis=1), (4, 1)), distinct=0.25)
    np.testing.assert_allclose([again.low, again.high], [bins.low, bins.high])  # rows tested again add no certainty


def test_equal_confidences_share_a_bin_and_few_rows_make_few():
    probabilities = np.array([[0.9, 0.1]] * 150 + [[0.4, 0.6]] * 50)
    bins = reliability(np.zeros(200, int), probabilities)
    np.testing.assert_array_equal(bins.count, [50, 150])
    np.testing.assert_allclose(bins.accuracy, [0, 1])
    assert len(reliability(np.array([0, 0, 1, 1]), probabilities[:4]).count) == 1
