"""The same test rows make the same hash, whatever else changes; anything about them that changes makes another."""

from dataclasses import replace

import numpy as np
import pytest

from versus.arrays import Ragged
from versus.data import prepared
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.targets import Classes, Number
from versus.evaluation import record
from versus.evaluation.record import hash_test_rows

SCHEMA = Schema(Table((Column("a"), Column("b"), Column("c", ("blue", "red")))), Classes(("x", "y"), "t"))


def data(n_train=50, n_test=20, repeats=3):
    """An official test set behind the training rows."""
    rng = np.random.default_rng(1)
    test = np.column_stack([rng.normal(size=(n_test, 2)), rng.integers(0, 2, n_test)])
    test[3, 2] = np.nan
    y = rng.integers(0, 2, n_test)
    train = np.column_stack([np.ones((n_train, 2)), np.zeros(n_train)])
    n = n_train + n_test
    splits = {
        "train": Ragged.of([np.arange(n_train - 10)] * repeats),
        "validation": Ragged.of([np.arange(n_train - 10, n_train)] * repeats),
        "test": Ragged.of([np.arange(n_train, n)] * repeats),
    }
    X = np.concatenate([train, test])
    return Prepared(X, np.concatenate([np.zeros(n_train, np.int64), y]), SCHEMA, splits, {})


def test_other_training_rows_change_nothing():
    few, many = data(50), data(80)
    many.X[:80, 0] = 7.0
    assert hash_test_rows(few) == hash_test_rows(many)


def test_a_category_that_only_training_rows_have_changes_nothing_though_codes_move():
    before, after = data(), data()
    columns = (*SCHEMA.columns[:2], Column("c", ("azure", "blue", "red")))
    after.X[:, 2] += 1
    after.X[0, 2] = 0
    after = replace(after, schema=replace(SCHEMA, x=Table(columns)))
    assert hash_test_rows(before) == hash_test_rows(after)
    swapped = replace(
        after, schema=replace(SCHEMA, x=Table((*SCHEMA.columns[:2], Column("c", ("azure", "red", "blue")))))
    )
    assert hash_test_rows(before) != hash_test_rows(swapped)


@pytest.mark.parametrize("change", ["value", "target", "missing", "order", "class", "repeat", "fewer"])
def test_whatever_changes_about_the_test_rows_shows(change):
    found = data()
    before = hash_test_rows(found)
    X, y, schema, splits = found.X.copy(), found.y.copy(), SCHEMA, dict(found.splits)
    if change == "value":
        X[-1, 0] = np.nextafter(X[-1, 0], np.inf)
    elif change == "target":
        y[-1] = 1 - y[-1]
    elif change == "missing":
        X[-1, 2] = np.nan
    elif change == "order":
        X[[-1, -2]], y[[-1, -2]] = X[[-2, -1]], y[[-2, -1]]
    elif change == "class":
        schema = replace(SCHEMA, y=Classes(("x", "z"), "t"))
    elif change == "repeat":
        splits = {part: rows[:2] for part, rows in splits.items()}
    else:
        splits["test"] = Ragged.of(rows[1:] for rows in splits["test"])
    assert hash_test_rows(replace(found, X=X, y=y, schema=schema, splits=splits)) != before


def test_repeats_with_rows_of_their_own_all_count():
    found = data()
    rng = np.random.default_rng(0)
    splits = {**found.splits, "test": Ragged.of(rng.permutation(70)[:20] for _ in range(3))}
    first = replace(found, splits=splits)
    last = replace(found, splits={**splits, "test": splits["test"][np.array([0, 2, 1])]})
    assert hash_test_rows(first) != hash_test_rows(last)


def test_files_hash_as_arrays_do_and_the_data_stay_as_they_are(tmp_path, monkeypatch):
    found = data()
    prepared.write(tmp_path / "set", found)
    before = hash_test_rows(found)
    assert hash_test_rows(prepared.read(tmp_path / "set")) == before
    monkeypatch.setattr(record, "CHUNK", 7)
    assert hash_test_rows(found) == before
    np.testing.assert_array_equal(found.X, data().X)


def test_images_and_regressions():
    X = np.arange(30 * 16, dtype=np.uint8).reshape(30, 4, 4)
    splits = {part: Ragged.of([np.arange(10) + 10 * i]) for i, part in enumerate(("train", "validation", "test"))}
    image = Schema(Image((4, 4), 256), Number())
    found = Prepared(X, np.arange(30.0), image, splits, {})
    other = replace(found, X=np.where(np.arange(30)[:, None, None] == 29, X + 1, X).astype(np.uint8))
    assert hash_test_rows(found) == hash_test_rows(found) != hash_test_rows(other)
