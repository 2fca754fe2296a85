import numpy as np
from sklearn.datasets import make_moons
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from versus.data.schema import Schema
from versus.models.discriminative.kernel import RBFSVM


def test_two_classes_are_decided_as_libsvm_does():
    X, y = make_moons(200, noise=0.2, random_state=0)
    expected = make_pipeline(StandardScaler(), SVC(C=3.0, gamma=2.0)).fit(X, y).predict(X)
    np.testing.assert_array_equal(RBFSVM(C=3.0, gamma=2.0, random_state=0).fit(X, y).predict(X), expected)


def test_many_classes_are_decided_nearly_as_by_libsvms_votes(few_digits):
    images, y, schema = few_digits
    rows = images.reshape(len(images), -1) / 16
    expected = SVC().fit(rows[:150], y[:150]).predict(rows)
    found = RBFSVM(schema=schema, random_state=0).fit(images[:150], y[:150]).predict(images)
    assert (found == expected).mean() > 0.98


def test_probabilities_are_sure_where_it_is_plain_and_not_where_it_is_noise(few_digits):
    images, y, schema = few_digits
    plain = RBFSVM(schema=schema, random_state=0).fit(images[:150], y[:150]).predict_proba(images[150:])
    assert plain.max(axis=1).mean() > 0.9
    rng = np.random.default_rng(0)
    noise = RBFSVM(random_state=0).fit(rng.normal(size=(300, 5)), rng.integers(0, 3, 300))
    assert noise.predict_proba(rng.normal(size=(100, 5))).max() < 0.6


def test_a_class_with_one_member_is_no_obstacle():
    X = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2], [9.0]])
    y = np.array([0, 0, 0, 1, 1, 1, 2])
    probabilities = RBFSVM(random_state=0, schema=Schema.of(X, y)).fit(X, y).predict_proba(X)
    assert probabilities.shape == (7, 3)
    assert np.isfinite(probabilities).all()
