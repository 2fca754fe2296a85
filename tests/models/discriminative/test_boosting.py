import numpy as np
from sklearn.datasets import load_wine
from sklearn.ensemble import HistGradientBoostingClassifier

from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.models.discriminative.boosting import HistGradientBoosting


def test_is_scikit_learns():
    X, y = load_wine(return_X_y=True)
    reference = HistGradientBoostingClassifier(max_iter=5, early_stopping=False, random_state=0).fit(X, y)
    found = HistGradientBoosting(max_iter=5, random_state=0).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(found, reference.predict_proba(X), rtol=1e-12)


def test_categories_are_split_as_sets_not_in_order():
    # every other category is of class 1: one split between sets, many between ordered numbers
    X = np.tile(np.arange(40.0), 25)[:, None]
    y = (X[:, 0] % 2).astype(np.int64)
    categories = tuple(f"c{i}" for i in range(40))
    as_set = Schema(Table((Column("c", categories),)), Classes(("even", "odd")))
    as_number = Schema(Table((Column("c"),)), Classes(("even", "odd")))
    args = {"max_iter": 3, "max_leaf_nodes": 2, "random_state": 0}
    hits = [
        (HistGradientBoosting(**args, schema=schema).fit(X, y).predict(X) == y).mean() for schema in (as_set, as_number)
    ]
    assert hits[0] == 1.0
    assert hits[1] < 0.7


def test_more_categories_than_a_byte_counts():
    X = np.arange(600.0)[:, None] % 300
    y = (X[:, 0] >= 150).astype(np.int64)
    columns = (Column("c", tuple(map(str, range(300)))),)
    model = HistGradientBoosting(max_iter=5, random_state=0, schema=Schema(Table(columns), Classes(("low", "high"))))
    assert (model.fit(X, y).predict(X) == y).all()
