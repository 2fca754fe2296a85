import numpy as np
import pytest
from scipy.linalg import sqrtm

from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Nothing
from versus.metrics import columns, image_samples
from versus.metrics.image_samples import ImageSample
from versus.metrics.metric import UndefinedMetricError
from versus.metrics.samples import memorisation

RNG = np.random.default_rng(0)


def seen(features, shares=(1.0, 1.0)):
    """A sample whose extractor sees these features, and classes in turn by their shares."""
    features = np.asarray(features, np.float64)
    labels = np.repeat(np.arange(len(shares)), np.round(np.array(shares) / sum(shares) * len(features)).astype(int))
    return ImageSample(features.reshape(len(features), -1), np.eye(len(shares))[np.resize(labels, len(features))])


def with_moments(n, mean, covariance):
    """Rows whose mean and covariance are exactly these."""
    X = RNG.standard_normal((n, len(mean)))
    X = (X - X.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(X.T))).T
    return X @ np.linalg.cholesky(covariance).T + mean


def test_fid_of_two_gaussians_is_the_closed_form():
    a, b = (RNG.standard_normal((4, 4)) for _ in range(2))
    (m, s), (n, t) = (np.arange(4.0), a @ a.T + np.eye(4)), (np.ones(4), b @ b.T + np.eye(4))
    expected = np.square(m - n).sum() + np.trace(s + t - 2 * sqrtm(s @ t)).real
    x, y = seen(with_moments(50, m, s)), seen(with_moments(70, n, t))
    assert image_samples.fid(x, y) == pytest.approx(expected, rel=1e-9)
    assert image_samples.fid(y, x) == pytest.approx(expected, rel=1e-9)
    assert image_samples.fid(x, x) == pytest.approx(0.0, abs=1e-9)
    along = seen(np.outer(np.arange(5.0), [3.0, 4.0, 0.0])), seen(np.outer(np.arange(5.0), [0.0, 0.0, 5.0]))
    # Covariances of rank 1 at a right angle: nothing is shared, the distance is that of the means and both variances.
    assert image_samples.fid(*along) == pytest.approx(2 * 10**2 + 2 * 25 * 2.5)


def test_kid_is_unbiased_and_the_mean_over_pairs():
    x, y = RNG.standard_normal((2, 7, 3))

    def kernel(u, v):
        return (u @ v / 3 + 1) ** 3

    within = [np.mean([kernel(u, v) for i, u in enumerate(z) for j, v in enumerate(z) if i != j]) for z in (x, y)]
    between = np.mean([kernel(u, v) for u in x for v in y])
    assert image_samples.kid(seen(x), seen(y)) == pytest.approx(sum(within) - 2 * between)
    drawn = [image_samples.kid(seen(x), seen(y)) for x, y in RNG.standard_normal((4000, 2, 8, 3))]
    error = np.std(drawn) / np.sqrt(len(drawn))
    assert abs(np.mean(drawn)) < 3 * error < 0.1
    assert min(drawn) < 0
    assert image_samples.kid(seen(x), seen(y + 2)) > 1


def test_precision_falls_where_samples_leave_the_data_and_recall_where_they_miss_some():
    real = np.arange(40.0)
    half, beyond = np.arange(20) + 0.25, np.concatenate([np.arange(20) + 0.25, np.arange(1000, 1020) + 0.25])
    assert image_samples.precision(seen(real), seen(half)) == 1.0
    assert image_samples.recall(seen(real), seen(half)) == pytest.approx(0.55, abs=0.03)  # and a radius beyond the half
    assert image_samples.precision(seen(real), seen(beyond)) == 0.5
    assert image_samples.coverage(seen(real), seen(half)) == pytest.approx(0.56, abs=0.04)
    assert image_samples.coverage(seen(real), seen(real + 0.5)) == 1.0
    assert image_samples.coverage(seen(real), seen(real + 500)) == 0.0
    # Each sample lies within the balls of five or six of forty points, of radius three in the middle of a line.
    assert image_samples.density(seen(real), seen(np.full(10, 20.1))) == pytest.approx(6 / 5)
    assert image_samples.density(seen(real), seen(real + 500)) == 0.0
    same = RNG.standard_normal((2, 600, 4))
    assert image_samples.density(*map(seen, same)) == pytest.approx(1.0, abs=0.1)
    with pytest.raises(UndefinedMetricError, match="3 images have no 3-th neighbour"):
        image_samples.precision(seen(real[:3]), seen(half))


