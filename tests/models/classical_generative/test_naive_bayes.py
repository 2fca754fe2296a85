import numpy as np
import pytest

from tests.models.classical_generative import small_data as data
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.models.classical_generative.naive_bayes import GaussianNaiveBayes, MixedNaiveBayes
from versus.models.classical_generative.naive_bayes_counts import MultinomialNaiveBayes
from versus.models.classical_generative.naive_bayes_discrete import BernoulliNaiveBayes, CategoricalNaiveBayes
from versus.numerics.class_moments import class_moments
from versus.numerics.normals import DiagonalNormals


def test_mixed_columns_may_all_be_categorical():
    X, y, schema = data.categorical_table()
    mixed, categories = (model(schema=schema).fit(X, y) for model in (MixedNaiveBayes, CategoricalNaiveBayes))
    np.testing.assert_allclose(mixed.log_likelihoods(X), categories.log_likelihoods(X))


def test_available_values_are_used_and_no_others():
    X, y = data.numeric_table()
    gaps = X.copy()
    gaps[np.random.default_rng(0).random(X.shape) < 0.3] = np.nan
    model = GaussianNaiveBayes(var_smoothing=0.0).fit(gaps, y)
    for k in range(3):
        np.testing.assert_allclose(model.means_[k], np.nanmean(gaps[y == k], axis=0))
        np.testing.assert_allclose(model.variances_[k], np.nanvar(gaps[y == k], axis=0))


def test_a_class_with_one_member_or_none_borrows_its_width():
    X, y = data.numeric_table()
    schema = Schema(Table(tuple(Column(c) for c in "abc")), Classes(tuple("abcde")))
    y = np.where(np.arange(len(y)) == 5, 3, y)
    model = GaussianNaiveBayes(schema=schema).fit(X, y)
    np.testing.assert_allclose(model.means_[3], X[5])
    np.testing.assert_allclose(model.variances_[3:], [X.var(axis=0)] * 2, rtol=1e-6)
    np.testing.assert_allclose(model.means_[4], X.mean(axis=0))


@pytest.mark.parametrize("model_class", [MixedNaiveBayes, CategoricalNaiveBayes])
def test_an_unknown_category_is_named(model_class):
    X, y, schema = data.categorical_table()
    model = model_class(schema=schema).fit(X, y)
    X = X.copy()
    X[4, 0] = 3.0
    with pytest.raises(ValueError, match=r"'colour' holds .*3.0; codes 0 … 2"):
        model.predict(X)


@pytest.mark.parametrize("model_class", [MixedNaiveBayes, CategoricalNaiveBayes, BernoulliNaiveBayes])
def test_smoothing_must_be_positive(model_class):
    X, y, schema = data.categorical_table()
    with pytest.raises(ValueError, match=r"alpha=0\.0"):
        model_class(alpha=0.0, schema=schema).fit(X, y)


def test_each_discrete_model_says_what_it_takes():
    X, y = data.numeric_table()
    with pytest.raises(ValueError, match="x0, x1, x2 are numeric"):
        CategoricalNaiveBayes().fit(X, y)
    with pytest.raises(ValueError, match="columns of 0 and 1, and column 'x0'"):
        BernoulliNaiveBayes().fit(X, y)
    with pytest.raises(ValueError, match=r"'x0' holds .*GaussianNaiveBayes"):
        MultinomialNaiveBayes().fit(X, y)
    with pytest.raises(ValueError, match=r"events have shape \(2,\)"):
        GaussianNaiveBayes().fit(X, y).predict(X[:, :2])


def test_pixels_are_bits_from_half_of_their_levels():
    X, y, schema = data.images()
    model = BernoulliNaiveBayes(schema=schema).fit(X, y)
    np.testing.assert_array_equal(model.log_joint(X), model.log_joint(np.where(X >= 9, 16, 0).astype(np.uint8)))
    np.testing.assert_array_equal(model.log_joint(X), model.log_joint(X + 0.99))
    assert set(np.unique(model.sample(50, random_state=0))) == {0, 16}


def test_missing_counts_are_completed():
    rng = np.random.default_rng(0)
    shares = np.array([0.5, 0.3, 0.2])
    X = rng.multinomial(200, shares, size=300).astype(float)
    X[rng.random(300) < 0.5, 0] = np.nan
    model = MultinomialNaiveBayes().fit(X, np.zeros(300, np.int64))
    np.testing.assert_allclose(np.exp(model.log_probabilities_[0]), shares, atol=0.01)
    np.testing.assert_allclose(model.totals_[0].mean(), 200, rtol=0.02)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mean_over_deviation", [0.0, 1e2, 1e4])
def test_moments_keep_their_digits(dtype, mean_over_deviation):
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(20_000, 3)) * [1, 10, 1] + [mean_over_deviation, 0, -3]).astype(dtype)
    y = rng.integers(0, 4, len(X))
    found = class_moments(X, y, 4)
    exact = X.astype(np.float64)
    for k in range(4):
        np.testing.assert_allclose(found.means[k], exact[y == k].mean(axis=0), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(found.variances[k], exact[y == k].var(axis=0), rtol=1e-5)
    pooled = found.pooled()
    np.testing.assert_allclose(pooled.means[0], exact.mean(axis=0), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(pooled.variances[0], exact.var(axis=0), rtol=1e-5)


def test_single_precision_is_given_up_where_it_could_mislead():
    rng = np.random.default_rng(0)
    # Two narrow classes far from each other's centre in each column: the expanded square cancels nearly all digits.
    means = np.array([[0.0, 1000.0, 0.0], [0.0, 1000.0, 1e-3], [1000.0, 0.0, 0.0]])
    normals = DiagonalNormals(means, np.full((3, 3), 1e-6))
    X = (means[rng.integers(0, 3, 500)] + rng.normal(size=(500, 3)) * 1e-3).astype(np.float32)
    exact = normals.log_density(X.astype(np.float64))
    found = normals.log_density(X)
    np.testing.assert_array_equal(found.argmax(axis=0), exact.argmax(axis=0))
    close = exact > exact.max(axis=0) - 30
    assert (close.sum(axis=0) > 1).any()
    np.testing.assert_allclose(
        found[close & (close.sum(axis=0) > 1)], exact[close & (close.sum(axis=0) > 1)], atol=0.02
    )
