import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import make_classification
from sklearn.svm import LinearSVC

from versus.models.margins import best_temperature, class_margins, cross_validated_temperature


def test_temperature_is_found_again():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 4)) * 2
    y = (softmax(logits, axis=1).cumsum(axis=1) < rng.random((len(logits), 1))).sum(axis=1)
    for temperature in (0.1, 1.0, 30.0):
        assert best_temperature(logits * temperature, y) == pytest.approx(temperature, rel=0.05)


def test_margins_of_two_classes_and_of_an_absent_one():
    X, y = make_classification(60, random_state=0)
    machine = LinearSVC().fit(X, 2 * y)  # classes 0 and 2 of 3
    margins = class_margins(machine, X, 3)
    assert margins.shape == (60, 3)
    np.testing.assert_allclose(margins[:, 2] - margins[:, 0], machine.decision_function(X))
    assert (margins.argmin(axis=1) == 1).all()


def test_held_out_margins_are_less_sure_than_fitted_ones():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 60)), rng.integers(0, 2, 60)  # noise that a linear machine separates
    machine = LinearSVC(C=10.0).fit(X, y)
    fitted = best_temperature(class_margins(machine, X, 2), y)
    assert cross_validated_temperature(lambda: LinearSVC(C=10.0), X, y, 2, random_state=0) > 10 * fitted


def test_the_same_seed_gives_the_same_folds():
    X, y = make_classification(100, random_state=0)
    first, second = (cross_validated_temperature(LinearSVC, X, y, 2, random_state=5) for _ in range(2))
    assert first == second


def test_two_rows_leave_nothing_to_learn_from():
    X, y = np.array([[0.0], [1.0]]), np.array([0, 1])
    assert cross_validated_temperature(LinearSVC, X, y, 2, random_state=0) == 1.0
