import numpy as np
import pytest

from versus.metrics.table import named
from versus.statistics.bootstrap import paired_gain

ACCURACY, LOSS, RMSE = named("accuracy_score"), named("log_loss"), named("root_mean_squared_error")


def answers(right):
    """Probabilities (R, n, 2) of two classes, all of class 0, that are right where ``right`` (R, n) says so."""
    p = np.where(right, 0.9, 0.1)
    return np.stack([p, 1 - p], axis=-1)


def gain(right, right_before, rows=None, metric=ACCURACY, **options):
    rows = np.tile(np.arange(right.shape[1]), (len(right), 1)) if rows is None else rows
    return compare(metric, answers(right), answers(right_before), np.zeros(right.shape, int), rows, **options)


def compare(metric, new, old, y, rows, **options):
    """The gain by answers (R, n, …) and truths (R, n)."""
    new, old = ([metric.scorer(*pair) for pair in zip(y, answered, strict=True)] for answered in (new, old))
    return paired_gain(new, old, rows, lower_is_better=metric.lower_is_better, **options)


def test_identical_models_differ_by_nothing_at_all():
    right = np.random.default_rng(0).random((3, 80)) < 0.7
    found = gain(right, right)
    assert (found.value, found.low, found.high) == (0, 0, 0)
    assert found.challenger == found.champion == pytest.approx(right.mean())


@pytest.mark.parametrize("metric", [ACCURACY, LOSS])
def test_a_gain_is_positive_where_the_challenger_is_better_whichever_direction_that_is(metric):
    rng = np.random.default_rng(1)
    better, worse = rng.random((2, 300)) < 0.95, rng.random((2, 300)) < 0.6
    up, down = gain(better, worse, metric=metric), gain(worse, better, metric=metric)
    assert up.low > 0
    assert down.high < 0
    assert up.value == pytest.approx(-down.value)
    assert up.low == pytest.approx(-down.high, rel=0.05)


def test_the_interval_of_a_known_difference_has_the_textbook_width():
    n = 400
    change = np.zeros(n)
    change[:40], change[40:60] = 1, -1  # of 400 rows 40 are won and 20 lost
    right = np.ones((1, n), bool)
    right[0, 40:60] = False
    before = np.ones((1, n), bool)
    before[0, :40] = False
    found = gain(right, before, resamples=4000)
    assert found.value == pytest.approx(0.05)
    half = 1.96 * change.std() / np.sqrt(n)
    assert found.low == pytest.approx(0.05 - half, abs=0.003)
    assert found.high == pytest.approx(0.05 + half, abs=0.003)


def test_the_interval_covers_the_true_difference_also_where_test_sets_overlap():
    rng = np.random.default_rng(3)
    covered, narrower = [], []
    for seed in range(160):
        luck = rng.random(150)
        other = np.where(rng.random(150) < 0.7, luck, rng.random(150))  # the two err on similar rows
        new, old = luck < 0.9, other < 0.85
        rows = np.stack([rng.permutation(150)[:100] for _ in range(5)])  # five test sets that share most rows
        found = gain(new[rows], old[rows], rows, resamples=500, random_state=seed)
        covered.append(found.low <= 0.05 <= found.high)
        if seed % 10 == 0:
            blind = gain(new[rows], old[rows], np.arange(500).reshape(5, 100), resamples=500, random_state=seed)
            narrower.append((blind.high - blind.low) / (found.high - found.low))
    assert 0.90 <= np.mean(covered) <= 0.99
    assert np.mean(narrower) < 0.7  # as if 500 rows had been tested: far too sure


def test_a_row_of_several_test_sets_is_drawn_once_for_all_of_them():
    right = np.tile(np.arange(50) < 40, (4, 1))
    before = np.tile(np.arange(50) < 35, (4, 1))
    four = gain(right, before)
    one = gain(right[:1], before[:1])
    assert (four.low, four.high) == pytest.approx((one.low, one.high))  # four times the same rows tell no more


def test_the_same_seed_gives_the_same_interval():
    rng = np.random.default_rng(3)
    a, b = rng.random((2, 100)) < 0.8, rng.random((2, 100)) < 0.7
    assert gain(a, b, random_state=5) == gain(a, b, random_state=5) != gain(a, b, random_state=6)


def test_errors_of_values_are_compared_in_their_unit():
    rng = np.random.default_rng(4)
    y = rng.normal(size=(3, 200)) * 10
    rows = np.tile(np.arange(200), (3, 1))
    found = compare(RMSE, y + rng.normal(size=y.shape), y + 2 * rng.normal(size=y.shape), y, rows)
    assert found.challenger == pytest.approx(1, rel=0.1)
    assert found.champion == pytest.approx(2, rel=0.1)
    assert found.low < found.value == found.champion - found.challenger < found.high
    assert found.low > 0.5


def test_a_metric_without_a_value_is_named():
    right = np.ones((1, 20), bool)
    with pytest.raises(ValueError, match="not defined on these 20 test rows"):
        gain(right, right, metric=named("roc_auc"))  # all rows are of one class
