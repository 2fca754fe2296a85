"""The interface for notebooks, where it needs no run: what it refuses, and how it says so."""

import numpy as np
import pytest

from versus.arrays import Ragged
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.notebook import Data

SCHEMA = Schema(Table((Column("size"),)), Classes(("cat", "dog"), "animal"))
PARTS = {"train": [[0, 1], [2, 3]], "validation": [[], []], "test": [[2, 3], [0, 1]]}
SPLITS = {part: Ragged.of([np.array(rows, dtype=np.int64) for rows in repeats]) for part, repeats in PARTS.items()}


@pytest.fixture
def data():
    return Data("pets", Prepared(np.arange(4.0)[:, None], np.array([0, 1, 1, 0]), SCHEMA, SPLITS, {}))


def test_rows_of_a_part_have_the_names_of_the_file(data):
    rows = data.part("test", repeat=1)
    assert rows.to_dict("list") == {"size": [0.0, 1.0], "animal": ["cat", "dog"]}


def test_a_mistyped_part_and_a_repeat_that_there_is_not_are_named(data):
    with pytest.raises(ValueError, match="unknown part 'tset'; did you mean 'test'"):
        data.part("tset")
    for repeat in (2, -1):
        with pytest.raises(ValueError, match=f"unknown repeat {repeat}; there are 0 to 1"):
            data.part("test", repeat)
