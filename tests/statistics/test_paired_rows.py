import numpy as np
import pytest
from scipy.stats import ttest_1samp

from versus.metrics.table import named
from versus.statistics.paired_rows import VARIANCE_FACTOR, paired_rows
from versus.statistics.selection import select


def test_one_block_is_the_paired_t_test_with_a_larger_variance():
    e = np.random.default_rng(0).normal(0.1, 1, 80)
    found = paired_rows(e[:, None])
    assert found.mean == pytest.approx(e.mean())
    wider = e.mean() + (e - e.mean()) * np.sqrt(VARIANCE_FACTOR)
    assert found.p_value() == pytest.approx(ttest_1samp(wider, 0.0).pvalue)


def test_blocks_measure_the_share_of_splitting():
    rng = np.random.default_rng(1)
    own, split = rng.normal(0, 1, 2000), rng.normal(0, 1, (2000, 4))
    assert paired_rows(own[:, None] + split).splitting_share == pytest.approx(0.5, abs=0.05)
    assert paired_rows(np.tile(own[:, None], 4)).splitting_share == pytest.approx(0, abs=1e-9)


def test_few_rows_that_differ_are_flipped_exactly():
    e = np.zeros(200)
    e[:5] = 1.0
    assert paired_rows(e[:, None], resolution=1.0).p_value() == pytest.approx(2 / 2**5, rel=0.3)
    assert paired_rows(e[:, None], resolution=1.0).p_value() >= 2 / 2**5
    same = paired_rows(np.zeros((200, 1)), resolution=1.0)
    assert same.p_value() == 1.0
    assert same.rope(0.01).within == pytest.approx(0.953, abs=0.01)
    assert paired_rows(np.zeros((50, 1)), resolution=1.0).rope(0.01).within < 0.5  # equal answers on 50 rows


def test_rows_of_a_unit_count_once():
    e = np.random.default_rng(2).normal(0.2, 1, 60)
    one, copied = paired_rows(e[:, None]), paired_rows(np.repeat(e, 3)[:, None], np.repeat(np.arange(60), 3))
    assert copied.mean == pytest.approx(one.mean)
    assert copied.standard_error == pytest.approx(one.standard_error)
    assert copied.rows == 60


def test_the_rows_that_would_decide_do_decide():
    rng = np.random.default_rng(3)
    wanted = paired_rows(rng.normal(0.1, 1, (100_000, 1))).rows_to_decide(margin=0.01, confidence=0.95)
    decided = np.mean([paired_rows(rng.normal(0.1, 1, (wanted, 1))).p_value() < 0.05 for _ in range(400)])
    assert 0.78 < decided < 0.97  # the planned power of 80 %, and what the larger variance adds


def test_what_is_no_matrix_of_rows_is_refused():
    for wrong in (np.zeros(5), np.zeros((1, 2)), np.full((4, 1), np.nan)):
        with pytest.raises(ValueError, match="scores"):
            paired_rows(wrong)


def test_row_scores_of_a_statistic_give_its_standard_error():
    """The root of a mean, by the delta method: the deviation of sqrt(m) is that of m by 2 sqrt(m)."""
    squared = np.random.default_rng(4).chisquare(3, (500, 1))
    scores = named("root_mean_squared_error").row_scores(squared)
    assert scores.mean() == pytest.approx(np.sqrt(squared.mean()))
    assert scores.std() == pytest.approx(squared.std() / (2 * np.sqrt(squared.mean())), rel=1e-6)


def test_picking_the_best_of_equals_is_corrected_and_a_clear_best_needs_nothing():
    rng = np.random.default_rng(5)
    gained, corrected = [], []
    for _ in range(40):
        first, second = rng.random((300, 8)) < 0.7, rng.random((300, 1)) < 0.7
        found = select(first.astype(float), second.astype(float), random_state=1)
        gained.append(first.mean(axis=0).max() - second.mean())
        corrected.append(gained[-1] - found.optimism)
    assert np.mean(gained) > 0.025
    assert abs(np.mean(corrected)) < 0.015
    clear = np.column_stack([np.ones(300), np.zeros(300)])
    found = select(clear, clear)
    assert (found.optimism, found.stability) == (0, 1)
