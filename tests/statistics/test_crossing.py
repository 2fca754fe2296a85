"""Curves by training-set size: known crossings, known variances, and coverage where the truth is drawn."""

import numpy as np
import pytest

from versus.statistics.crossing import CurveBootstrap, crossing, interval


def curve(*differences: float) -> np.ndarray:
    return np.array([differences] * 3)


def test_a_crossing_lies_between_the_sizes_where_the_sign_changes() -> None:
    found = crossing([10, 20, 40, 80], curve(-3, -1, 1, 2), 0.9)
    assert found is not None
    assert found.first == -1
    assert found.at == pytest.approx(np.sqrt(20 * 40))
    assert (found.low, found.high) == pytest.approx((found.at, found.at))
    the_other_way = crossing([10, 20, 40, 80], -curve(-3, -1, 1, 2), 0.9)
    assert the_other_way is not None
    assert the_other_way.first == 1
    assert the_other_way.at == found.at


def test_a_side_ahead_for_a_while_does_not_count() -> None:
    found = crossing([10, 20, 40, 80], curve(-1, 1, -1, 3), 0.9)
    assert found is not None
    assert found.at == pytest.approx(40 * 2**0.25)


@pytest.mark.parametrize("differences", [(1, 2, 3), (-1, -2, -3), (1, 2, 0)])
def test_no_crossing_without_a_change_of_sign(differences: tuple[float, ...]) -> None:
    assert crossing([10, 20, 40], curve(*differences), 0.9) is None


def test_resamples_that_never_cross_make_the_interval_open() -> None:
    always, never = np.array([1.0, 1, 1]), np.array([-1.0, -1, -1])
    drawn = np.array([[-1.0, 1, 2], *[always] * 10, *[[-1.0, 1, 2]] * 80, *[never] * 10])
    found = crossing([10, 20, 40], drawn, 0.9)
    assert found is not None
    assert (found.low, found.high) == (0, np.inf)
    narrower = crossing([10, 20, 40], drawn, 0.7)
    assert narrower is not None
    assert narrower.low == narrower.high == pytest.approx(found.at)


def test_the_curve_is_the_mean_over_rows_and_its_variance_that_of_both_ways_of_chance() -> None:
    """For scores a_i + b_d the pigeonhole bootstrap has the variance s²_a / n + s²_b / D."""
    rng = np.random.default_rng(0)
    rows, sets = rng.normal(size=50), 0.3 * rng.normal(size=20)
    bootstrap = CurveBootstrap([np.arange(50)], draws=20, resamples=6000)
    found = bootstrap.curve([(rows + sets[:, None])[None]])[:, 0]
    assert found[0] == pytest.approx(rows.mean() + sets.mean(), abs=1e-6)
    assert found[1:].var() == pytest.approx(rows.var() / 50 + sets.var() / 20, rel=0.08)


def test_rows_of_one_unit_are_drawn_together_and_in_all_repeats() -> None:
    """Two repeats test the same 30 rows, in 10 units of 3 equal rows: there are 10 independent values, not 60."""
    values = np.repeat(np.random.default_rng(1).normal(size=10), 3)
    units = np.repeat(np.arange(10), 3)
    found = CurveBootstrap([units, units], draws=1, resamples=6000).curve([values[None, None]] * 2)[1:, 0]
    assert found.var() == pytest.approx(values.var() / 10, rel=0.08)


def test_intervals_cover_a_known_crossing() -> None:
    """The true curves cross at 40 rows; both rows and training sets are drawn anew each time."""
    rng = np.random.default_rng(2)
    sizes = np.array([10, 20, 40, 80, 160])
    truth = 0.1 * np.log(sizes / 40)
    covered = 0
    for _ in range(100):
        noise = rng.normal(size=(1, 1, 200)) * 0.4 + rng.normal(size=(5, 10, 1)) * 0.1
        bootstrap = CurveBootstrap([np.arange(200)], draws=10, resamples=200, random_state=int(rng.integers(1000)))
        found = crossing(sizes, bootstrap.curve([truth[:, None, None] + noise]), 0.9)
        covered += found is not None and found.low <= 40 <= found.high
    assert 83 <= covered <= 100


def test_an_interval_holds_the_stated_share_of_resamples() -> None:
    low, high = interval(np.arange(101.0)[:, None], 0.9)
    assert (low[0], high[0]) == pytest.approx((5, 95))
