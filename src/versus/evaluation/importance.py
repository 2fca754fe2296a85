r"""Permutation importance: the loss in score when the values of one column are dealt out to other test rows.

.. math:: I_d = \frac1n \sum_i r\bigl(y_i, f(x_i)\bigr) - r\bigl(y_i, f(x_i^{(d)})\bigr)

with :math:`r` a row's part of the accuracy, or of minus the absolute error, and :math:`x^{(d)}` the rows with column d
permuted (Breiman, "Random Forests", 2001). All models see the same permutations. Columns that say the same hide each
other: permuting one leaves the other to the model.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from versus.arrays import Array
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Table
from versus.data.targets import Classes, Number
from versus.evaluation.answers import HeldOut, in_batches
from versus.evaluation.record import Record
from versus.metrics import table
from versus.statistics.paired_rows import PairedRows, paired_rows

WHAT = "permutation importance"
DEALS = 3  # permutations of each column
MOST_ROWS, FEWEST_ROWS = 300, 50  # test rows of a repeat
MOST_ANSWERS = 15_000  # asked of a model in each repeat, as far as the fewest rows allow
MOST_COLUMNS = 500
MOST_VALUES = 2**20  # of permuted rows at a time
SCORES = {Classes: "accuracy_score", Number: "mean_absolute_error"}


def reason_against(model: Any, schema: Schema) -> str | None:
    """Give the reason if columns cannot be permuted, or the model predicts no target; None if it can be measured."""
    if not isinstance(schema.x, Table):
        return "a single pixel or word says little: only the columns of tables are permuted"
    if schema.n_features > MOST_COLUMNS:
        return f"{schema.n_features} columns; at most {MOST_COLUMNS} are permuted"
    if type(schema.y) not in SCORES or not hasattr(model, "predict"):
        return f"{type(model).__name__} predicts no target"
    return None


def measure(record: Record, model: Any, held_out: HeldOut, seed: int) -> list[PairedRows]:
    """Return the importance of each column on one repeat's test rows; empty, with a recorded reason, if impossible."""
    reason = reason_against(model, held_out.schema)
    units = held_out.data.units
    rng = np.random.default_rng(seed)
    n, columns = len(held_out.y), held_out.schema.n_features
    most = int(np.clip(MOST_ANSWERS // (DEALS * columns), FEWEST_ROWS, MOST_ROWS))
    chosen = np.sort(rng.permutation(n)[:most])
    own = None if units is None else units[held_out.data.rows(held_out.repeat, "test")[chosen]]
    if reason is None and (len(chosen) if own is None else len(np.unique(own))) < 2:
        reason = "fewer than two test rows, or groups of them"
    if reason is not None:
        record.skip(WHAT, reason, held_out.repeat)
        return []
    losses = loss_of_columns(model, np.asarray(held_out.X[chosen]), held_out.y[chosen], held_out.schema, rng)
    return [paired_rows(of_column[:, None], own) for of_column in losses.T]


def loss_of_columns(model: Any, X: Array, y: Array, schema: Schema, rng: np.random.Generator) -> Array:
    """Compute each row's loss in score when a column is permuted, the mean of `DEALS`: (n, D), (n,) -> (n, D)."""
    metric = table.named(SCORES[type(schema.y)])
    assert metric.rows is not None
    answer = model.predict_proba if isinstance(schema.y, Classes) else model.predict
    before = metric.rows(y, in_batches(answer, X).astype(np.float64))[:, 0]
    n, columns = X.shape
    found = np.empty((columns, n))
    at_once = max(1, MOST_VALUES // (DEALS * X.size))
    for first in range(0, columns, at_once):
        some = range(first, min(first + at_once, columns))
        dealt = np.tile(X, (len(some) * DEALS, 1, 1))  # (columns · DEALS, n, D)
        for place, rows in enumerate(dealt):
            rows[:, some[place // DEALS]] = rng.permutation(X[:, some[place // DEALS]])
        answers = in_batches(answer, dealt.reshape(-1, columns)).astype(np.float64)
        after = metric.rows(np.tile(y, len(some) * DEALS), answers)[:, 0]
        found[list(some)] = after.reshape(len(some), DEALS, n).mean(axis=1)
    return (found - before if metric.lower_is_better else before - found).T


def write(path: Path, data: Prepared, repeats: Sequence[Sequence[PairedRows]]) -> None:
    """Write importance.csv: of each column the mean over all repeats, its standard error, and the rows behind it.

    Rows that several repeats test add no certainty: the standard error is that of the different rows.
    """
    tested = data.splits["test"].values
    distinct = len(np.unique(tested)) / len(tested)
    weight = np.array([of[0].rows for of in repeats], dtype=np.float64)
    weight /= weight.sum()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["column", "score", "mean", "standard_error", "rows"])
        for column, found in zip(data.schema.columns, zip(*repeats, strict=True), strict=True):
            mean = float(weight @ [of.mean for of in found])
            error = float(np.sqrt((weight**2 @ [of.standard_error**2 for of in found]) / distinct))
            rows = max(2, round(sum(of.rows for of in found) * distinct))
            writer.writerow([column.name, SCORES[type(data.schema.y)], repr(mean), repr(error), rows])
