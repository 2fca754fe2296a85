import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.datasets import load_iris, make_classification
from sklearn.svm import SVC, LinearSVC

from versus.models.margins import best_temperature, cross_validated_temperature, one_against_one, one_against_rest

RNG = np.random.default_rng(0)


def drawn(probabilities):
    """A label for each row, from its probabilities."""
    return (probabilities.cumsum(axis=1) < RNG.random((len(probabilities), 1))).sum(axis=1)


@pytest.mark.parametrize("temperature", [0.1, 1.0, 30.0])
def test_temperature_is_found_again(temperature):
    logits = RNG.normal(size=(20_000, 4)) * 2
    held_out = [(logits * temperature, drawn(softmax(logits, axis=1)), np.ones(len(logits)))]
    assert best_temperature(one_against_rest, held_out) == pytest.approx(temperature, rel=0.05)


def test_pairs_that_agree_on_one_distribution_give_it_back():
    p = RNG.dirichlet(np.ones(5), size=50)
    first, second = np.triu_indices(5, k=1)
    margins = np.log(p[:, first] / p[:, second])
    np.testing.assert_allclose(np.exp(one_against_one(3.0 * margins, 3.0)), p, rtol=1e-9)


def test_pairs_are_in_libsvms_order_and_direction():
    X, y = load_iris(return_X_y=True)
    machine = SVC(decision_function_shape="ovo").fit(X, y)
    found = one_against_one(machine.decision_function(X), 1.0).argmax(axis=1)
    assert (found == machine.predict(X)).mean() > 0.99


def test_two_classes_are_a_sigmoid_either_way():
    margins = RNG.normal(size=30) * 5
    for way in (one_against_rest, one_against_one):
        np.testing.assert_allclose(np.exp(way(margins, 2.0))[:, 1], expit(margins / 2.0))


@pytest.mark.parametrize("way", [one_against_rest, one_against_one])
def test_extreme_margins_stay_probabilities(way):
    found = np.exp(way(np.array([[1e9, 1e9, -1e9], [0, 0, 0], [1e9, -1e9, 1e9]]), 1e-3))
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_noise_that_a_machine_separates_is_not_believed():
    X, y = RNG.normal(size=(60, 60)), RNG.integers(0, 2, 60)
    machine = LinearSVC(C=10.0).fit(X, y)
    fitted = best_temperature(one_against_rest, [(machine.decision_function(X), y, np.ones(60))])
    found = cross_validated_temperature(lambda: LinearSVC(C=10.0), one_against_rest, X, y, random_state=0)
    assert found > 10 * fitted


def test_the_same_seed_gives_the_same_folds():
    X, y = make_classification(100, random_state=0)
    assert len({cross_validated_temperature(LinearSVC, one_against_rest, X, y, random_state=5) for _ in "ab"}) == 1


def test_two_rows_leave_nothing_to_learn_from():
    X, y = np.array([[0.0], [1.0]]), np.array([0, 1])
    assert cross_validated_temperature(LinearSVC, one_against_rest, X, y, random_state=0) == 1.0
