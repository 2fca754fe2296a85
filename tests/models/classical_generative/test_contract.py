"""What every classifier of the family owes, whatever its density."""

import inspect

import numpy as np
import pytest
from scipy.special import logsumexp

from tests.models.classical_generative import small_data as data
from versus.data.schema import Schema
from versus.data.spaces import Image, Table
from versus.models import persistence
from versus.models.classical_generative.baseline import Marginals
from versus.models.classical_generative.bayesian_network import (
    ChowLiuTree,
    HillClimbingNetwork,
    TreeAugmentedNaiveBayes,
)
from versus.models.classical_generative.gaussian import GaussianClassifier
from versus.models.classical_generative.kernel_density import KernelDensity, KernelDensityClassifier
from versus.models.classical_generative.markov_random_field import MarkovRandomField
from versus.models.classical_generative.mixture import GaussianMixtureClassifier
from versus.models.classical_generative.naive_bayes import GaussianNaiveBayes, MixedNaiveBayes
from versus.models.classical_generative.naive_bayes_counts import MultinomialNaiveBayes
from versus.models.classical_generative.naive_bayes_discrete import BernoulliNaiveBayes, CategoricalNaiveBayes


def with_schema(X, y):
    return X, y, Schema.of(X, y)


NUMERIC = [
    (GaussianClassifier, {}),
    (GaussianClassifier, {"covariance_type": "tied", "shrinkage": 0.1}),
    (GaussianClassifier, {"covariance_type": "diag"}),
    (GaussianNaiveBayes, {}),
    (MixedNaiveBayes, {}),
    (GaussianMixtureClassifier, {"n_components": 2}),
    (GaussianMixtureClassifier, {"n_components": 3, "covariance_type": "tied", "n_init": 2}),
    (GaussianMixtureClassifier, {"n_components": 3, "covariance_type": "diag"}),
    (GaussianMixtureClassifier, {"n_components": 3, "covariance_type": "spherical"}),
    (KernelDensityClassifier, {}),
    (KernelDensityClassifier, {"bandwidth": "cross_validation", "kernel": "isotropic"}),
    (Marginals, {}),
]
NETWORKS = [(ChowLiuTree, {}), (TreeAugmentedNaiveBayes, {"alpha": 1.0}), (HillClimbingNetwork, {"score": "bdeu"})]
NETWORKS += [(MarkovRandomField, {}), (MarkovRandomField, {"n_edges": 2})]
CELLS = [
    *[(c, args, with_schema(*data.numeric_table())) for c, args in NETWORKS],
    *[(c, args, made()) for c, args in NETWORKS for made in (data.mixed_table, data.categorical_table)],
    *[(c, args, with_schema(*data.numeric_table())) for c, args in NUMERIC],
    *[(c, args, data.images()) for c, args in NUMERIC],
    (BernoulliNaiveBayes, {}, data.images()),
    (MultinomialNaiveBayes, {}, data.images()),
    *[(c, args, data.mixed_table()) for c, args in NUMERIC],
    *[(c, {}, data.categorical_table()) for c in (MixedNaiveBayes, GaussianClassifier, GaussianMixtureClassifier)],
    (CategoricalNaiveBayes, {}, data.categorical_table()),
    (BernoulliNaiveBayes, {}, with_schema(*data.bits())),
    (MultinomialNaiveBayes, {}, with_schema(*data.counts())),
]
NAMES = [f"{c.__name__}-{s.x.describe()}-{'-'.join(map(str, a.values()))}" for c, a, (_, _, s) in CELLS]


def build(model_class, args, schema):
    seed = {"random_state": 0} if "random_state" in inspect.signature(model_class).parameters else {}
    return model_class(**args, schema=schema, **seed)


def unfitted(model):
    return type(model)(**{name: getattr(model, name) for name in inspect.signature(type(model)).parameters})


@pytest.fixture(scope="module", params=range(len(CELLS)), ids=NAMES)
def fitted(request):
    model_class, args, (X, y, schema) = CELLS[request.param]
    return build(model_class, args, schema).fit(X, y), X, y, schema


def test_probabilities_follow_from_the_joint_density(fitted):
    model, X, _, schema = fitted
    joint = model.log_joint(X)
    assert joint.shape == (len(X), schema.n_classes)
    assert np.isfinite(joint).all()
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    np.testing.assert_allclose(model.log_prob(X), logsumexp(joint, axis=1))
    np.testing.assert_allclose(model.log_joint(X) - model.log_likelihoods(X), [model.log_prior_] * len(X), atol=1e-6)
    np.testing.assert_array_equal(model.predict(X), joint.argmax(axis=1))
    np.testing.assert_allclose(np.exp(model.log_prior_).sum(), 1.0)


def test_learns_the_classes(fitted):
    model, X, y, _ = fitted
    accuracy, majority = (model.predict(X) == y).mean(), np.bincount(y).max() / len(y)
    assert accuracy == majority if isinstance(model, Marginals) else accuracy > majority + 0.1


