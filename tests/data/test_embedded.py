import numpy as np
import pytest

from tests.data.conftest import Desk
from versus.data.sources import animals

SETS = {
    "synthetic": (1000, 20, 3),
    "moons": (1000, 2, 2),
    "animals": (600, 4, 4),
    "iris": (150, 4, 3),
    "wine": (178, 13, 3),
    "breast_cancer": (569, 30, 2),
    "digits": (1797, 64, 10),
    "diabetes": (442, 10, 0),
}


@pytest.mark.parametrize("name", SETS)
def test_each_is_what_it_is_known_to_be(desk: Desk, name):
    n, features, classes = SETS[name]
    found = desk.prepare(source="embedded", name=name)
    assert (len(found.X), found.schema.n_features, found.schema.n_classes) == (n, features, classes)
    assert found.repeats == 5
    assert found.schema.y.task == ("classification" if classes else "regression")
    assert found.y.dtype == (np.int64 if classes else np.float64)
    assert np.isfinite(found.X).all()
    assert found.about["licence"]
    assert found.about["citation"]
    again = desk.prepare(source="embedded", name=name)
    np.testing.assert_array_equal(found.X, again.X)
    np.testing.assert_array_equal(found.splits["train"], again.splits["train"])


def test_digits_are_images_of_17_levels(desk: Desk):
    found = desk.prepare(source="embedded", name="digits")
    assert (found.schema.x.form, found.schema.shape, found.schema.levels) == ("image", (8, 8), 17)
    assert found.X.dtype == np.uint8
    assert found.X.max() == 16


def test_rows_and_seed_are_those_of_generated_data(desk: Desk):
    found = desk.prepare(source="embedded", name="moons", rows=50, seed=1)
    other = desk.prepare(source="embedded", name="moons", rows=50, seed=2)
    assert found.X.shape == (50, 2)
    assert (found.X != other.X).any()
    with pytest.raises(ValueError, match="rows is for synthetic, moons and animals"):
        desk.prepare(source="embedded", name="iris", rows=50)


def test_animals_follow_their_table():
    X, y = animals.draw(200_000, np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(y) / len(y), 0.25, atol=0.01)
    for place, feature in enumerate(animals.FEATURES):
        expected = animals.probabilities(feature)
        np.testing.assert_allclose(expected.sum(axis=1), 1)
        for k in range(4):
            found = np.bincount(X[y == k, place].astype(int), minlength=expected.shape[1]) / (y == k).sum()
            np.testing.assert_allclose(found, expected[k], atol=0.01)


def test_animals_features_are_independent_given_the_animal():
    X, y = animals.draw(200_000, np.random.default_rng(1))
    for k in range(4):
        correlations = np.corrcoef(X[y == k].T) - np.eye(4)
        assert np.abs(correlations).max() < 0.02
