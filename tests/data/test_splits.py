import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from versus.data.errors import DataError
from versus.data.ordered_splits import split_in_blocks, split_in_time
from versus.data.splits import allocate, split, split_draws

PARTS = ("train", "validation", "test")


@st.composite
def labels(draw: st.DrawFn) -> np.ndarray:
    counts = draw(st.lists(st.integers(3, 40), min_size=1, max_size=6))
    order = np.random.default_rng(draw(st.integers(0, 99)))
    return order.permutation(np.repeat(np.arange(len(counts)), counts))


@settings(max_examples=60, deadline=None)
@given(labels(), st.sampled_from([1, 3, 6]), st.floats(0.05, 0.9), st.floats(0.05, 0.9), st.integers(0, 5))
def test_splits_are_disjoint_cover_everything_and_have_every_class(y, repeats, tested, validated, seed):
    splits = split(y, 0, repeats, 3, tested, validated, seed)
    for repeat in range(repeats):
        rows = [splits[part][repeat] for part in PARTS]
        np.testing.assert_array_equal(np.sort(np.concatenate(rows)), np.arange(len(y)))
        for part in rows:
            assert (np.diff(part) > 0).all()
            assert set(y[part]) == set(y)


def test_every_part_has_the_classes_in_proportion():
    y = np.repeat([0, 1, 2], [500, 300, 200])
    splits = split(y, 0, 5, 5, 0.2, 0.2, seed=0)
    for part, share in (("train", 0.64), ("validation", 0.16), ("test", 0.2)):
        for rows in splits[part]:
            np.testing.assert_allclose(np.bincount(y[rows]), np.array([500, 300, 200]) * share, atol=1)


def test_the_same_seed_gives_the_same_splits_and_more_repeats_leave_the_first_alone():
    y = np.arange(100) % 3
    few, more, other = (split(y, 0, repeats, 2, 0.2, 0.2, seed) for repeats, seed in ((2, 7), (6, 7), (2, 8)))
    for part in PARTS:
        np.testing.assert_array_equal(few[part].values, more[part][:2].values)
        assert (few[part].values != other[part].values).any()
    assert (few["test"][0] != few["test"][1]).any()


def test_an_official_test_set_is_tested_on_in_every_repeat():
    y = np.arange(60) % 3
    splits = split(y, 20, 3, 5, 0.9, 0.25, seed=0)
    np.testing.assert_array_equal(splits["test"].values.reshape(3, 20), np.tile(np.arange(40, 60), (3, 1)))
    assert splits["validation"].lengths.tolist() == [10] * 3
    assert (splits["validation"][0] != splits["validation"][1]).any()
    assert splits["train"].values.max() < 40


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=8).filter(any),
    st.integers(0, 100),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_an_allocation_keeps_its_bounds_and_stays_close_to_proportion(counts, total, least, reserve):
    n = np.array(counts)
    quota = allocate(n, total, least, reserve)
    high = np.maximum(n - reserve, 0)
    low = np.minimum(least, high)
    assert (quota >= low).all()
    assert (quota <= high).all()
    assert quota.sum() == np.clip(total, low.sum(), high.sum())
    free = (quota > low) & (quota < high)  # classes that no bound touches differ from proportion by rounding only
    if free.sum() == len(n):
        assert (np.abs(quota - n * total / n.sum()) <= 1 + 1e-9).all()


def test_too_few_rows_are_refused():
    with pytest.raises(DataError, match="2 rows are too few"):
        split(np.zeros(2, int), 0, 1, 5, 0.2, 0.2, 0)


@settings(max_examples=60, deadline=None)
@given(st.integers(8, 40), st.integers(1, 9), st.integers(1, 3), st.integers(0, 9), st.sampled_from([0, 11]))
def test_no_unit_has_rows_in_two_parts(n_units, largest, repeats, seed, n_test):
    rng = np.random.default_rng(seed)
    units = rng.permutation(np.repeat(np.arange(n_units), rng.integers(1, largest + 1, n_units)))
    units = np.concatenate([units, rng.integers(0, n_units, n_test)])
    y = (units % 2) ^ (rng.random(len(units)) < 0.1)  # most units of one class, some of both
    splits = split(y, n_test, repeats, max(repeats, 2), 0.25, 0.25, seed, units)
    n = len(y) - n_test
    for repeat in range(repeats):
        parts = [splits[part][repeat] for part in PARTS]
        train, validation, test = parts
        assert min(len(train), len(validation), len(test)) > 0
        drawn = (train, validation) if n_test else (train, validation, test)
        owners = np.concatenate([np.unique(units[rows]) for rows in drawn])
        assert len(np.unique(owners)) == len(owners)
        assert set(y[train]) == set(y[:n])
        assert len(np.unique(np.concatenate([train, validation, test]))) == sum(map(len, (train, validation, test)))


def test_units_of_one_row_are_split_as_rows_are():
    y = np.arange(90) % 3
    for n_test in (0, 20):
        one, other = split(y, n_test, 2, 2, 0.2, 0.2, 7), split(y, n_test, 2, 2, 0.2, 0.2, 7, np.arange(90))
        for part in PARTS:
            np.testing.assert_array_equal(one[part].values, other[part].values)


