"""What every wrapper of scikit-learn's must do, whatever it wraps."""

import inspect

import numpy as np
import pytest

from versus.models import find

CLASSIFIERS = [
    ("linear", "LogisticRegression", {}),
    ("linear", "LinearSVM", {}),
    ("kernel", "RBFSVM", {}),
    ("neighbours", "KNearestNeighbours", {}),
    ("trees", "DecisionTree", {}),
    ("trees", "RandomForest", {"n_estimators": 10}),
    ("boosting", "HistGradientBoosting", {"max_iter": 10, "min_samples_leaf": 5}),
]


def build(module, name, args, schema):
    model_class = find("discriminative", module, name)
    seed = {"random_state": 3} if "random_state" in inspect.signature(model_class).parameters else {}
    return model_class(**args, **seed, schema=schema)


@pytest.mark.parametrize(("module", "name", "args"), CLASSIFIERS)
def test_missing_categorical_and_a_class_without_members(module, name, args, awkward):
    X, y, schema = awkward
    model = build(module, name, args, schema).fit(X, y)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (len(X), 5)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-9)
    assert (probabilities[:, 4] < 0.05).all()  # nobody in training was of class 4
    assert (model.predict(X) == y).mean() > 0.7  # one guess for all would reach 0.4


@pytest.mark.parametrize(("module", "name", "args"), [c for c in CLASSIFIERS if c[1] != "KNearestNeighbours"])
def test_balanced_classes_find_more_of_a_rare_class(module, name, args):
    rng = np.random.default_rng(0)
    y = (np.arange(600) % 20 == 0).astype(np.int64)
    X = np.column_stack([rng.normal(1.5 * y, 1), rng.normal(size=600)])
    args = args | ({"min_samples_leaf": 15} if module in ("trees", "boosting") else {})
    plain, balanced = (
        build(module, name, args | {"class_weight": weight}, None).fit(X, y).predict(X) for weight in (None, "balanced")
    )
    assert (balanced[y == 1] == 1).mean() > 0.6
    assert (balanced[y == 1] == 1).mean() > (plain[y == 1] == 1).mean() + 0.2


@pytest.mark.parametrize(("module", "name", "args"), CLASSIFIERS)
def test_images_as_stored(module, name, args, few_digits):
    X, y, schema = few_digits
    model = build(module, name, args, schema).fit(X[:150], y[:150])
    assert (model.predict(X[150:]) == y[150:]).mean() > 0.7


@pytest.mark.parametrize(("module", "name", "args"), CLASSIFIERS)
def test_two_fits_agree_bit_for_bit(module, name, args, awkward):
    X, y, schema = awkward
    first, second = (build(module, name, args, schema).fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("module", "name", "args"), CLASSIFIERS)
def test_rows_of_another_shape_are_refused(module, name, args, awkward):
    X, y, schema = awkward
    model = build(module, name, args, schema).fit(X, y)
    with pytest.raises(ValueError, match=r"shape \(2,\).*\(3,\)"):
        model.predict_proba(X[:, :2])


@pytest.mark.parametrize(("module", "name", "args"), CLASSIFIERS)
def test_needs_labels(module, name, args, awkward):
    X, _, schema = awkward
    with pytest.raises(ValueError, match="needs y"):
        build(module, name, args, schema).fit(X)


@pytest.mark.parametrize(
    ("module", "name", "args"),
    [("trees", "RandomForest", {"n_estimators": 8}), ("neighbours", "KNearestNeighbours", {})],
)
def test_cores_change_nothing(module, name, args, awkward):
    X, y, schema = awkward
    one, two = (build(module, name, {**args, "n_jobs": n}, schema).fit(X, y).predict_proba(X) for n in (1, 2))
    np.testing.assert_array_equal(one, two)


REGRESSORS = [
    ("linear", "RidgeRegression", {}, 0.4),
    ("trees", "RandomForestRegressor", {"n_estimators": 20}, 0.3),
    ("boosting", "HistGradientBoostingRegressor", {"max_iter": 30}, 0.3),
]


@pytest.mark.parametrize(("module", "name", "args", "least"), REGRESSORS)
def test_regressors_explain_diabetes(module, name, args, least):
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True)
    model = build(module, name, args, None).fit(X[:300], y[:300])
    left = ((y[300:] - model.predict(X[300:])) ** 2).sum() / ((y[300:] - y[300:].mean()) ** 2).sum()
    assert 1 - left > least
