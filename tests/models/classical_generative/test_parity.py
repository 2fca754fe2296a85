"""The same numbers as scikit-learn and scipy, where they have the model."""

import numpy as np
import pytest
from scipy import stats
from sklearn import discriminant_analysis, mixture, naive_bayes, neighbors
from sklearn.covariance import ledoit_wolf_shrinkage

from tests.models.classical_generative import small_data as data
from versus.data.schema import Schema
from versus.models.classical_generative.gaussian import GaussianClassifier
from versus.models.classical_generative.kernel_density import KernelDensity
from versus.models.classical_generative.mixture import GaussianMixture
from versus.models.classical_generative.naive_bayes import GaussianNaiveBayes
from versus.models.classical_generative.naive_bayes_counts import MultinomialNaiveBayes
from versus.models.classical_generative.naive_bayes_discrete import BernoulliNaiveBayes, CategoricalNaiveBayes
from versus.numerics.covariances import structure
from versus.numerics.held_out import folds, shrunk
from versus.numerics.mixtures import Mixture

CLOSE = {"rtol": 1e-6, "atol": 1e-6}


def one_scale():
    """scikit-learn's tolerances are in the data's own units."""
    X, y = data.numeric_table()
    return X * [1, 1e-3, 1e3], y


def same_posterior(model, reference, X):
    np.testing.assert_allclose(model.predict_proba(X), reference.predict_proba(X), **CLOSE)


def test_gaussian_naive_bayes():
    X, y = one_scale()
    model = GaussianNaiveBayes().fit(X, y)
    reference = naive_bayes.GaussianNB(priors=np.exp(model.log_prior_)).fit(X, y)
    np.testing.assert_allclose(model.means_, reference.theta_, **CLOSE)
    np.testing.assert_allclose(model.variances_, reference.var_, **CLOSE)
    np.testing.assert_allclose(model.log_joint(X), reference.predict_joint_log_proba(X), **CLOSE)


def test_bernoulli_naive_bayes():
    X, y = data.bits()
    model = BernoulliNaiveBayes(alpha=0.7).fit(X, y)
    reference = naive_bayes.BernoulliNB(alpha=0.7, class_prior=np.exp(model.log_prior_)).fit(X, y)
    np.testing.assert_allclose(model.log_joint(X), reference.predict_joint_log_proba(X), **CLOSE)


def test_categorical_naive_bayes():
    X, y, schema = data.categorical_table()
    model = CategoricalNaiveBayes(alpha=0.7, schema=schema).fit(X, y)
    prior = np.exp(model.log_prior_[:3])  # scikit-learn knows no class without members
    reference = naive_bayes.CategoricalNB(alpha=0.7, class_prior=prior / prior.sum()).fit(X, y)
    np.testing.assert_allclose(
        model.log_joint(X)[:, :3] - np.log(prior.sum()), reference.predict_joint_log_proba(X), **CLOSE
    )


def test_multinomial_naive_bayes():
    X, y = data.counts()
    model = MultinomialNaiveBayes(alpha=0.7).fit(X, y)
    reference = naive_bayes.MultinomialNB(alpha=0.7, class_prior=np.exp(model.log_prior_)).fit(X, y)
    np.testing.assert_allclose(model.log_probabilities_, reference.feature_log_prob_, **CLOSE)
    same_posterior(model, reference, X)
    totals = X.sum(axis=1).astype(int)
    exact = [
        stats.multinomial(n, np.exp(model.log_probabilities_[1])).logpmf(x) for n, x in zip(totals, X, strict=True)
    ]
    np.testing.assert_allclose(model.log_likelihoods(X)[:, 1], exact, **CLOSE)


def with_covariances(model, covariances):
    """A copy with other covariances: scikit-learn's divisors (N, N - 1, N - K) vary with solver and version."""
    copy = GaussianClassifier(model.covariance_type, schema=model.schema)
    copy.set_arrays(model.get_arrays() | {"covariances": covariances})
    return copy


def test_linear_discriminant_analysis():
    X, y = one_scale()
    model = GaussianClassifier("tied", shrinkage=0.0, var_smoothing=0.0, schema=Schema.of(X, y)).fit(X, y)
    reference = discriminant_analysis.LinearDiscriminantAnalysis("lsqr", priors=np.exp(model.log_prior_)).fit(X, y)
    np.testing.assert_allclose(model.means_, reference.means_, **CLOSE)
    same_posterior(with_covariances(model, reference.covariance_), reference, X)
    frequencies = np.bincount(y) / len(y)
    within = [np.cov(X[y == k].T, bias=True) for k in range(3)]
    np.testing.assert_allclose(model.covariances_, np.einsum("k,kij->ij", frequencies, within), **CLOSE)


