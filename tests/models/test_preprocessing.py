import numpy as np
import pytest

from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.targets import Classes
from versus.models.preprocessing import Flattened, Preprocessor

TABLE = Schema(Table((Column("a"), Column("b", ("p", "q", "r")), Column("c"))), Classes(("u", "v")))
NUMBER = Schema(Table((Column("a"),)), Classes(("u", "v")))
X = np.array([[1.0, 0, 10.0], [3.0, 2, 10.0], [np.nan, np.nan, 10.0], [5.0, 1, 10.0]])


def test_table_by_hand():
    matrix = Preprocessor(TABLE).fit(X).transform(X)
    a = np.array([1.0, 3.0, 3.0, 5.0])  # the gap becomes the median
    np.testing.assert_allclose(matrix[:, 0], (a - a.mean()) / a.std())
    np.testing.assert_array_equal(matrix[:, 1], 0.0)  # constant
    np.testing.assert_array_equal(matrix[:, 2], [0, 0, 1, 0])  # a was missing
    np.testing.assert_array_equal(matrix[:, 3:], [[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize("unit", [1e-200, 1e-9, 1e9, 1e200])
def test_units_and_origins_do_not_matter(unit):
    a = np.array([1.0, np.nan, 3.0, 5.0])
    expected = Preprocessor(NUMBER, dtype=np.float32).fit(a[:, None]).transform(a[:, None])
    moved = (unit * (a + 1e6))[:, None]
    matrix = Preprocessor(NUMBER, dtype=np.float32).fit(moved).transform(moved)
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix, expected, atol=1e-6)


def test_columns_are_counted_before_they_are_made():
    for schema, events in ((TABLE, X), (Schema(Image((2, 3), 5), Classes(())), np.ones((4, 2, 3)))):
        for preprocessor in (Preprocessor(schema).fit(events), Flattened(schema).fit(events)):
            assert preprocessor.transform(events).shape == (4, preprocessor.n_columns)


def test_a_column_that_is_all_missing_or_missing_only_later():
    schema = Schema(Table((Column("a"), Column("b"))), Classes(("u", "v")))
    fitted = Preprocessor(schema).fit(np.array([[np.nan, 1.0], [np.nan, 2.0]]))
    matrix = fitted.transform(np.array([[7.0, np.nan]]))
    assert np.isfinite(matrix).all()


def test_images_are_divided_by_their_largest_pixel():
    schema = Schema(Image((2, 2), 256), Classes(("u", "v")))
    pixels = np.array([[[0, 255], [51, 102]]], dtype=np.uint8)
    np.testing.assert_allclose(Preprocessor(schema).fit(pixels).transform(pixels), [[0, 1, 0.2, 0.4]])


def test_images_without_levels_are_standardised_as_a_whole():
    schema = Schema(Image((2, 2)), Classes(("u", "v")))
    matrix = Preprocessor(schema).fit(np.arange(16.0).reshape(4, 2, 2)).transform(np.arange(16.0).reshape(4, 2, 2))
    assert matrix.mean() == pytest.approx(0)
    assert matrix.std() == pytest.approx(1)


@pytest.mark.parametrize("code", [3.0, -1.0, 0.5])
def test_a_code_that_names_no_category(code):
    wrong = X.copy()
    wrong[1, 1] = code
    with pytest.raises(ValueError, match=r"column 'b', row 1.*codes are 0 to 2"):
        Preprocessor(TABLE).fit(X).transform(wrong)


def test_what_was_learned_can_be_taken_over():
    fitted = Preprocessor(TABLE).fit(X)
    other = Preprocessor(TABLE).set_arrays(fitted.get_arrays())
    np.testing.assert_array_equal(other.transform(X[::-1]), fitted.transform(X[::-1]))


@pytest.mark.parametrize(
    ("name", "array"), [("centre", np.zeros(5)), ("fill", np.zeros((2, 2))), ("can_miss", np.array([7]))]
)
def test_arrays_that_do_not_fit_are_named(name, array):
    arrays = {**Preprocessor(TABLE).fit(X).get_arrays(), name: array}
    with pytest.raises(ValueError, match=name):
        Preprocessor(TABLE).set_arrays(arrays)
