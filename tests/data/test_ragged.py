"""Sequences of unequal length go through the pipeline as arrays do: written, read, split, limited, hashed."""

from dataclasses import replace

import numpy as np
import pytest

from versus import manifest
from versus.arrays import Ragged
from versus.data import prepared
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Image, Table, Tokens
from versus.data.targets import Classes, Nothing, Number, Tags, Trees
from versus.evaluation.record import hash_test_rows

SENTENCES = Ragged.of([[0, 1, 2], [3], [], [2, 1], [0, 3, 3, 1]], np.int32)
TAGS = Ragged(np.array([0, 1, 1, 0, 1, 0, 1, 0, 0, 1]), SENTENCES.starts)
SCHEMA = Schema(Tokens(("a", "b", "c", "d")), Tags(("X", "Y")))
SPLITS = {
    "train": Ragged.of([[0, 1], [2, 4]]),
    "validation": Ragged.of([[2], [0]]),
    "test": Ragged.of([[3, 4], [1, 3]]),
}


@pytest.fixture
def found() -> Prepared:
    return Prepared(SENTENCES, TAGS, SCHEMA, SPLITS, {"name": "set"})


def same(one: Ragged, other: Ragged) -> bool:
    return [part.tolist() for part in one] == [part.tolist() for part in other]


def test_rows_that_follow_each_other_are_a_view():
    assert same(SENTENCES[1:4], SENTENCES[np.array([1, 2, 3])])
    assert np.shares_memory(SENTENCES[1:4].values, SENTENCES.values)
    assert len(SENTENCES[3:2]) == 0
    assert same(SENTENCES[-2:], SENTENCES[np.array([3, 4])])
    assert same(SENTENCES[::2], SENTENCES[np.array([0, 2, 4])])


def test_written_and_read_they_are_the_same_and_memory_mapped(tmp_path, found):
    prepared.write(tmp_path / "set", found)
    again = prepared.read(tmp_path / "set")
    assert same(again.X, SENTENCES)
    assert same(again.y, TAGS)
    assert again.schema == SCHEMA
    assert isinstance(again.X.values, np.memmap)
    assert isinstance(again.y.values, np.memmap)
    assert again.X.values.dtype == np.int32
    X, y = again.take(0, "test")  # follow each other
    assert [part.tolist() for part in X] == [[2, 1], [0, 3, 3, 1]]
    assert [part.tolist() for part in y] == [[1, 0], [1, 0, 0, 1]]
    X, y = again.take(1, "train")  # do not
    assert [part.tolist() for part in X] == [[], [0, 3, 3, 1]]
    assert hash_test_rows(again) == hash_test_rows(found)


def test_equal_sets_make_equal_bytes_and_the_list_names_every_file(tmp_path, found):
    prepared.write(tmp_path / "one", found)
    prepared.write(tmp_path / "two", replace(found, X=SENTENCES[np.arange(5)]))
    lists = [(tmp_path / name / manifest.NAME).read_text() for name in ("one", "two")]
    assert lists[0] == lists[1]
    listed = {line.split()[1] for line in lists[0].splitlines()}
    assert {"X.values.npy", "X.starts.npy", "y.values.npy", "y.starts.npy"} < listed


@pytest.mark.parametrize("change", ["token", "tag", "border", "name", "order"])
def test_whatever_changes_about_the_test_rows_shows(found, change):
    X, y, schema, splits = SENTENCES, TAGS, SCHEMA, SPLITS
    if change == "token":
        X = Ragged(np.array([0, 1, 2, 3, 2, 0, 0, 3, 3, 1], np.int32), X.starts)
    elif change == "tag":
        y = Ragged(np.array([0, 1, 1, 0, 1, 1, 1, 0, 0, 1]), y.starts)
    elif change == "border":
        starts = np.array([0, 3, 4, 4, 7, 10])
        X, y = Ragged(X.values, starts), Ragged(y.values, starts)
    elif change == "name":
        schema = Schema(Tokens(("a", "b", "c", "e")), SCHEMA.y)
    else:
        splits = {**SPLITS, "test": Ragged.of([[1, 4], [1, 3]])}
    assert hash_test_rows(Prepared(X, y, schema, splits, {})) != hash_test_rows(found)


def test_a_token_that_only_training_rows_have_changes_nothing_though_codes_move(found):
    """Other rows do not count, and tokens count by their names."""
    schema = Schema(Tokens(("A", "a", "b", "c", "d")), SCHEMA.y)
    moved = Ragged(SENTENCES.values + 1, SENTENCES.starts)
    moved.values[0] = 0  # row 0 is tested on in no repeat
    assert hash_test_rows(replace(found, X=moved, schema=schema)) == hash_test_rows(found)


@pytest.mark.parametrize(
    "x", [Table(()), Image((8, 8), 17), Image((4, 4, 3)), Tokens(("a", "é")), Tokens(("b",), r"\w+", True)]
)
@pytest.mark.parametrize(
    "y", [Classes(("u", "v"), "t"), Number("price"), Tags(("N", "V")), Trees(("S", "N")), Nothing()]
)
def test_a_schema_survives_the_way_through_json(x, y):
    schema = Schema(x, y)
    assert Schema.from_json(schema.to_json()) == schema
    assert schema.x.form in schema.x.describe()


def test_a_schema_of_something_else_is_refused():
    good = SCHEMA.to_json()
    with pytest.raises(ValueError, match="'sound' of the events; table, image, tokens and series"):
        Schema.from_json({**good, "x": {"form": "sound"}})
    with pytest.raises(ValueError, match="'ranking'; classification, regression, tagging, parsing and density"):
        Schema.from_json({**good, "y": {"task": "ranking"}})


@pytest.mark.parametrize(("X", "message"), [
    (np.zeros((2, 3)), "sequences of tokens are Ragged"),
    (Ragged.of([[0, 4]]), "range from 0 to 4; the vocabulary has 4"),
    (Ragged.of([[0.5]]), "wants integer codes"),
])  # fmt: skip
def test_events_of_another_space_are_refused(X, message):
    SCHEMA.x.check(SENTENCES)
    with pytest.raises(ValueError, match=message):
        SCHEMA.x.check(X)
    with pytest.raises(ValueError, match="fitted on shape"):
        Image((8, 8)).check(SENTENCES)


def test_plain_sequences_imply_a_schema():
    assert Schema.of(SENTENCES, TAGS) == Schema(Tokens(("0", "1", "2", "3")), Tags(("0", "1")))
    assert Schema.of(SENTENCES, np.array([0, 1, 2, 0, 0])).y == Classes(("0", "1", "2"))
