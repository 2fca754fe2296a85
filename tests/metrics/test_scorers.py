import numpy as np
import pytest

from versus.metrics.table import named, of_use


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


def test_an_area_needs_both_classes():
    area = named("roc_auc")
    y, p = np.array([0, 1, 1]), np.array([[0.8, 0.2], [0.4, 0.6], [0.5, 0.5]])
    found = area.scorer(y, p).of(np.array([[2.0, 1.0, 0.0], [0.0, 2.0, 1.0]]))
    assert found[0] == 1.0
    assert np.isnan(found[1])
