"""Values of a table that are no measurements: columns twice, numbers for none, time stamps, and a row of sums."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from versus.data import dates
from versus.data.errors import listed
from versus.data.findings import Finding
from versus.data.prepared import Prepared
from versus.data.spaces import Table
from versus.data.targets import Number

_NINES = re.compile(r"-?9{2,}")  # what files have where a number is unknown
_FAR = 2.0  # ranges of all other values, beyond which a placeholder stands
_STAMPED = ("2001-09-09T01:46:40", "2036-07-18T13:20:00")  # 1.0 to 2.1 billion seconds after the beginning of 1970
_FEWEST_VALUES = 5  # that differ from 0, for a sum of them to be no chance


def equal_columns(data: Prepared) -> Iterator[Finding]:
    """Find columns that say the same: models that take columns as independent count them twice."""
    if not isinstance(data.schema.x, Table):
        return
    known: dict[bytes, list[int]] = {}
    for d in range(data.X.shape[1]):  # a hash of some values first: columns may be as long as the memory
        values = np.asarray(data.X[:: -(-len(data.X) // 1000), d]) + 0.0
        known.setdefault(values.tobytes(), []).append(d)
    for alike in (places for places in known.values() if len(places) > 1):
        first = np.asarray(data.X[:, alike[0]])
        if len(np.unique(first[~np.isnan(first)])) < 2:  # constant, which has a finding of its own
            continue
        same = [d for d in alike if np.array_equal(first, data.X[:, d], equal_nan=True)]
        names = [data.schema.x.columns[d].name for d in same]
        if len(names) > 1:
            yield Finding(
                "equal-columns",
                f"columns {listed(names, 10)}",
                "have the same value in every row",
                "Naive Bayes and others that take columns as independent count such evidence twice",
                f"leave all but one out with `drop: [{', '.join(names[1:10])}]`",
            )


def placeholders(data: Prepared) -> Iterator[Finding]:
    """Find numbers made of nines, at an end of a column and far from all its others."""
    if not isinstance(data.schema.x, Table):
        return
    for d, column in enumerate(data.schema.x.columns):
        values = np.asarray(data.X[:, d])
        if column.categories is None and (found := _placeholder(values)) is not None:
            times, low, high = int((values == found).sum()), *_others(values, found)
            yield Finding(
                "placeholder",
                f"column {column.name!r}",
                f"is {found:g} in {times} rows, and from {low:g} to {high:g} in the others",
                "If it means that no value is known, models take it for one, and a mean or a variance follows it",
                f"if so, name it under `missing`, as in `--set 'missing=[NA, \"{found:.17g}\"]'`; else mute this",
            )


def time_stamps(data: Prepared) -> Iterator[Finding]:
    """Find numbers that all are moments of these decades if they count the time since 1970."""
    if not isinstance(data.schema.x, Table):
        return
    first, last = (np.datetime64(moment) for moment in _STAMPED)
    for d, column in enumerate(data.schema.x.columns):
        if column.categories is not None:
            continue
        values = np.asarray(data.X[:, d])
        ends = np.array([np.fmin.reduce(values), np.fmax.reduce(values)])
        for form in dates.EPOCHS:
            begin, end = dates.moments(ends, form)
            if first <= begin < end <= last:
                yield Finding(
                    "time-stamp",
                    f"column {column.name!r}",
                    f"has numbers from {ends[0]:.0f} to {ends[1]:.0f}; as {form} they are {str(begin)[:10]} to "
                    f"{str(end)[:10]}",
                    "Read as a quantity, a time tells when a row was written, and neither the hour nor the weekday",
                    f"test on the latest rows by `time: {column.name}`, have its year, month, weekday and hour by "
                    f"`dates: {{{column.name}: {form}}}`, or leave it out with `drop: [{column.name}]`; if it is a "
                    "quantity, mute this",
                )


def _placeholder(values: NDArray[Any]) -> float | None:
    for found in (np.fmin.reduce(values, initial=np.inf), np.fmax.reduce(values, initial=-np.inf)):
        if not _NINES.fullmatch(f"{found:.17g}"):
            continue
        low, high = _others(values, found)
        if (values == found).sum() > 1 and max(low - found, found - high) > _FAR * (high - low) > 0:
            return float(found)
    return None


def _others(values: NDArray[Any], found: float) -> tuple[float, float]:
    """Least and largest of the values that are not the one found; both NaN if there are none."""
    rest = values[(values != found) & ~np.isnan(values)]
    return (float(rest.min()), float(rest.max())) if len(rest) else (np.nan, np.nan)


def summary_rows(data: Prepared) -> Iterator[Finding]:
    """Find a last row, of the training or the test file, whose numbers are the sums of those above."""
    if not isinstance(data.schema.x, Table) or len(data.X) < _FEWEST_VALUES:
        return
    names = [column.name for column in data.schema.x.columns if column.categories is None]
    places = [d for d, column in enumerate(data.schema.x.columns) if column.categories is None]
    columns = [(name, np.asarray(data.X[:, d])) for name, d in zip(names, places, strict=True)]
    if isinstance(data.schema.y, Number):
        columns.append((data.schema.target, np.asarray(data.y)))
    official = len(data.rows(0, "test")) if data.about.get("official_test") else 0
    for part, rows in (("training", slice(0, len(data.X) - official)), ("test", slice(len(data.X) - official, None))):
        summed = [name for name, values in columns if _is_sum(values[rows])]
        known = [name for name, values in columns if len(values[rows]) and not np.isnan(values[rows][-1])]
        if summed and 2 * len(summed) >= len(known):
            yield Finding(
                "summary-row",
                f"last row of the {part} file" if official else "last row",
                f"has the sums of the rows above in {listed(summed, 5)}",
                "A total is no example, and so far from all others that means and variances follow it",
                "take it out of the file",
            )


def _is_sum(values: NDArray[Any]) -> bool:
    """Check that the last value is the sum of those before, of which some differ from 0."""
    above = values[:-1][~np.isnan(values[:-1])]
    if (above != 0).sum() < _FEWEST_VALUES or np.isnan(values[-1]):
        return False
    return bool(np.isclose(values[-1], above.sum(), rtol=1e-9, atol=0.0))
