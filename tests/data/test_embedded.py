import numpy as np
import pytest

from tests.data.conftest import Desk
from versus.data.sources import animals, source_code
from versus.data.sources.source_code import FEWEST_WORDS, SUBPACKAGES

TAG = {
    "keyword": "k", "operator": "o", "number": "n", "string": "s", "module": "m", "function": "f", "class": "c",
    "parameter": "p", "argument": "g", "attribute": "a", "method": "d", "call": "x", "read": "r", "write": "w",
    "type": "t",
}  # fmt: skip
SETS = {
    "synthetic": (5 * 4800, 20, 3),
    "moons": (5 * 4800, 2, 2),
    "animals": (5 * 4480, 4, 4),
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
    np.testing.assert_array_equal(found.splits["train"].values, again.splits["train"].values)


def test_digits_are_images_of_17_levels(desk: Desk):
    found = desk.prepare(source="embedded", name="digits")
    assert (found.schema.x.form, found.schema.shape, found.schema.levels) == ("image", (8, 8), 17)
    assert found.X.dtype == np.uint8
    assert found.X.max() == 16


def test_digit_sequences_count_and_use_each_image_once(desk: Desk):
    found = desk.prepare(source="embedded", name="digit_sequences")
    digits = desk.prepare(source="embedded", name="digits")
    assert found.schema.x.describe() == "sequences of rows of 16 numbers"
    assert found.X.lengths.min() >= 6
    images = {row.tobytes() for row in digits.X.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)}
    assert {row.tobytes() for row in found.X.values} <= images
    assert len(np.unique(found.X.values, axis=0)) > 0.99 * len(found.X.values) > 1500
    steps = np.concatenate([np.diff(digits) % 10 for digits in found.y])
    np.testing.assert_allclose(np.bincount(steps) / len(steps), (0.15, 0.7, 0.15), atol=0.03)


def test_rows_and_seed_are_those_of_generated_data(desk: Desk):
    found = desk.prepare(source="embedded", name="moons", rows=50, seed=1)
    other = desk.prepare(source="embedded", name="moons", rows=50, seed=2)
    assert found.X.shape == (5 * 4050, 2)
    assert len(found.rows(2, "train", "validation")) == 50
    tested = [found.rows(repeat, "test") for repeat in range(5)]
    assert len(np.unique(np.concatenate(tested))) == 5 * 4000
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


def test_docstrings_are_texts_of_eight_subpackages(desk: Desk):
    found = desk.prepare(source="embedded", name="docstrings")
    assert found.schema.classes == SUBPACKAGES
    assert 800 < len(found.X) < 1500
    assert min(found.about["classes"].values()) >= 30
    assert found.X.lengths.min() >= FEWEST_WORDS
    texts = {" ".join(found.schema.x.words(sequence)) for sequence in found.X}
    assert any(text.startswith("compute the matrix exponential") for text in texts)
    assert len(texts) > 0.97 * len(found.X)  # few differ in punctuation alone
    again = desk.prepare(source="embedded", name="docstrings")
    np.testing.assert_array_equal(found.X.values, again.X.values)


def test_tokens_are_tagged_by_what_they_are_in_the_statement(tmp_path):
    source = """
from os import path as p
@decorated
class A(Base):
    x: int = 1.5
    def f(self, a: str, *, b=None) -> bool:
        \"\"\"Doc\"\"\"
        with open(a.name, mode="r") as self.stream:
            global count; count += f"{a!r:>{b}}".join(b)
        try: pass
        except (A, p.error) as e: del e
"""
    (tmp_path / "m.py").write_text(source)
    found = [" ".join(f"{word}/{TAG[tag]}" for word, tag in s) for s in source_code.statements(tmp_path / "m.py")]
    assert found == [
        "from/k os/m import/k path/m as/k p/m",
        "@/o decorated/r",
        "class/k A/c (/o Base/r )/o :/o",
        "x/w :/o int/t =/o 1.5/n",
        "def/k f/f (/o self/p ,/o a/p :/o str/t ,/o */o ,/o b/p =/o None/k )/o ->/o bool/t :/o",
        '"text"/s',
        'with/k open/x (/o a/r ./o name/a ,/o mode/g =/o "text"/s )/o as/k self/r ./o stream/a :/o',
        'global/k count/w ;/o count/w +=/o "text"/s ./o join/d (/o b/r )/o',
        "try/k :/o pass/k",
        "except/k (/o A/r ,/o p/r ./o error/a )/o as/k e/w :/o del/k e/w",
    ]


def test_python_tokens_need_their_context(desk: Desk):
    found = desk.prepare(source="embedded", name="python_tokens")
    assert found.X.starts.tolist() == found.y.starts.tolist()
    assert 1000 < len(found.X) < 2500
    assert set(found.schema.classes) == set(TAG)
    pairs = np.unique(np.stack([found.X.values, found.y.values]), axis=1)
    several = np.bincount(pairs[0]) > 1
    assert several[found.X.values].mean() > 0.2  # tokens of words that have more than one tag
    statements = {tuple(sequence.tolist()) for sequence in found.X}
    assert len(statements) > 0.99 * len(found.X)
