import numpy as np
from sklearn.datasets import load_wine
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from versus.models.discriminative.neighbours import KNearestNeighbours


def test_is_scikit_learns_on_standardised_columns():
    X, y = load_wine(return_X_y=True)
    expected = make_pipeline(StandardScaler(), KNeighborsClassifier(7)).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(KNearestNeighbours(n_neighbors=7).fit(X, y).predict_proba(X), expected)


def test_fewer_rows_than_neighbours():
    X, y = np.array([[0.0], [1.0], [2.0]]), np.array([0, 0, 1])
    np.testing.assert_allclose(KNearestNeighbours(n_neighbors=50).fit(X, y).predict_proba(X), [[2 / 3, 1 / 3]] * 3)
