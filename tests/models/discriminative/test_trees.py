import numpy as np
from sklearn.datasets import load_diabetes, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.ensemble import RandomForestRegressor as Reference
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from versus.models.discriminative.trees import DecisionTree, RandomForest, RandomForestRegressor


def test_tree_and_forest_are_scikit_learns():
    X, y = load_wine(return_X_y=True)
    pairs = [
        (DecisionTree(max_depth=3, random_state=1), DecisionTreeClassifier(max_depth=3, random_state=1)),
        (RandomForest(n_estimators=9, random_state=1), RandomForestClassifier(9, random_state=1)),
    ]
    for ours, reference in pairs:
        np.testing.assert_array_equal(ours.fit(X, y).predict_proba(X), reference.fit(X, y).predict_proba(X))


def test_regression_forest_is_scikit_learns():
    X, y = load_diabetes(return_X_y=True)
    model = RandomForestRegressor(n_estimators=5, max_features=0.5, random_state=1).fit(X, y)
    scaled = StandardScaler().fit_transform(X), ((y - y.mean()) / y.std()).astype(np.float32)
    expected = Reference(5, max_features=0.5, random_state=1).fit(*scaled).predict(scaled[0])
    np.testing.assert_allclose(model.predict(X), y.mean() + y.std() * expected, rtol=1e-12)
