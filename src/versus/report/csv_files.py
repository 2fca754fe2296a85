"""CSV as the report writes it: floats that read back bit for bit, and no text that a spreadsheet would run."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

# What spreadsheets take for the start of a formula: OWASP, "CSV injection".
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table with a header; lines end in a bare newline on every system."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([defused(column) for column in columns])
        writer.writerows([defused(value) for value in row] for row in rows)


def defused(value: object) -> object:
    """A float as its shortest exact text, a NaN as nothing, text that could be a formula behind an apostrophe."""
    if isinstance(value, float):
        return "" if np.isnan(value) else repr(float(value))
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value
