import numpy as np
import pytest

from versus.statistics.bootstrap import (
    MOST_CALLS,
    TwoLevelBootstrap,
    scorer_of_rows,
    scorer_of_value,
    weighted_scorers,
)


def of_rows(values, statistic=lambda means: means[..., 0]):
    """A scorer for each fit, of values (R, n, M)."""
    return [scorer_of_rows(fit, statistic) for fit in values]


def test_interval_covers_a_known_mean():
    rng = np.random.default_rng(0)
    covered = []
    for seed in range(200):
        right = (rng.random(150) < 0.8).astype(float)
        low, high = (
            TwoLevelBootstrap(150, resamples=300, random_state=seed).mean(of_rows(right[None, :, None])).interval(0.95)
        )
        covered.append(low <= 0.8 <= high)
    assert 0.90 <= np.mean(covered) <= 0.99


def test_spread_is_that_of_the_mean():
    values = np.random.default_rng(0).normal(size=(1, 400, 1))
    found = TwoLevelBootstrap(400, resamples=4000).mean(of_rows(values))
    assert found.mean == pytest.approx(values.mean())
    assert found.resamples.std() == pytest.approx(values.std() / 20, rel=0.05)


def test_pairing_removes_what_models_share():
    rng = np.random.default_rng(0)
    hard = rng.normal(size=500)
    bootstrap = TwoLevelBootstrap(500)
    a = bootstrap.mean(of_rows((hard + 0.01 * rng.normal(size=500) + 0.01)[None, :, None]))
    b = bootstrap.mean(of_rows((hard + 0.01 * rng.normal(size=500))[None, :, None]))
    difference = a.minus(b)
    assert difference.p_value() == pytest.approx(2 / 2001)
    assert difference.rope(0.05).within == 1.0
    assert np.ptp(difference.interval(0.95)) < 0.01 < np.ptp(a.interval(0.95))


def test_fits_that_differ_widen_the_interval():
    fits = np.repeat([0.0, 1.0, 2.0], 50).reshape(3, 50, 1)
    found = TwoLevelBootstrap(50, repeats=3).mean(of_rows(fits))
    assert found.mean == 1.0
    assert found.resamples.std() == pytest.approx(np.sqrt(2 / 3 / 3), rel=0.05)


def test_level_under_the_null():
    rng = np.random.default_rng(2)
    bootstrap = TwoLevelBootstrap(100, resamples=400)
    p = [bootstrap.mean(of_rows(rng.normal(size=(1, 100, 1)))).p_value() for _ in range(300)]
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.09


def test_statistic_of_several_means():
    true_positive, predicted = np.array([1.0, 1, 0, 0]), np.array([1.0, 1, 1, 0])
    values = np.stack([true_positive, predicted], axis=1)[None]
    found = TwoLevelBootstrap(4).mean(of_rows(values, lambda m: m[..., 0] / m[..., 1]))
    assert found.mean == pytest.approx(2 / 3)


def test_a_shifted_mean_is_at_least_as_uncertain_as_asked():
    found = TwoLevelBootstrap(400).mean(of_rows(np.random.default_rng(0).normal(size=(1, 400, 1))))
    for least in (0.0, 0.01, 0.2):
        moved = found.shifted(0.5, least)
        assert moved.mean == found.mean + 0.5
        assert moved.resamples.std() == pytest.approx(max(found.resamples.std(), least), rel=0.05)
        assert moved.resamples.mean() == pytest.approx(found.resamples.mean() + 0.5, abs=0.02)


def test_same_seed_same_resamples():
    values = np.random.default_rng(0).normal(size=(2, 30, 1))
    first, second = (TwoLevelBootstrap(30, 2, random_state=7).mean(of_rows(values)).resamples for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_refuses_no_rows():
    with pytest.raises(ValueError, match="n=0"):
        TwoLevelBootstrap(0)


def test_a_score_that_is_no_mean_of_rows_is_drawn_fewer_times_with_the_same_spread():
    values = np.random.default_rng(0).normal(size=400)
    found = TwoLevelBootstrap(400).mean([scorer_of_value(np.median, values)])
    assert found.mean == np.median(values)
    assert len(found.resamples) == MOST_CALLS
    assert found.resamples.std() == pytest.approx(1.2533 * values.std() / 20, rel=0.25)  # of a normal's median


def test_what_would_take_too_long_has_no_interval():
    assert TwoLevelBootstrap(5001, resamples=300).mean([scorer_of_value(np.median, np.zeros(5001))]) is None


def test_a_resample_without_a_score_does_not_count():
    rare = np.zeros(60)
    rare[:3] = 1  # one resample in twenty has no such row

    def share_of_rare(of):
        return 1.0 if of.sum() else float("nan")

    found = TwoLevelBootstrap(60).mean([scorer_of_value(share_of_rare, rare)])
    assert 0 < MOST_CALLS - len(found.defined) < MOST_CALLS / 4
    assert found.interval(0.95) == (1.0, 1.0)
    assert TwoLevelBootstrap(60).mean([scorer_of_value(lambda of: float("nan"), rare)]) is None


def test_copies_of_rows_are_no_evidence():
    """With each row five times, in one unit, the resamples are those of the single rows."""
    values = np.random.default_rng(0).normal(size=(1, 40, 1))
    once = TwoLevelBootstrap(40).mean(of_rows(values))
    copied = TwoLevelBootstrap(200, units=np.repeat(np.arange(40), 5)).mean(of_rows(values.repeat(5, axis=1)))
    np.testing.assert_allclose(copied.resamples, once.resamples)
    alone = TwoLevelBootstrap(200).mean(of_rows(values.repeat(5, axis=1)))
    assert alone.resamples.std() == pytest.approx(once.resamples.std() / np.sqrt(5), rel=0.1)


@pytest.mark.parametrize("most", [1, 2**25])  # a product for each model, and one for all
def test_many_models_at_once_are_drawn_as_each_alone(most, monkeypatch):
    rng = np.random.default_rng(0)
    values, own = rng.normal(size=(7, 2, 60, 3)), rng.random(60)
    models = {k: of_rows(fits, lambda m: m[..., 0] / (2 + m[..., 1] * m[..., 2])) for k, fits in enumerate(values)}
    models |= {"weighted": weighted_scorers(models[0], [own, own]), "undefined": of_rows(values[0] * np.nan)}
    models["called"] = [scorer_of_value(np.median, of) for of in values[0, :, :, 0]]
    bootstrap = TwoLevelBootstrap(60, repeats=2, resamples=250)
    monkeypatch.setattr("versus.statistics.bootstrap.MOST_TOGETHER", most)
    found = dict(bootstrap.means(models.items()))
    assert list(found) == list(models)
    assert found["undefined"] is None
    for name, fits in models.items():
        alone = bootstrap.mean(fits)
        if alone is None:
            continue
        assert found[name].mean == pytest.approx(alone.mean, rel=1e-12)
        np.testing.assert_allclose(found[name].resamples, alone.resamples, rtol=1e-12, atol=1e-14)


def test_equal_models_are_tied_wherever_they_stand_in_the_product():
    """Columns at the end of a product may be summed in another order, which is no difference."""
    values = np.random.default_rng(0).random((1, 500, 1)) / 3
    found = dict(TwoLevelBootstrap(500).means((k, of_rows(values)) for k in range(37)))
    for other in found.values():
        apart = found[0].minus(other)
        assert apart.p_value() == 1.0
        assert not apart.resamples.any()