def test_classes_are_counted_and_missing_ones_seen():
    even, one, few = (seen(np.zeros(1000), shares) for shares in ((1, 1, 1, 1), (1, 0, 0, 0), (96, 2, 1, 1)))
    assert image_samples.inception_score(even, even) == pytest.approx(4.0)
    assert image_samples.inception_score(even, one) == pytest.approx(1.0)
    assert [image_samples.modes_covered(even, s) for s in (even, one, few)] == [1.0, 0.25, 0.25]
    assert image_samples.mode_entropy(even, even) == pytest.approx(1.0)
    assert image_samples.mode_entropy(even, one) == 0.0
    halves = seen(np.zeros(1000), (1, 1, 0, 0))
    assert image_samples.mode_entropy(even, halves) == pytest.approx(0.5)
    with pytest.raises(UndefinedMetricError, match="all of one class"):
        image_samples.mode_entropy(one, even)


TABLE = Schema(Table((Column("a"), Column("b"), Column("c", tuple("pqr")))), Nothing())


def table(n, rho=0.0, shift=0.0, shares=(0.5, 0.25, 0.25)):
    numbers = with_moments(n, np.array([shift, shift]), np.array([[1.0, rho], [rho, 1.0]]))
    codes = np.repeat(np.arange(3), np.round(np.array(shares) * n).astype(int))
    return np.column_stack([numbers, RNG.permutation(codes)])


def test_distances_of_columns_are_those_of_their_distributions():
    real = table(400)
    assert columns.marginal_distance(real, real, TABLE) == columns.wasserstein_distance(real, real, TABLE) == 0.0
    moved = real + np.array([3.0, -3.0, 0.0])
    assert columns.wasserstein_distance(real, moved, TABLE) == pytest.approx(3.0, rel=0.01)  # of deviation 1
    assert columns.marginal_distance(real, real + np.array([99.0, 99.0, 0.0]), TABLE) == pytest.approx(2 / 3)
    numbers = Schema(Table(TABLE.columns[:2]), Nothing())
    pair = (table(200, rho)[:, :2] for rho in (0.8, 0.0))
    assert columns.correlation_distance(*pair, numbers) == pytest.approx(0.8)
    category = Schema(Table(TABLE.columns[2:]), Nothing())
    rare = table(400, shares=(0.25, 0.5, 0.25))[:, 2:]
    assert columns.marginal_distance(real[:, 2:], rare, category) == pytest.approx(0.25)
    with pytest.raises(UndefinedMetricError, match="no column is numeric"):
        columns.wasserstein_distance(real[:, 2:], rare, category)
    with pytest.raises(UndefinedMetricError, match="a single column"):
        columns.correlation_distance(rare, rare, category)
    with pytest.raises(UndefinedMetricError, match="5 rows without missing values"):
        columns.marginal_distance(real, np.concatenate([real[:5], np.full((50, 3), np.nan)]), TABLE)


def test_categories_that_go_with_numbers_are_a_correlation():
    codes = np.tile([0.0, 1.0, 2.0], 100)
    real = np.column_stack([codes, codes, codes])
    loose = np.column_stack([codes, codes, np.roll(np.repeat([0.0, 1.0, 2.0], 100), 0)])
    assert columns.correlation_distance(real, loose, TABLE) > 0.2
    assert columns.correlation_distance(real, real[::-1], TABLE) == pytest.approx(0.0)


def test_copies_of_either_side_are_told():
    schema = Schema(Table((Column("a"), Column("b"))), Nothing())
    train, real, fresh = RNG.standard_normal((3, 200, 2))
    assert memorisation(train, real, train, schema) == 1.0
    assert memorisation(train, real, real, schema) == 0.0
    assert memorisation(train, real, fresh, schema) == pytest.approx(0.5, abs=0.12)
