"""Comparison of a fresh run's scores with the committed ones, by cell and bit for bit."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass

from versus import provenance
from versus.workspace import Workspace

Scores = dict[str, dict[tuple[str, ...], str]]  # cell -> (metric, statistic, …) -> the value as written


@dataclass(frozen=True)
class Reproduction:
    """Number of cells in both tables, number of those equal in every digit, and largest difference of the others."""

    same: int
    shared: int
    largest: float
    where: str


def compare(committed: Scores, found: Scores) -> Reproduction:
    """Compare two tables of scores; values are text, so equal means equal in every bit that was written.

    Scores that only one of the tables has, such as those of a new metric, do not count.
    """
    shared = sorted(cell for cell in set(committed) & set(found) if set(committed[cell]) & set(found[cell]))
    same, largest, where = 0, 0.0, ""
    for cell in shared:
        keys = set(committed[cell]) & set(found[cell])
        if all(committed[cell][key] == found[cell][key] for key in keys):
            same += 1
            continue
        for key in keys:
            before, after = committed[cell][key], found[cell][key]
            difference = abs(float(before) - float(after)) if before and after else 0.0
            if difference > largest:
                largest, where = difference, f"{cell} {key[0]}"
    return Reproduction(same, len(shared), largest, where)


def read_scores(text: str) -> Scores:
    """Read the text of a comparison.csv as cell -> (metric, column) -> the text of the value."""
    table: Scores = defaultdict(dict)
    for row in csv.DictReader(io.StringIO(text)):
        for column in ("mean", "low", "high"):
            table[row["cell"]][row["metric"], column] = row[column]
    return dict(table)


def summarise(workspace: Workspace) -> str:
    """Compare comparison.csv with the committed one, in one line; return an empty text if none is committed."""
    from versus.report import files  # loads the whole report, which a run with nothing to do does not need

    path = workspace.reports / "comparison.csv"
    before = files.committed(path)
    if before is None:
        return ""
    result = compare(read_scores(before), read_scores(path.read_text(encoding="utf-8")))
    line = f"{result.same} of {result.shared} cells reproduced the committed scores bit for bit"
    if result.same == result.shared:
        return f"{line}."
    largest = f"the largest difference of the others is {result.largest:.2g} ({result.where})"
    return f"{line}; {largest}. Linear algebra here: {provenance.blas_kernels()}."