def test_units_leave_the_classes_in_proportion():
    units = np.repeat(np.arange(400), np.random.default_rng(0).integers(1, 6, 400))
    y = units % 4 // 3
    splits = split(y, 0, 5, 5, 0.2, 0.2, 0, units)
    for part, share in (("train", 0.64), ("validation", 0.16), ("test", 0.2)):
        for rows in splits[part]:
            counts = np.bincount(y[rows])
            np.testing.assert_allclose(counts / np.bincount(y), share, atol=0.01)


def test_too_few_groups_are_refused():
    with pytest.raises(DataError, match="2 groups, of 20 rows, are too few"):
        split(np.arange(20) % 2, 0, 1, 5, 0.2, 0.2, 0, np.arange(20) // 10)
    with pytest.raises(DataError, match="each class is among the rows to learn from"):
        split(np.repeat([0, 1, 0, 2, 0], [9, 1, 9, 1, 10]), 0, 1, 5, 0.2, 0.2, 0, np.arange(30) // 10)


@settings(max_examples=60, deadline=None)
@given(st.integers(30, 80), st.integers(1, 4), st.integers(0, 9), st.sampled_from([0, 8]))
def test_time_orders_the_parts_of_every_repeat(n, repeats, seed, n_test):
    rng = np.random.default_rng(seed)
    times, y = rng.integers(0, 3 * n, n).astype(float), rng.integers(0, 2, n)
    y[np.argsort(times[: n - n_test])[:2]] = 0, 1
    try:
        splits = split_in_time(times, y, n_test, repeats, 0.2, 0.2)
    except DataError as error:
        assert "fewer `repeats`" in str(error)  # noqa: PT017 - the draw decides which of both is right
        return
    before = -1
    for repeat in range(repeats):
        train, validation, test = (splits[part][repeat] for part in PARTS)
        assert times[train].max() < times[validation].min()
        assert n_test or times[validation].max() < times[test].min()
        assert n_test or len(train) > before  # the window grows
        before = len(train)
    tests = splits["test"].values.reshape(repeats, -1)
    if n_test:
        assert (tests == np.arange(n - n_test, n)).all()
    else:
        assert len(np.unique(tests)) == tests.size
        assert times[tests[-1]].max() == times.max()


@settings(max_examples=60, deadline=None)
@given(labels(), st.integers(2, 3), st.integers(1, 3))
def test_a_block_of_repeats_tests_every_row_once_with_each_class_as_evenly_as_all_rows(y, folds, blocks):
    splits = split(y, 0, folds * blocks, folds, 0.2, 0.2, seed=3)
    for block in range(blocks):
        tested = [splits["test"][block * folds + k] for k in range(folds)]
        np.testing.assert_array_equal(np.sort(np.concatenate(tested)), np.arange(len(y)))
        assert np.ptp([len(rows) for rows in tested]) <= 1
        for k in range(y.max() + 1):
            assert np.ptp([np.sum(y[rows] == k) for rows in tested]) <= 1


def test_repeats_that_are_no_whole_partition_are_refused_with_what_is():
    with pytest.raises(DataError, match=r"repeats: 7 is no whole number .* `repeats: 10` or `folds: 7`"):
        split(np.zeros(50, int), 0, 7, 5, 0.2, 0.2, 0)
    with pytest.raises(DataError, match="4 rows or groups cannot be split into folds: 5"):
        split(np.zeros(4, int), 0, 5, 5, 0.2, 0.2, 0)


def test_each_draw_is_learnt_from_and_tested_on_alone():
    splits = split_draws(np.arange(60) % 2, 8, 3, 0.25, seed=0)
    for repeat in range(3):
        of = [splits[part][repeat] for part in PARTS]
        assert [len(rows) for rows in of] == [9, 3, 8]
        np.testing.assert_array_equal(np.sort(np.concatenate(of)), np.arange(20 * repeat, 20 * repeat + 20))
        np.testing.assert_array_equal(of[2], np.arange(20 * repeat + 12, 20 * repeat + 20))


@settings(max_examples=60, deadline=None)
@given(st.integers(6, 80), st.integers(2, 6), st.integers(1, 3), st.sampled_from([0, 8]))
def test_folds_of_a_stream_are_blocks_of_rows_in_a_row(n, folds, blocks, n_test):
    if n - n_test < 6:
        return
    splits = split_in_blocks(n, n_test, blocks * folds, folds, 0.2, 0.2)
    first = split_in_blocks(n, n_test, folds, folds, 0.2, 0.2)
    for repeat in range(blocks * folds):
        parts = [splits[part][repeat] for part in PARTS]
        np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(n))
        own = n - n_test
        for part in parts[:2] if n_test else parts:  # in a row, where the last row is followed by the first
            assert (~np.isin((part + 1) % own, part)).sum() <= 1
        if repeat < folds:
            np.testing.assert_array_equal(parts[0], first["train"][repeat])
    tested = splits["test"].values.reshape(-1) if n_test else splits["test"].values
    assert (
        np.bincount(tested, minlength=n)[n - n_test if n_test else 0 :] == (blocks * (folds if n_test else 1))
    ).all()
    with pytest.raises(DataError, match="no whole number"):
        split_in_blocks(20, 0, 3, 2, 0.2, 0.2)
