import numpy as np
import pytest

from versus.statistics.corrected_resampled import CorrectedMean, corrected_mean


def nearest_centroid_accuracy(X, y, train, test):
    """A learner in three lines: the nearer class mean, on one half of the features."""
    means = np.stack([X[train][y[train] == k].mean(axis=0) for k in (0, 1)])
    distances = ((X[test][:, None, :] - means) ** 2).sum(axis=2)
    return np.mean(distances.argmin(axis=1) == y[test])


def differences_under_the_null(rng, repeats=10, n=60):
    """Two learners of equal expected accuracy (each sees its own half of exchangeable features), same splits."""
    y = np.repeat([0, 1], n // 2)
    X = rng.normal(size=(n, 8)) + 0.5 * y[:, None]
    found = []
    for _ in range(repeats):
        rows = rng.permutation(n)
        test, train = rows[: n // 5], rows[n // 5 :]
        found.append(
            nearest_centroid_accuracy(X[:, :4], y, train, test) - nearest_centroid_accuracy(X[:, 4:], y, train, test)
        )
    return np.array(found)


@pytest.fixture(scope="module")
def null_differences():
    rng = np.random.default_rng(0)
    return [differences_under_the_null(rng) for _ in range(500)]


def test_level_holds_under_the_null(null_differences):
    p = np.array([corrected_mean(d, 48, 12).p_value() for d in null_differences])
    assert np.mean(p < 0.05) < 0.08  # 0.05 plus three standard errors of a share of 500
    assert np.mean(p < 0.05) > 0.005  # and it is not simply mute


def test_plain_t_test_does_not_hold_its_level_there(null_differences):
    # The case that the correction exists for: with a vanishing n_test / n_train it becomes the ordinary t-test.
    p = np.array([corrected_mean(d, 10**9, 1).p_value() for d in null_differences])
    assert np.mean(p < 0.05) > 0.15


def test_interval_covers_zero_under_the_null(null_differences):
    intervals = [corrected_mean(d, 48, 12).interval(0.9) for d in null_differences]
    assert np.mean([low <= 0 <= high for low, high in intervals]) > 0.87


def test_power_where_the_difference_is_large():
    rng = np.random.default_rng(1)
    assert corrected_mean(0.2 + 0.02 * rng.normal(size=10), 80, 20).p_value() < 1e-6


def test_agrees_with_baycomp():
    # baycomp 1.0.3 (the authors' own package): two_on_single(a, b, rope=0.01) -> b - a, folds of one 10-fold run.
    a = np.array([0.81, 0.83, 0.79, 0.84, 0.80, 0.82, 0.85, 0.78, 0.80, 0.83])
    b = np.array([0.80, 0.80, 0.79, 0.82, 0.80, 0.80, 0.82, 0.79, 0.78, 0.81])
    rope = corrected_mean(b - a, n_train=9, n_test=1).rope(0.01)
    expected = [0.7324637075179097, 0.26564046640310846, 0.001895826078981866]
    np.testing.assert_allclose([rope.below, rope.within, rope.above], expected, rtol=1e-9)


def test_interval_p_and_rope_tell_one_story():
    d = np.array([0.03, 0.01, 0.02, 0.05, 0.02])
    mean = corrected_mean(d, 80, 20)
    low, _ = mean.interval(1 - mean.p_value())
    assert low == pytest.approx(0, abs=1e-9)
    assert mean.rope(0.0).below == pytest.approx(mean.p_value() / 2)


def test_by_hand():
    mean = corrected_mean(np.array([1.0, 2.0, 3.0]), n_train=4, n_test=1)
    assert mean == CorrectedMean(2.0, pytest.approx(np.sqrt(1 / 3 + 1 / 4)), 2)


def test_equal_repeats_are_not_certainty():
    same = np.full(5, 1 / 30)
    assert corrected_mean(same, 120, 30).p_value() == 0.0
    assert 1e-4 < corrected_mean(same, 120, 30, resolution=1 / 30).p_value() < 0.05
    assert corrected_mean(np.zeros(5), 120, 30).p_value() == 1.0


@pytest.mark.parametrize(
    ("repeats", "sizes", "says"),
    [([0.1], (8, 2), "shape"), ([0.1, np.nan], (8, 2), "finite"), ([0.1, 0.2], (0, 2), "n_train=0")],
)
def test_refuses(repeats, sizes, says):
    with pytest.raises(ValueError, match=says):
        corrected_mean(np.array(repeats), *sizes)
