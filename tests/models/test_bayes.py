import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import stats

from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.models.bayes import GenerativeClassifier, class_log_prior
from versus.models.class_densities import BayesClassifier
from versus.models.classical_generative.kernel_density import KernelDensity
from versus.models.classical_generative.mixture import GaussianMixture


@dataclass(eq=False)
class OfEach(BayesClassifier):
    """A copy of the given density for each class."""

    density: Any

    def new_density(self):
        return copy.deepcopy(self.density)


class Coin(GenerativeClassifier):
    """Two coins, fair and always heads, drawn with probabilities 1/4 and 3/4."""

    def log_joint(self, X):
        heads = np.column_stack([np.full(len(X), 0.5), np.where(X[:, 0] == 1, 1.0, 1e-300)])
        return np.log(heads * [0.25, 0.75])


def test_prediction_follows_from_one_hook():
    coin, X = Coin(), np.array([[1.0], [0.0]])
    np.testing.assert_allclose(coin.predict_proba(X), [[1 / 7, 6 / 7], [1, 0]], atol=1e-12)
    np.testing.assert_allclose(np.exp(coin.predict_log_proba(X)), coin.predict_proba(X))
    np.testing.assert_array_equal(coin.predict(X), [1, 0])
    assert not hasattr(coin, "log_prob")
    assert not hasattr(coin, "sample")


def test_a_class_without_members_keeps_a_prior():
    np.testing.assert_allclose(np.exp(class_log_prior(np.array([0, 0, 1]), 3)), [3 / 6, 2 / 6, 1 / 6])


@pytest.fixture
def lines():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [150, 50])
    return rng.normal(np.where(y == 1, 3.0, 0.0), 1.0)[:, None], y


def test_any_density_becomes_a_classifier(lines):
    X, y = lines
    model = OfEach(GaussianMixture(1, pseudo_counts=0, var_smoothing=0)).fit(X, y)
    joint = np.stack(
        [stats.norm(X[y == k, 0].mean(), X[y == k, 0].std()).logpdf(X[:, 0]) for k in range(2)], axis=1
    ) + np.log([151 / 202, 51 / 202])
    np.testing.assert_allclose(model.log_joint(X), joint)
    assert model.measure == "continuous"
    assert (model.predict(X) == y).mean() > 0.9


def test_the_given_density_stays_unfitted(lines):
    density = KernelDensity()
    first = OfEach(density, random_state=0).fit(*lines)
    assert not hasattr(density, "points_")
    assert [len(d.points_) for d in first.densities_] == [150, 50]


def test_each_class_has_randomness_of_its_own(lines):
    X, _ = lines
    y = np.arange(len(X)) % 2
    X = np.repeat(X[::2], 2, axis=0)  # both classes hold the same rows
    model = OfEach(GaussianMixture(3), random_state=0).fit(X, y)
    one, two = (d.mixture_.means for d in model.densities_)
    assert not np.array_equal(one, two)
    again = OfEach(GaussianMixture(3), random_state=0).fit(X, y)
    np.testing.assert_array_equal(again.densities_[1].mixture_.means, two)


def test_arrays_go_to_the_class_they_came_from(lines):
    X, y = lines
    schema = Schema(Table((Column("x"),)), Classes(tuple("abcdefghijkl")))
    model = OfEach(GaussianMixture(2), schema=schema, random_state=0).fit(X, y)
    copy = OfEach(GaussianMixture(2), schema=schema, random_state=0)
    copy.set_arrays(model.get_arrays())
    np.testing.assert_array_equal(copy.log_joint(X), model.log_joint(X))
    with pytest.raises(ValueError, match="schema"):
        OfEach(GaussianMixture(2)).set_arrays(model.get_arrays())


def test_samples_of_given_classes_only(lines):
    model = OfEach(GaussianMixture(1), random_state=0).fit(*lines)
    assert model.sample(4000, random_state=0).mean() == pytest.approx(3 * 0.25, abs=0.15)
    ordered = model.sample(400, y=np.tile([0, 1], 200), random_state=0)
    assert ordered[::2].mean() == pytest.approx(0, abs=0.3)
    assert ordered[1::2].mean() == pytest.approx(3, abs=0.3)
    with pytest.raises(ValueError, match="2 class codes from 0 to 1"):
        model.sample(2, y=np.array([0, 2]))
    with pytest.raises(ValueError, match="3 class codes"):
        model.sample(3, y=np.array([0, 1]))
