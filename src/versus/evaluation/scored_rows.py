"""Which test rows a cell was measured on, as one hash: only where it is the same can two models be compared fairly."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    form = [schema.kind, schema.task, schema.shape, schema.classes, schema.target, columns]
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
    names = [None if c.categories is None else _numbers(c.categories) for c in data.schema.columns]
    digest = hashlib.sha256(f"{data.X.dtype.str} {data.y.dtype.str} {len(rows)}".encode())
    for start in range(0, len(rows), CHUNK):
        X = np.ascontiguousarray(data.X[rows[start : start + CHUNK]])
        for column, numbers in enumerate(names):
            if numbers is not None:
                X[:, column] = _named(X[:, column], numbers)
        digest.update(X.data)
    digest.update(np.ascontiguousarray(data.y[rows]).data)
    return digest.digest()


def _numbers(categories: tuple[str, ...]) -> NDArray[np.float64]:
    """A number for each category that depends on its name alone; 48 bits, which a float holds exactly."""
    hashes = (hashlib.blake2b(name.encode(), digest_size=6).digest() for name in categories)
    return np.array([float(int.from_bytes(found)) for found in hashes])


def _named(codes: NDArray[Any], numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The numbers of the categories instead of their codes (N,); what is missing stays NaN."""
    found = np.full(len(codes), np.nan)
    known = ~np.isnan(codes)
    found[known] = numbers[codes[known].astype(np.int64)]
    return found
