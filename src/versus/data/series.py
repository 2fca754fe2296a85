"""Sequences of rows of numbers in the form stored for models: the rows of a table, a sequence by its id."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from versus.arrays import Array, Ragged
from versus.data.columns import RawTable, as_words
from versus.data.errors import DataError
from versus.data.prepared import Dataset
from versus.data.schema import Schema
from versus.data.spaces import Column, Series
from versus.data.table_specification import Tabular
from versus.data.target_column import Encoded
from versus.data.targets import Classes, Tags


def arrange(
    raw: RawTable,
    specification: Tabular,
    columns: Sequence[Column],
    values: Sequence[NDArray[np.float64]],
    target: Encoded,
    warnings: Sequence[str],
) -> Dataset:
    """Arrange rows as sequences, in the order in which they begin; the rows of one follow each other as in the file.

    A sequence of the official test set is one of its own, whatever its id.

    Args:
        raw: the table.
        specification: names the column of ids.
        columns, values: the other columns, (N,) each.
        target: codes (N,), -1 for a row to leave out, and the classes.
        warnings: problems noticed so far.

    Raises:
        DataError: where a row has no id or lacks a number, a column holds words, or the target is no class.
    """
    y, answer = target
    if not isinstance(answer, Classes):
        raise DataError(f"{raw.file}: the target {answer.name!r} holds numbers; steps of sequences want a class each")
    ids = next(column for column in raw.columns if column.name == specification.sequence)
    if ids.missing.any():
        raise DataError(f"{raw.locate(int(np.argmax(ids.missing)))}: sequence: column {ids.name!r} has no value here")
    for column, numbers in zip(columns, values, strict=True):
        if column.categories is not None:
            raise DataError(
                f"{raw.file}: column {column.name!r} holds words such as {column.categories[0]!r}; steps of sequences "
                f"want numbers: leave it out with `drop: [{column.name}]`"
            )
        if np.isnan(numbers).any():
            row = int(np.argmax(np.isnan(numbers)))
            raise DataError(f"{raw.locate(row)}: column {column.name!r} has no value here; steps want all numbers")
    n = len(y)
    order, starts, n_test = _order(as_words(ids).codes, np.arange(n) >= n - raw.n_test, y >= 0)
    reading = {**specification.reading, "columns": len(raw.columns)}
    schema = Schema(Series(tuple(columns), ids.name, reading), Tags(answer.names, answer.name))
    X = Ragged(np.column_stack(values)[order], starts)
    return Dataset(X, Ragged(y[order], starts), schema, n_test, warnings)


def _order(ids: Array, tested: Array, kept: Array) -> tuple[Array, Array, int]:
    """Rows in the order of their sequences, the sequences' starts, and the number of those of the test set."""
    rows = np.flatnonzero(kept)
    both = ids[rows] + (ids.max() + 1) * tested[rows]
    _, first, place = np.unique(both, return_index=True, return_inverse=True)
    begins = first[place]  # the row with which the sequence of each row begins
    order = np.argsort(begins, kind="stable")
    lengths = np.unique(begins, return_counts=True)[1]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return rows[order], starts, len(np.unique(both[tested[rows]]))
