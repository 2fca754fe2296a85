import numpy as np
import pytest

from tests.models.classical_generative import small_data as data
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.models.classical_generative.gaussian import GaussianClassifier


@pytest.mark.parametrize("covariance", ["full", "tied", "diag"])
def test_units_do_not_matter(covariance):
    X, y = data.numeric_table()
    units, shift = np.array([1e5, 1e-4, 3.0]), np.array([1e3, -7.0, 0.5])
    plain = GaussianClassifier(covariance).fit(X, y)
    scaled = GaussianClassifier(covariance).fit(X * units + shift, y)
    np.testing.assert_allclose(scaled.predict_proba(X * units + shift), plain.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(
        scaled.log_prob(X * units + shift), plain.log_prob(X) - np.log(units).sum(), rtol=1e-6, atol=1e-4
    )


@pytest.mark.parametrize("covariance", ["full", "tied"])
def test_more_columns_than_rows_are_shrunk(covariance):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 15)
    X = rng.normal(size=(30, 60)) + 1.5 * (y[:, None] == (np.arange(60) % 2))
    model = GaussianClassifier(covariance).fit(X, y)
    fresh = rng.normal(size=(200, 60)) + 1.5 * (np.arange(60) % 2 == 0)
    assert (model.predict(fresh) == 0).mean() > 0.95
    assert np.isfinite(model.log_prob(fresh)).all()
    with pytest.raises(ValueError, match="shrinkage"):
        GaussianClassifier(covariance, shrinkage=0.0, var_smoothing=0.0).fit(X, y)


def test_full_shrinkage_is_the_diagonal_model():
    X, y = data.numeric_table()
    diagonal, shrunk = GaussianClassifier("diag").fit(X, y), GaussianClassifier("full", shrinkage=1.0).fit(X, y)
    np.testing.assert_allclose(shrunk.log_joint(X), diagonal.log_joint(X), rtol=1e-7)


@pytest.mark.parametrize("covariance", ["full", "tied", "diag"])
def test_constant_columns_and_small_classes(covariance):
    X, y = data.numeric_table()
    X = np.column_stack([X, np.full(len(y), 4.0), np.where(y == 1, 2.0, X[:, 0])])
    y = np.where(np.arange(len(y)) == 5, 3, y)  # class 3 has one member, class 4 none
    schema = Schema(Table(tuple(Column(c) for c in "abcde")), Classes(tuple("vwxyz")))
    model = GaussianClassifier(covariance, schema=schema).fit(X, y)
    assert np.isfinite(model.log_joint(X)).all()
    if covariance != "tied":  # only a covariance of its own can know that the class never moves in the last column
        assert (model.predict(X[y == 1]) == 1).mean() > 0.98  # as sure as that many equal values can make it
    assert np.isfinite(model.sample(10, y=np.arange(10) % 5, random_state=0)).all()


def test_values_missing_at_random_cost_little():
    rng = np.random.default_rng(1)
    covariance = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.4], [0.0, 0.4, 1.0]])
    X = rng.multivariate_normal([1.0, 2.0, 3.0], covariance, size=4000)
    gaps = X.copy()
    # The second column is missing where the first is large: a mean of what is observed would be far off.
    gaps[X[:, 0] > 1.3, 1] = np.nan
    y = np.zeros(len(X), np.int64)
    assert np.nanmean(gaps[:, 1]) < 1.7
    model = GaussianClassifier(shrinkage=0.0).fit(gaps, y)
    np.testing.assert_allclose(model.means_[0], [1, 2, 3], atol=0.06)
    np.testing.assert_allclose(model.covariances_[0], covariance, atol=0.08)


@pytest.mark.parametrize(
    ("name", "value"), [("covariance_type", "spherical"), ("shrinkage", 1.5), ("shrinkage", "none")]
)
def test_arguments_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=f"{name}={value!r}; accepted"):
        GaussianClassifier(**{name: value}).fit(*data.numeric_table())


def test_pixels_are_spread_over_their_cells():
    X, y, schema = data.images()
    model = GaussianClassifier("diag", schema=schema, random_state=0).fit(X, y)
    # The border is 0 in every image: spread over [0, 1) it has mean 1/2 and variance 1/12.
    border = (np.arange(12) % 3) == 0
    np.testing.assert_allclose(model.means_[:, border], 0.5, atol=0.15)
    np.testing.assert_allclose(model.covariances_[:, border], 1 / 12, atol=0.04)
    np.testing.assert_array_equal(model.log_joint(X), model.log_joint(X + 0.5))
    assert model.log_prob(X).mean() / 12 / np.log(2) < np.log2(17)
