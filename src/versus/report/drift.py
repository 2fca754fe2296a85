r"""Drift of a data set between two reports: columns whose values are distributed otherwise than in the report before.

``columns.csv`` counts the rows to learn from by value: numbers in tenths of equal size, categories one by one. The rows
of today are counted in the tenths of the report before, and a :math:`\chi^2` test of homogeneity asks if both samples
come from one population; the p-values of all columns of a data set are corrected by Holm's procedure (1979). Where rows
of the report before are among those of today, the samples are more alike than the test takes them to be, which makes it
cautious.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2_contingency

from versus.data.prepared import Prepared
from versus.data.spaces import Table
from versus.data.targets import Classes, Number
from versus.report.files import defused
from versus.report.formatting import percent

COLUMNS = ("dataset", "column", "kind", "value", "rows")
NUMBER, CATEGORY, MISSING = "number", "category", "missing"  # kinds; the value of a number is the end of its tenth
TENTHS = np.linspace(0, 1, 11)[1:-1]
MOST_COLUMNS = 300
RARE = 10  # rows of both reports; values with fewer are tested together
Counts = dict[tuple[str, str], int]  # kind, value -> rows


@dataclass(frozen=True)
class Drift:
    """A column that has drifted.

    Args:
        dataset, column: their names.
        moved: share of the rows that lie in another tenth, or have another category, than before (total variation).
        where: the value whose share changed most, with both shares.
        p_value: of the test, corrected for the number of columns.
    """

    dataset: str
    column: str
    moved: float
    where: str
    p_value: float

    def __str__(self) -> str:
        return f"{self.column}: {percent(self.moved, 0)} of the rows moved, most at {self.where}"


def rows_of_columns(name: str, data: Prepared) -> Iterator[tuple[object, ...]]:
    """Yield the rows of columns.csv about one data set; none where rows are drawn anew for each repeat."""
    for column, values, categories in _columns(data):
        known = values[~np.isnan(values)]
        ends = np.unique(np.quantile(known, TENTHS)) if categories is None and len(known) else np.empty(0)
        for (kind, value), count in _counts(values, categories, ends).items():
            yield name, column, kind, float(value) if kind == NUMBER else value, count


def read(text: str | None) -> dict[str, dict[str, Counts]]:
    """Read the text of a columns.csv: data set -> column -> counts; empty where there is none."""
    found: dict[str, dict[str, Counts]] = {}
    for row in csv.DictReader(io.StringIO(text or "")):
        of_column = found.setdefault(row["dataset"], {}).setdefault(row["column"], {})
        of_column[row["kind"], row["value"]] = int(row["rows"])
    return found


def drifted(name: str, data: Prepared, before: Mapping[str, Counts], confidence: float) -> list[Drift]:
    """Return the columns that have drifted, the most certain first.

    Args:
        name: name of the data set.
        data: the data set today.
        before: column -> counts in the report before.
        confidence: that none of them is a false alarm.
    """
    found = [
        _compared(name, column, values, categories, before[str(defused(column))])
        for column, values, categories in _columns(data)
        if str(defused(column)) in before
    ]
    return [drift for drift in _corrected(found) if drift.p_value < 1 - confidence]


def _columns(data: Prepared) -> Iterator[tuple[str, NDArray[np.float64], tuple[str, ...] | None]]:
    """Yield name, values and categories of each column and of the target, on the rows to learn from."""
    space, target = data.schema.x, data.schema.y
    if not isinstance(space, Table) or data.is_drawn:
        return
    rows = np.unique(np.concatenate([data.rows(repeat, "train", "validation") for repeat in range(data.repeats)]))
    for place, column in enumerate(space.columns[:MOST_COLUMNS]):
        yield column.name, np.asarray(data.X[rows, place], dtype=np.float64), column.categories
    if isinstance(target, Classes | Number):
        y = np.asarray(data.y[rows], dtype=np.float64)
        if isinstance(target, Classes):
            yield target.name, np.where(y < 0, np.nan, y), target.names  # -1 is a row without a class
        else:
            yield target.name, y, None


def _counts(values: NDArray[np.float64], categories: tuple[str, ...] | None, ends: NDArray[np.float64]) -> Counts:
    """Count the values that are missing, and the others by category, or by the tenth whose upper end is given."""
    known = values[~np.isnan(values)]
    if categories is None:
        kind, names, places = NUMBER, [repr(float(end)) for end in (*ends, np.inf)], np.searchsorted(ends, known)
    else:
        kind, names, places = CATEGORY, [str(defused(name)) for name in categories], known.astype(np.int64)
    of_values = np.bincount(places, minlength=len(names)).tolist()
    return {**{(kind, n): c for n, c in zip(names, of_values, strict=True)}, (MISSING, ""): len(values) - len(known)}


def _compared(
    name: str, column: str, values: NDArray[np.float64], categories: tuple[str, ...] | None, before: Counts
) -> Drift:
    ends = np.sort([float(value) for kind, value in before if kind == NUMBER and np.isfinite(float(value))])
    now = _counts(values, categories, ends)
    places = [place for place in dict.fromkeys((*before, *now)) if before.get(place) or now.get(place)]
    table = np.array([[of.get(place, 0) for place in places] for of in (before, now)], dtype=np.float64)
    if len(places) < 2 or not table.sum(axis=1).all():
        return Drift(name, column, 0.0, "", 1.0)
    shares = table / table.sum(axis=1, keepdims=True)
    most = int(np.argmax(np.abs(shares[1] - shares[0])))
    where = f"{_said(*places[most], ends)}, {percent(shares[0, most], 0)} before and {percent(shares[1, most], 0)} now"
    rare = table.sum(axis=0) < RARE
    tested = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    tested = tested[:, tested.sum(axis=0) > 0]
    p_value = float(chi2_contingency(tested, correction=False).pvalue) if tested.shape[1] > 1 else 1.0
    return Drift(name, column, float(np.abs(shares[1] - shares[0]).sum() / 2), where, p_value)


def _said(kind: str, value: str, ends: NDArray[np.float64]) -> str:
    if kind != NUMBER:
        return value or "no value"
    end = float(value)
    below = ends[ends < end]
    low = f"{below[-1]:.4g}" if len(below) else ""
    return f"{low} to {end:.4g}" if low and np.isfinite(end) else f"above {low}" if low else f"up to {end:.4g}"


def _corrected(found: Iterable[Drift]) -> list[Drift]:
    """Correct the p-values of several tests by Holm's procedure; the smallest first."""
    ordered, largest = sorted(found, key=lambda drift: drift.p_value), 0.0
    corrected = []
    for place, drift in enumerate(ordered):
        largest = max(largest, min(1.0, drift.p_value * (len(ordered) - place)))
        corrected.append(Drift(drift.dataset, drift.column, drift.moved, drift.where, largest))
    return corrected
