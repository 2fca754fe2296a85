"""Hash of the test rows that a cell was scored on: a fair comparison of two models needs the same hash."""

from __future__ import annotations

import hashlib
import json

import numpy as np
from numpy.typing import NDArray

from versus.arrays import Array, Events, Ragged
from versus.data.prepared import Prepared

CHUNK = 4096  # rows that are read at a time


def hash_test_rows(data: Prepared) -> str:
    """Compute the SHA-256 of features and targets of the test rows of every repeat, in the order of the predictions.

    It depends on the test rows alone, not on the training rows. Categories are hashed by name: a category found only in
    other rows shifts the codes, but not the hash. All classes are included, also those absent from the test rows: with
    one more class, the models solve a different task.
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