def test_quadratic_discriminant_analysis():
    X, y = one_scale()
    model = GaussianClassifier("full", shrinkage=0.0, var_smoothing=0.0, schema=Schema.of(X, y)).fit(X, y)
    reference = discriminant_analysis.QuadraticDiscriminantAnalysis(
        priors=np.exp(model.log_prior_), store_covariance=True
    ).fit(X, y)
    same_posterior(with_covariances(model, np.array(reference.covariance_)), reference, X)
    for k in range(3):
        covariance = np.cov(X[y == k].T, bias=True)
        np.testing.assert_allclose(model.covariances_[k], covariance, **CLOSE)
        density = stats.multivariate_normal(X[y == k].mean(axis=0), covariance)
        np.testing.assert_allclose(model.log_likelihoods(X)[:, k], density.logpdf(X), **CLOSE)


def test_shrinkage_is_the_one_under_which_held_out_rows_are_most_likely():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 6)) @ (rng.normal(size=(6, 6)) + 2 * np.eye(6)) * np.logspace(-1, 1, 6)
    held_out, amounts = folds(np.zeros(40, np.int64), 5), np.linspace(0, 1, 201)
    log_p = np.zeros(len(amounts))
    for k in range(5):
        learned, asked = X[held_out != k], X[held_out == k]
        covariance = np.cov(learned.T, bias=True)
        for i, amount in enumerate(amounts):
            density = stats.multivariate_normal(learned.mean(axis=0), shrunk(covariance, amount))
            log_p[i] += density.logpdf(asked).sum()
    best = amounts[log_p.argmax()]
    amount = GaussianClassifier().fit(X, np.zeros(40, np.int64)).amounts_[0]
    of_fold = 40 * amount / (40 * amount + 32 * (1 - amount))  # worth as many rows beside 32 as beside 40
    assert 0.01 < best < 0.99
    assert best / 1.5 < of_fold < best * 1.5  # the candidates are that far apart
    by_theory = ledoit_wolf_shrinkage((X - X.mean(axis=0)) / X.std(axis=0))
    assert log_p[np.abs(amounts - of_fold).argmin()] >= log_p[np.abs(amounts - by_theory).argmin()]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("name", "theirs"), [("full", "full"), ("tied", "tied"), ("diag", "diag"), ("spherical", "spherical")]
)
def test_gaussian_mixture_from_the_same_start(name, theirs):
    X, _ = one_scale()
    k, d = 3, 3
    means, weights = X[:k], np.array([0.5, 0.3, 0.2])
    unit = {"full": np.stack([np.eye(d)] * k), "tied": np.eye(d), "diag": np.ones((k, d)), "spherical": np.ones(k)}
    reference = mixture.GaussianMixture(
        k,
        covariance_type=theirs,
        reg_covar=0,
        tol=0,
        max_iter=60,
        weights_init=weights,
        means_init=means,
        precisions_init=unit[name],
    ).fit(X)
    model = GaussianMixture(k, name, max_iter=60, tol=0, pseudo_counts=0, var_smoothing=0)
    model.fit(X, start=Mixture(structure(name), weights, means, unit[name]))
    np.testing.assert_allclose(model.mixture_.weights, reference.weights_, **CLOSE)
    np.testing.assert_allclose(model.mixture_.means, reference.means_, **CLOSE)
    np.testing.assert_allclose(model.mixture_.covariances, reference.covariances_, **CLOSE)
    np.testing.assert_allclose(model.log_prob(X), reference.score_samples(X), **CLOSE)


@pytest.mark.parametrize("width", [0.1, 1.0, 30.0])
def test_kernel_density_with_one_width(width):
    X, _ = one_scale()
    model = KernelDensity(bandwidth=width, kernel="isotropic").fit(X)
    queries = X + 0.3 * width
    reference = neighbors.KernelDensity(bandwidth=width, atol=0, rtol=0).fit(X)
    np.testing.assert_allclose(model.log_prob(queries), reference.score_samples(queries), **CLOSE)


@pytest.mark.parametrize("rule", ["scott", "silverman", 0.4])
def test_kernel_density_on_the_line(rule):
    x = data.numeric_table()[0][:, :1]
    model = KernelDensity(bandwidth=rule).fit(x)
    reference = stats.gaussian_kde(x[:, 0], bw_method=rule)
    queries = np.linspace(x.min() - 3, x.max() + 3, 50)
    np.testing.assert_allclose(model.log_prob(queries[:, None]), reference.logpdf(queries), **CLOSE)
