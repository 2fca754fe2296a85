import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from tests.models.small_text import documents
from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.targets import Classes
from versus.metrics.metric import UndefinedMetricError
from versus.metrics.samples import (
    c2st_accuracy,
    copying,
    nearest_distances,
    transfer_accuracy,
    tstr_balanced_accuracy,
    tstr_ratio,
)

NUMBERS = Schema(Table(tuple(map(Column, "abc"))), Classes(("u", "v")))
MIXED = Schema(Table((Column("a"), Column("c", tuple("pqrs")))), Classes(("u", "v")))
RNG = np.random.default_rng(0)


def blobs(n, rng, shift=2.0):
    y = rng.integers(0, 2, n)
    return rng.normal(size=(n, 3)) + shift * y[:, None], y, None


def correlated(n, rng):
    z = rng.normal(size=(n, 1))
    return z + 0.3 * rng.normal(size=(n, 3))


def mixed(n, rng, shares):
    return np.column_stack([rng.normal(size=n), rng.choice(4, n, p=shares)])


def test_cannot_tell_samples_of_the_same_density():
    assert c2st_accuracy(correlated(600, RNG), correlated(600, RNG), NUMBERS, seed=0) < 0.56


def test_tells_a_shift_and_the_same_marginals_without_their_dependence():
    real = correlated(600, RNG)
    assert c2st_accuracy(real, real[:, ::-1] + 6.0, NUMBERS, seed=0) > 0.98
    independent = np.column_stack([correlated(600, RNG)[:, d] for d in range(3)])
    assert c2st_accuracy(real, independent, NUMBERS, seed=0) > 0.75


def test_categories_count():
    even, odd = [0.25] * 4, [0.97, 0.01, 0.01, 0.01]
    real = mixed(600, RNG, even)
    assert c2st_accuracy(real, mixed(600, RNG, even), MIXED, seed=0) < 0.56
    assert c2st_accuracy(real, mixed(600, RNG, odd), MIXED, seed=0) > 0.8


def test_images_are_told_from_noise_of_the_same_pixels():
    images, _ = load_digits(return_X_y=True)
    images = RNG.permutation(images).reshape(-1, 8, 8).astype(np.uint8)  # they come sorted by writer
    schema = Schema(Image((8, 8), 17), Classes(tuple("0123456789")))
    assert c2st_accuracy(images[:300], images[300:600], schema, seed=0) < 0.6
    noise = RNG.permuted(images[300:600], axis=0)  # every pixel keeps its own distribution
    assert c2st_accuracy(images[:300], noise, schema, seed=0) > 0.85


def test_texts_are_told_by_their_words():
    X, y, schema = documents(n=800)
    halves = X[:400], X[400:]
    assert c2st_accuracy(*halves, schema, seed=0) < 0.57
    assert c2st_accuracy(X[y == 0], X[y == 1], schema, seed=0) > 0.75
    assert transfer_accuracy((halves[0], y[:400], None), (halves[1], y[400:], None), schema, seed=0) > 0.75
    assert transfer_accuracy((halves[0], 1 - y[:400], None), (halves[1], y[400:], None), schema, seed=0) < 0.25


def test_missing_values_do_not_give_real_rows_away():
    real = correlated(600, RNG)
    real[::3, 0] = np.nan
    assert c2st_accuracy(real, correlated(600, RNG), NUMBERS, seed=0) < 0.58
    with pytest.raises(UndefinedMetricError, match="0 rows without missing values"):
        c2st_accuracy(np.full((50, 3), np.nan), correlated(50, RNG), NUMBERS, seed=0)


def test_weighted_rows_are_a_sample_of_another_density():
    """A shift of the mean is what weights exp(x) do to a normal; a generator of the shifted one is then not told."""
    real, shifted = RNG.normal(size=(2, 800, 1))
    shifted, schema = shifted + 1.0, Schema(Table((Column("a"),)), Classes(("u", "v")))
    weights = np.exp(np.clip(real[:, 0], -2.0, 2.0))
    assert c2st_accuracy(real, shifted, schema, seed=0) > 0.6
    assert c2st_accuracy(real, shifted, schema, 0, weights) < 0.56
    far, near = np.zeros((40, 1)), RNG.normal(size=(40, 1))
    drawn = np.where(np.arange(40)[:, None] < 20, near, far)
    halves = np.repeat([1e-9, 1.0], 20)  # only those that stand on a known row count
    assert copying(far, near, drawn, schema) == pytest.approx(0.75, abs=0.1)
    assert copying(far, near, drawn, schema, halves) == pytest.approx(1.0)


def test_classifier_learns_from_good_samples_and_not_from_shuffled_labels():
    test = blobs(300, RNG)
    good, (X, y, _) = blobs(300, RNG), blobs(300, RNG)
    on_real = transfer_accuracy(blobs(300, RNG), test, NUMBERS, seed=0)
    on_good = transfer_accuracy(good, test, NUMBERS, seed=0)
    on_shuffled = transfer_accuracy((X, RNG.permutation(y), None), test, NUMBERS, seed=0)
    assert tstr_balanced_accuracy(on_good, on_real) > 0.9
    assert tstr_ratio(on_good, on_real) == pytest.approx(1.0, abs=0.05)
    assert tstr_balanced_accuracy(on_shuffled, on_real) < 0.65
    assert tstr_ratio(on_shuffled, on_real) < 0.7


def test_what_leaves_nothing_to_learn_is_said():
    X, y, _ = blobs(50, RNG)
    with pytest.raises(UndefinedMetricError, match="all of one class"):
        transfer_accuracy((X, np.zeros(50, dtype=np.int64), None), (X, y, None), NUMBERS, seed=0)
    with pytest.raises(UndefinedMetricError, match="reaches an accuracy of 0"):
        tstr_ratio(0.5, 0.0)


def test_the_same_seed_gives_the_same_score():
    real, generated = correlated(100, RNG), correlated(100, RNG)
    assert len({c2st_accuracy(real, generated, NUMBERS, seed=s) for s in (1, 1, 1)}) == 1


@pytest.mark.parametrize("neighbour", [1, 5])
def test_distances_to_neighbours_are_scikit_learns_and_counts_stay_sparse(neighbour):
    rng = np.random.default_rng(0)
    known, asked = (rng.poisson(0.3, size=(n, 30)).astype(np.float64) for n in (2100, 40))
    expected = NearestNeighbors(n_neighbors=neighbour).fit(known).kneighbors(asked)[0][:, -1]
    found = nearest_distances(asked, known, neighbour)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    wide = (
        sparse.csr_array(rows, shape=(len(rows), 10**8)) for rows in (asked, known)
    )  # 800 MB a row if it were dense
    np.testing.assert_array_equal(nearest_distances(*wide, neighbour), found)