def test_samples_lie_in_the_space_of_the_data(fitted):
    model, X, _, schema = fitted
    labels = np.arange(40) % schema.n_classes
    drawn = model.sample(40, y=labels, random_state=5)
    assert drawn.shape == (40, *schema.shape)
    np.testing.assert_array_equal(drawn, model.sample(40, y=labels, random_state=5))
    assert not np.array_equal(drawn, model.sample(40, y=labels, random_state=6))
    assert np.isfinite(model.log_prob(drawn)).all()
    assert model.sample(7, random_state=0).shape == (7, *schema.shape)
    assert model.sample(0, random_state=0).shape == (0, *schema.shape)
    if isinstance(schema.x, Image):
        assert drawn.dtype == X.dtype
        assert drawn.max() < schema.levels
    for d, size in enumerate(schema.cardinalities if isinstance(schema.x, Table) else ()):
        assert not size or set(drawn[:, d]) <= set(range(size))


def test_a_saved_model_answers_the_same_bits(fitted, tmp_path):
    model, X, *_ = fitted
    module = type(model).__module__.rsplit(".", 1)[1]
    persistence.save(model, tmp_path / "model", "classical_generative", module)
    loaded = persistence.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.log_joint(X), model.log_joint(X))
    np.testing.assert_array_equal(loaded.sample(5, random_state=1), model.sample(5, random_state=1))
    assert loaded.measure == model.measure


def test_arrays_of_another_shape_are_refused(fitted):
    model, *_ = fitted
    arrays = model.get_arrays()
    for name in arrays:
        if name.endswith("points"):  # as many as there are
            continue
        fresh = unfitted(model)
        with pytest.raises(ValueError, match=name.split(".")[-1]):
            fresh.set_arrays(arrays | {name: np.zeros((2, *arrays[name].shape))})
        with pytest.raises(ValueError, match=name.split(".")[-1]):
            fresh.set_arrays({k: v for k, v in arrays.items() if k != name})


def test_a_second_fit_gives_the_same_bits(fitted):
    model, X, y, _ = fitted
    again = unfitted(model).fit(X, y)
    for name, array in model.get_arrays().items():
        np.testing.assert_array_equal(again.get_arrays()[name], array, err_msg=name)


def test_missing_values_are_taken(fitted):
    model, X, y, schema = fitted
    if isinstance(schema.x, Image):
        pytest.skip("images have no missing pixels")
    gaps = X.copy()
    gaps[np.random.default_rng(7).random(X.shape) < 0.2] = np.nan
    again = unfitted(model).fit(gaps, y)
    assert np.isfinite(again.log_joint(gaps)).all()
    nothing = np.full((1, *X.shape[1:]), np.nan)
    np.testing.assert_allclose(again.log_joint(nothing)[0], again.log_prior_, atol=1e-9)


def test_needs_labels_that_the_schema_knows(fitted):
    model, X, y, schema = fitted
    fresh = unfitted(model)
    with pytest.raises(ValueError, match="needs y"):
        fresh.fit(X)
    with pytest.raises(ValueError, match=r"codes 0 … 9"):
        fresh.fit(X, np.where(np.arange(len(y)) == 3, 9, y % schema.n_classes))
    with pytest.raises(ValueError, match="one label a row"):
        fresh.fit(X, y[:-1])


@pytest.mark.parametrize(("model_class", "args"), [(c, a) for c, a in NUMERIC if c is not Marginals])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_column_of_one_value_in_a_class_outweighs_no_other(model_class, args, unit):
    """A density as narrow as rounding allows would decide alone, and more so the smaller the column's unit."""
    if {"spherical", "isotropic"} & set(map(str, args.values())):
        pytest.skip("one width for all columns depends on their units")
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 600)
    x = rng.normal(size=(600, 2)) + 2.5 * y[:, None]
    flag = np.where(y == 1, rng.poisson(0.05, 600), 0)  # always 0 in class 0, mostly in class 1
    flag[(y == 0) & (np.arange(600) > 560)] = 1  # and sometimes not in rows not seen
    X = np.column_stack([x, unit * flag])
    without = build(model_class, args, None).fit(x[:500], y[:500])
    model = build(model_class, args, None).fit(X[:500], y[:500])
    accuracies = [(m.predict(rows[500:]) == y[500:]).mean() for m, rows in ((model, X), (without, x))]
    assert accuracies[0] > accuracies[1] - 0.2
    other = build(model_class, args, None).fit(X[:500] / unit, y[:500])
    np.testing.assert_allclose(model.predict_proba(X), other.predict_proba(X / unit), atol=1e-3)


def test_an_unknown_prior_is_refused():
    X, y = data.numeric_table()
    with pytest.raises(ValueError, match="'flat'"):
        GaussianNaiveBayes(prior="flat").fit(X, y)
    uniform = GaussianNaiveBayes(prior="uniform").fit(X, y)
    np.testing.assert_allclose(np.exp(uniform.log_prior_), 1 / 3)


@pytest.mark.parametrize("model", [MultinomialNaiveBayes, KernelDensity])
def test_categorical_columns_are_named_where_they_cannot_be_taken(model):
    X, y, schema = data.mixed_table()
    with pytest.raises(ValueError, match=r"colour, wet.*MixedNaiveBayes"):
        model(schema=schema).fit(X, y)
