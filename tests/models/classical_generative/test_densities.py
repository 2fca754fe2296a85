"""Densities are densities: they sum to 1, and leaving a column out is integrating over it."""

import copy

import numpy as np
import pytest

from tests.models.classical_generative import small_data as data
from versus.data.schema import Schema
from versus.data.spaces import Table
from versus.models.classical_generative.baseline import Marginals
from versus.models.classical_generative.gaussian import GaussianClassifier
from versus.models.classical_generative.kernel_density import KernelDensityClassifier
from versus.models.classical_generative.mixture import GaussianMixtureClassifier
from versus.models.classical_generative.naive_bayes import GaussianNaiveBayes, MixedNaiveBayes
from versus.models.classical_generative.naive_bayes_counts import MultinomialNaiveBayes
from versus.models.classical_generative.naive_bayes_discrete import BernoulliNaiveBayes, CategoricalNaiveBayes
from versus.models.classical_generative.regression import GaussianMixtureRegression

CONTINUOUS = [
    GaussianClassifier(),
    GaussianClassifier("tied"),
    GaussianClassifier("diag"),
    GaussianNaiveBayes(),
    GaussianMixtureClassifier(2, random_state=0),
    GaussianMixtureClassifier(2, "tied", random_state=0),
    GaussianMixtureClassifier(3, "diag", random_state=0),
    GaussianMixtureClassifier(3, "spherical", random_state=0),
    KernelDensityClassifier(),
    KernelDensityClassifier(0.5, "isotropic"),
    Marginals(),
]
AXIS = np.linspace(-14, 14, 281)
CELL = (AXIS[1] - AXIS[0]) ** 2


def plane():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 60)
    return np.column_stack([rng.normal(3 * y, 1.0), rng.normal(0, 1.5, 60)]) @ [[1.0, 0.4], [0.0, 1.0]], y


def grid():
    return np.stack(np.meshgrid(AXIS, AXIS, indexing="ij"), axis=-1).reshape(-1, 2)


@pytest.mark.parametrize("model", CONTINUOUS, ids=lambda m: type(m).__name__)
def test_continuous_densities_integrate_to_one(model):
    model.fit(*plane())
    joint = np.exp(model.log_joint(grid()))
    np.testing.assert_allclose(joint.sum(axis=0) * CELL, np.exp(model.log_prior_), rtol=1e-6)
    np.testing.assert_allclose(np.exp(model.log_prob(grid())).sum() * CELL, 1.0, rtol=1e-6)


@pytest.mark.parametrize("model", CONTINUOUS, ids=lambda m: type(m).__name__)
def test_a_missing_column_is_integrated_over(model):
    model.fit(*plane())
    step = AXIS[1] - AXIS[0]
    for value in (-1.0, 2.5):
        line = np.column_stack([np.full_like(AXIS, value), AXIS])
        integral = np.exp(model.log_joint(line)).sum(axis=0) * step
        marginal = np.exp(model.log_joint(np.array([[value, np.nan]])))[0]
        np.testing.assert_allclose(marginal, integral, rtol=1e-6)


def codes(*sizes):
    return np.stack(np.meshgrid(*[np.arange(s) for s in sizes], indexing="ij"), axis=-1).reshape(-1, len(sizes)) * 1.0


