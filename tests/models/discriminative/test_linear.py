import numpy as np
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression as Reference
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from versus.models.discriminative.linear import LinearSVM, LogisticRegression, RidgeRegression


def test_logistic_regression_is_scikit_learns_for_two_classes_and_for_three():
    for load in (load_breast_cancer, load_iris):
        X, y = load(return_X_y=True)
        expected = make_pipeline(StandardScaler(), Reference(C=0.5, max_iter=1000)).fit(X, y).predict_proba(X)
        found = LogisticRegression(C=0.5).fit(X, y).predict_proba(X)
        np.testing.assert_allclose(found, expected, atol=1e-8)


def test_linear_svm_decides_as_liblinear_does():
    X, y = load_iris(return_X_y=True)
    expected = make_pipeline(StandardScaler(), LinearSVC(random_state=0)).fit(X, y).predict(X)
    np.testing.assert_array_equal(LinearSVM(random_state=0).fit(X, y).predict(X), expected)


def test_linear_svm_is_unsure_of_noise_and_sure_of_what_is_plain():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 5)), rng.integers(0, 2, 400)
    assert LinearSVM(random_state=0).fit(X, y).predict_proba(X).max() < 0.8
    X[:, 0] += 8 * y
    assert np.median(LinearSVM(random_state=0).fit(X, y).predict_proba(X).max(axis=1)) > 0.99


def test_ridge_is_scikit_learns():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4)) * [1, 10, 100, 1000]
    y = X @ [1.0, 0.1, 0.01, 0.001] + 7 + rng.normal(size=60)
    expected = make_pipeline(StandardScaler(), Ridge(alpha=2.0)).fit(X, y).predict(X)
    np.testing.assert_allclose(RidgeRegression(alpha=2.0).fit(X, y).predict(X), expected, atol=1e-10)
