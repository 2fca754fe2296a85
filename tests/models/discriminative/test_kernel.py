import numpy as np
from sklearn.datasets import make_moons
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from versus.data.schema import Schema
from versus.models.discriminative.kernel import RBFSVM


def test_decides_as_libsvm_does(few_digits):
    X, y = make_moons(200, noise=0.2, random_state=0)
    expected = make_pipeline(StandardScaler(), SVC(C=3.0, gamma=2.0)).fit(X, y).predict(X)
    np.testing.assert_array_equal(RBFSVM(C=3.0, gamma=2.0, random_state=0).fit(X, y).predict(X), expected)
    images, labels, schema = few_digits
    rows = images.reshape(len(images), -1) / 16
    expected = SVC().fit(rows, labels).predict(rows)
    np.testing.assert_array_equal(RBFSVM(schema=schema, random_state=0).fit(images, labels).predict(images), expected)


def test_a_class_with_one_member_is_no_obstacle():
    X = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2], [9.0]])
    y = np.array([0, 0, 0, 1, 1, 1, 2])
    probabilities = RBFSVM(random_state=0, schema=Schema.of(X, y)).fit(X, y).predict_proba(X)
    assert probabilities.shape == (7, 3)
    assert np.isfinite(probabilities).all()
