"""Which test rows a cell was measured on, as one hash: only where it is the same can two models be compared fairly."""

from __future__ import annotations

import hashlib
import json

import numpy as np
from numpy.typing import NDArray

from versus.arrays import Array, Events, Ragged
from versus.data.prepared import Prepared

CHUNK = 4096  # rows that are read at a time


def hash_test_rows(data: Prepared) -> str:
    """SHA-256 over the features and targets of the test rows of every repeat, in the order of the predictions.

    It depends on the test rows alone, whatever rows models learn from. Categories count by their names: one that only
    the other rows have moves the codes, and leaves the test rows what they were. The classes count all, whether or not
    the test rows have them: with one more of them the models answer another question.
    """
    schema = data.schema
    columns = [[c.name, c.categories is not None] for c in schema.columns]
    form = [schema.x.form, schema.y.task, schema.shape, schema.classes, schema.target, columns]
    digest = hashlib.sha256(json.dumps(form).encode())
    before: NDArray[np.int64] | None = None
    one_repeat = b""
    for repeat in range(data.repeats):
        rows = data.rows(repeat, "test")
        if before is None or not np.array_equal(rows, before):  # an official test set is the same in every repeat
            one_repeat = _digest(data, rows)
        digest.update(one_repeat)
        before = rows
    return digest.hexdigest()


def _digest(data: Prepared, rows: NDArray[np.int64]) -> bytes:
    digest = hashlib.sha256(f"{_type(data.X)} {_type(data.y)} {len(rows)}".encode())
    for start in range(0, len(rows), CHUNK):
        for values in _arrays(data.schema.x.by_name(data.X[rows[start : start + CHUNK]])):
            digest.update(np.ascontiguousarray(values).data)
    for values in _arrays(data.y[rows]):
        digest.update(np.ascontiguousarray(values).data)
    return digest.digest()


def _type(events: Events) -> str:
    return events.values.dtype.str if isinstance(events, Ragged) else events.dtype.str


def _arrays(events: Events) -> tuple[Array, ...]:
    return (events.lengths, events.values) if isinstance(events, Ragged) else (events,)
