import numpy as np
import pytest
from scipy import stats

from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.models.discriminative.baseline import MeanBaseline, PriorBaseline


def test_prior_is_the_smoothed_class_frequencies():
    X, y = np.zeros((7, 1)), np.array([0, 0, 0, 0, 1, 1, 1])
    schema = Schema(Table((Column("a"),)), Classes(("u", "v", "w")))
    model = PriorBaseline(schema=schema).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), [[0.5, 0.4, 0.1]] * 7)
    np.testing.assert_array_equal(model.predict(X), np.zeros(7))


def test_mean_is_a_normal_density():
    y = np.random.default_rng(0).normal(150, 70, 500)
    X = np.zeros((500, 2))
    model = MeanBaseline().fit(X, y)
    reference = stats.norm(y.mean(), y.std())
    np.testing.assert_allclose(model.predict(X), y.mean())
    np.testing.assert_allclose(model.log_prob_target(X, y), reference.logpdf(y))
    np.testing.assert_allclose(model.predict_interval(X, 0.9), [reference.interval(0.9)] * 500)


def test_a_constant_target_keeps_a_finite_density():
    model = MeanBaseline().fit(np.zeros((4, 1)), np.full(4, 3.0))
    assert np.isfinite(model.log_prob_target(np.zeros((1, 1)), np.array([3.0]))).all()


@pytest.mark.parametrize("model", [PriorBaseline(), MeanBaseline()])
def test_needs_the_target(model):
    with pytest.raises(ValueError, match="needs y"):
        model.fit(np.zeros((3, 1)))