def test_categories_sum_to_one():
    X, y, schema = data.categorical_table()
    model = CategoricalNaiveBayes(schema=schema).fit(X, y)
    np.testing.assert_allclose(np.exp(model.log_prob(codes(3, 2))).sum(), 1.0)
    given = np.array([[1.0, np.nan]])
    both = np.array([[1.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(np.exp(model.log_joint(given))[0], np.exp(model.log_joint(both)).sum(axis=0))


def test_bits_sum_to_one():
    model = BernoulliNaiveBayes().fit(*data.bits())
    np.testing.assert_allclose(np.exp(model.log_prob(codes(2, 2, 2, 2))).sum(), 1.0)
    given = np.array([[1.0, np.nan, 0.0, 0.0]])
    both = np.array([[1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]])
    np.testing.assert_allclose(np.exp(model.log_joint(given))[0], np.exp(model.log_joint(both)).sum(axis=0))


def test_counts_of_one_total_sum_to_one():
    model = MultinomialNaiveBayes().fit(*data.counts())
    of_five = codes(6, 6, 6)
    of_five = of_five[of_five.sum(axis=1) == 5]
    np.testing.assert_allclose(np.exp(model.log_joint(of_five)).sum(axis=0), np.exp(model.log_prior_))
    # With a column missing, what was seen is multinomial given its own total.
    of_two = np.column_stack([np.arange(6.0), 5 - np.arange(6.0), np.full(6, np.nan)])
    np.testing.assert_allclose(np.exp(model.log_joint(of_two)).sum(axis=0), np.exp(model.log_prior_))


@pytest.mark.parametrize("model", CONTINUOUS, ids=lambda m: type(m).__name__)
def test_mixed_columns_sum_to_one_and_follow_bayes_rule(model):
    X, y, schema = data.mixed_table()
    model = copy.copy(model)
    model.schema = schema
    model.fit(X, y)
    assert model.measure == "mixed"
    line = np.linspace(-14, 16, 3001)
    cells = np.array([[x, *c] for c in codes(3, 2) for x in line])
    joint = np.exp(model.log_joint(cells)).reshape(3, 2, len(line), 4) * (line[1] - line[0])
    np.testing.assert_allclose(joint.sum(axis=(0, 1, 2)), np.exp(model.log_prior_), rtol=1e-6)

    # a missing column is summed or integrated over, whichever kind it is
    at = 1500
    for row, expected in (
        ([line[at], np.nan, 1.0], joint[:, 1, at].sum(axis=0) / (line[1] - line[0])),
        ([line[at], np.nan, np.nan], joint[:, :, at].sum(axis=(0, 1)) / (line[1] - line[0])),
        ([np.nan, 2.0, np.nan], joint[2].sum(axis=(0, 1))),
    ):
        np.testing.assert_allclose(np.exp(model.log_joint(np.array([row])))[0], expected, rtol=1e-6)

    # the density of the numbers is that of a table of numbers, and the frequencies are counted here
    numbers = copy.copy(model)
    numbers.schema = Schema(Table(schema.columns[:1]), schema.y)
    by_hand = numbers.fit(X[:, :1], y).log_joint(X[:, :1])
    same = np.ones_like(y) if isinstance(model, Marginals) else y == np.arange(4)[:, None]
    for d, size in ((1, 3), (2, 2)):
        counts = np.stack([(same & (X[:, d] == c)).sum(axis=-1) + 1.0 for c in range(size)], axis=-1)
        by_hand += np.log(np.broadcast_to(counts / counts.sum(axis=-1, keepdims=True), (4, size)))[
            :, X[:, d].astype(int)
        ].T
    np.testing.assert_allclose(model.log_joint(X), by_hand)
    expected = np.exp(by_hand) / np.exp(by_hand).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-9)


def test_what_a_density_is_of():
    _, _, schema = data.images()
    assert BernoulliNaiveBayes(schema=schema).measure == "binarised"
    assert BernoulliNaiveBayes().fit(*data.bits()).measure == "discrete"
    assert MultinomialNaiveBayes().measure == "multinomial"
    assert MixedNaiveBayes(schema=schema).measure == "continuous"
    assert Marginals(schema=data.categorical_table()[2]).measure == "discrete"
    assert GaussianMixtureClassifier().measure == KernelDensityClassifier().measure == "continuous"
    assert GaussianMixtureClassifier(schema=data.mixed_table()[2]).measure == "mixed"
    assert GaussianClassifier(schema=data.categorical_table()[2]).measure == "discrete"


def test_a_joint_regression_density_integrates_to_one():
    X, _ = plane()
    model = GaussianMixtureRegression(2, random_state=0).fit(X[:, :1], X[:, 1])
    points = grid()
    joint = model.log_prob(points[:, :1]) + model.log_prob_target(points[:, :1], points[:, 1])
    np.testing.assert_allclose(np.exp(joint).sum() * CELL, 1.0, rtol=1e-6)


@pytest.mark.parametrize("model", CONTINUOUS, ids=lambda m: type(m).__name__)
def test_samples_have_the_moments_of_their_class(model):
    X, y = plane()
    model.fit(X, y)
    points, joint = grid(), np.exp(model.log_likelihoods(grid())) * CELL
    for k in range(2):
        drawn = model.sample(6000, y=np.full(6000, k), random_state=k)
        mean = joint[:, k] @ points
        covariance = (points - mean).T @ ((points - mean) * joint[:, [k]])
        np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=0.12)
        np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.3)


@pytest.mark.parametrize("model", [MixedNaiveBayes(), GaussianClassifier(), KernelDensityClassifier()])
def test_drawn_categories_have_the_probabilities_of_their_class(model):
    X, y, schema = data.mixed_table()
    model.schema = schema
    drawn = model.fit(X, y).sample(5000, y=np.full(5000, 1), random_state=0)
    shares = np.bincount(drawn[:, 1].astype(int), minlength=3) / 5000
    np.testing.assert_allclose(shares, np.exp(model.log_probabilities_[1, :3]), atol=0.03)
    np.testing.assert_allclose(drawn[:, 0].mean(), X[y == 1, 0].mean(), atol=0.06)
