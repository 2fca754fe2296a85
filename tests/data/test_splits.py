import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from versus.data.errors import DataError
from versus.data.splits import allocate, split

PARTS = ("train", "validation", "test")


@st.composite
def labels(draw: st.DrawFn) -> np.ndarray:
    counts = draw(st.lists(st.integers(3, 40), min_size=1, max_size=6))
    order = np.random.default_rng(draw(st.integers(0, 99)))
    return order.permutation(np.repeat(np.arange(len(counts)), counts))


@settings(max_examples=60, deadline=None)
@given(labels(), st.integers(1, 4), st.floats(0.05, 0.9), st.floats(0.05, 0.9), st.integers(0, 5))
def test_splits_are_disjoint_cover_everything_and_have_every_class(y, repeats, tested, validated, seed):
    splits = split(y, 0, repeats, tested, validated, seed)
    for repeat in range(repeats):
        rows = [splits[part][repeat] for part in PARTS]
        np.testing.assert_array_equal(np.sort(np.concatenate(rows)), np.arange(len(y)))
        for part in rows:
            assert (np.diff(part) > 0).all()
            assert set(y[part]) == set(y)


def test_every_part_has_the_classes_in_proportion():
    y = np.repeat([0, 1, 2], [500, 300, 200])
    splits = split(y, 0, 5, 0.2, 0.2, seed=0)
    for part, share in (("train", 0.64), ("validation", 0.16), ("test", 0.2)):
        for rows in splits[part]:
            np.testing.assert_allclose(np.bincount(y[rows]), np.array([500, 300, 200]) * share, atol=1)


def test_the_same_seed_gives_the_same_splits_and_more_repeats_leave_the_first_alone():
    y = np.arange(100) % 3
    few, more, other = split(y, 0, 2, 0.2, 0.2, 7), split(y, 0, 5, 0.2, 0.2, 7), split(y, 0, 2, 0.2, 0.2, 8)
    for part in PARTS:
        np.testing.assert_array_equal(few[part], more[part][:2])
        assert (few[part] != other[part]).any()
    assert (few["test"][0] != few["test"][1]).any()


def test_an_official_test_set_is_tested_on_in_every_repeat():
    y = np.arange(60) % 3
    splits = split(y, 20, 3, 0.9, 0.25, seed=0)
    np.testing.assert_array_equal(splits["test"], np.tile(np.arange(40, 60), (3, 1)))
    assert splits["validation"].shape == (3, 10)
    assert (splits["validation"][0] != splits["validation"][1]).any()
    assert splits["train"].max() < 40


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
        split(np.zeros(2, int), 0, 1, 0.2, 0.2, 0)
