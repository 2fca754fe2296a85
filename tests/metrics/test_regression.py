import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as reference

from versus.metrics.metric import UndefinedMetricError
from versus.metrics.table import named

RNG = np.random.default_rng(0)
Y = RNG.normal(150, 70, 400)


def score(name, *answers):
    return named(name).score(*answers)


CLOSE, FAR = Y + RNG.normal(0, 5, 400), RNG.normal(150, 70, 400)


@pytest.mark.parametrize("name", ["root_mean_squared_error", "mean_absolute_error", "r2_score"])
@pytest.mark.parametrize("predicted", [CLOSE, FAR], ids=["close", "far"])
def test_equals_scikit_learn(name, predicted):
    assert score(name, Y, predicted) == pytest.approx(getattr(reference, name)(Y, predicted), rel=1e-12)


def test_close_predictions_score_better_than_unrelated_ones():
    assert score("root_mean_squared_error", Y, CLOSE) < 6 < 60 < score("root_mean_squared_error", Y, FAR)
    assert score("mean_absolute_error", Y, CLOSE) < 5 < 50 < score("mean_absolute_error", Y, FAR)
    assert score("r2_score", Y, CLOSE) > 0.99
    assert score("r2_score", Y, FAR) < 0


def test_r2_of_a_constant_target_is_not_a_number():
    with pytest.raises(UndefinedMetricError, match="does not vary"):
        score("r2_score", np.full(5, 3.0), np.arange(5.0))


def test_coverage_of_wide_true_and_narrow_intervals():
    def around(width):
        return np.tile([150 - width, 150 + width], (len(Y), 1))

    low, high = stats.norm(150, 70).interval(0.9)
    assert score("interval_coverage", Y, around(1e6)) == 1.0
    assert score("interval_coverage", Y, np.tile([low, high], (len(Y), 1))) == pytest.approx(0.9, abs=0.03)
    assert score("interval_coverage", Y, around(1.0)) < 0.05


def test_target_log_likelihood_is_larger_for_the_density_that_drew_it():
    true, wrong = stats.norm(150, 70).logpdf(Y), stats.norm(300, 10).logpdf(Y)
    assert score("mean_target_log_likelihood", true) > score("mean_target_log_likelihood", wrong) + 10
    with pytest.raises(UndefinedMetricError, match="1 of 2 test rows"):
        score("mean_target_log_likelihood", np.array([0.0, -np.inf]))


def test_pinball_loss_is_scikit_learns_and_least_for_the_true_quantiles():
    def around(width):
        return np.tile([150 - width, 150 + width], (len(Y), 1))

    expected = np.mean([reference.mean_pinball_loss(Y, around(100)[:, i], alpha=a) for i, a in enumerate((0.05, 0.95))])
    assert score("pinball_loss", Y, around(100)) == pytest.approx(expected, rel=1e-12)
    true = score("pinball_loss", Y, around(70 * stats.norm.ppf(0.95)))
    assert 5 < true < 10  # of a normal distribution 0.103 standard deviations
    assert true < 0.8 * score("pinball_loss", Y, around(300))
    assert true < 0.8 * score("pinball_loss", Y, around(1.0))
