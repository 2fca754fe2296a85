import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from versus.metrics import curves
from versus.metrics.table import named, of_use
from versus.statistics.bootstrap import TwoLevelBootstrap


def weights_and_rows(n, rng):
    drawn = rng.integers(0, n, n)
    return np.bincount(drawn, minlength=n).astype(float)[None], np.repeat(np.arange(n), np.bincount(drawn, minlength=n))


@pytest.mark.parametrize("metric", of_use("classification"), ids=lambda m: m.name)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_weight_is_how_often_a_row_stands_there(metric, n_classes):
    rng = np.random.default_rng(0)
    y = rng.integers(0, n_classes, 90)
    p = np.round(rng.dirichlet(np.ones(n_classes), 90), 1) + 0.05  # rounded, so that scores tie
    p /= p.sum(axis=1, keepdims=True)
    score = metric.scorer(y, p).of
    for _ in range(5):
        weights, rows = weights_and_rows(90, rng)
        assert score(weights)[0] == pytest.approx(metric.score(y[rows], p[rows]), rel=1e-12)
    everything = np.ones((1, 90))
    assert score(everything)[0] == pytest.approx(metric.score(y, p), rel=1e-12)


@pytest.mark.parametrize("metric", of_use("regression"), ids=lambda m: m.name)
def test_values_too(metric):
    rng = np.random.default_rng(1)
    y = rng.normal(size=60)
    predicted = y + rng.normal(size=60)
    score = metric.scorer(y, predicted).of
    weights, rows = weights_and_rows(60, rng)
    assert score(weights)[0] == pytest.approx(metric.score(y[rows], predicted[rows]), rel=1e-9)


def test_a_draw_without_any_row_of_a_test_set_has_no_score():
    y, p = np.array([0, 1]), np.array([[0.8, 0.2], [0.4, 0.6]])
    for metric in of_use("classification"):
        found = metric.scorer(y, p).of(np.array([[0.0, 0.0], [1.0, 1.0]]))
        assert np.isnan(found[0]), metric.name
        assert np.isfinite(found[1]), metric.name


@pytest.mark.parametrize(
    ("name", "reference"), [("roc_auc", roc_auc_score), ("average_precision_score", average_precision_score)]
)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_areas_of_weighted_rows_are_scikit_learns(name, reference, n_classes, monkeypatch):
    monkeypatch.setattr(curves, "BLOCK", 200)  # two rows of weights at a time
    rng = np.random.default_rng(2)
    y, weights = rng.integers(0, n_classes, 90), rng.gamma(1.0, size=(5, 90)) * (rng.random((5, 90)) < 0.7)
    p = np.round(rng.dirichlet(np.ones(n_classes), 90), 1)  # with ties
    of = [1] if n_classes == 2 else range(n_classes)
    expected = [np.mean([reference(y == k, p[:, k], sample_weight=w) for k in of]) for w in weights]
    assert named(name).scorer(y, p).of(weights) == pytest.approx(expected, abs=1e-12)


def test_areas_have_an_interval_on_any_number_of_rows():
    """The deviation of an area is that of Hanley and McNeil (1982); binormal, so it is known, too."""
    rng, n = np.random.default_rng(3), 6000
    y = np.arange(n) % 2
    p = 1 / (1 + np.exp(-rng.normal(size=n) - y))
    found = TwoLevelBootstrap(n).mean([named("roc_auc").scorer(y, np.stack([1 - p, p], axis=1))])
    assert len(found.resamples) == 2000
    a, half = 0.7602, n / 2  # Φ(1 / √2)
    q1, q2 = a / (2 - a), 2 * a**2 / (1 + a)
    expected = np.sqrt((a * (1 - a) + (half - 1) * (q1 + q2 - 2 * a**2)) / half**2)
    assert found.resamples.std() == pytest.approx(expected, rel=0.08)
    low, high = found.interval(0.99)
    assert low < a < high


def test_an_area_needs_both_classes():
    area = named("roc_auc")
    y, p = np.array([0, 1, 1]), np.array([[0.8, 0.2], [0.4, 0.6], [0.5, 0.5]])
    found = area.scorer(y, p).of(np.array([[2.0, 1.0, 0.0], [0.0, 2.0, 1.0]]))
    assert found[0] == 1.0
    assert np.isnan(found[1])
