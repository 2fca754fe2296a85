"""Scores by the columns that params.yaml names: where a model is worse than its mean score says."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from versus.metrics import table as metric_table
from versus.report import formatting
from versus.report.dataset_results import DatasetResults
from versus.report.entries import Entry
from versus.report.section import Content, escaped, table
from versus.report.slices import SliceScore, slice_scores
from versus.settings import FAMILIES

NAME, TITLE = "slices", "Scores by slice"


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return a table for each column with the best model of each family; None where no slices are asked for."""
    best = [e.cell.name for family in FAMILIES if (e := dataset.best(family)) is not None]
    found = [score for score in slice_scores(dataset) if score.cell.name in best]
    if not found:
        return None
    tables = [
        {"column": column, "rows": [_row(list(of)) for _, of in groupby(same, key=lambda score: score.value)]}
        for column, same in groupby(found, key=lambda score: score.column)
    ]
    cells = {score.cell.name: score.cell for score in found}  # in the order of the entries of each row
    label = metric_table.label(found[0].metric)
    return {"cells": list(cells.values()), "tables": tables, "label": label, "dataset": dataset.name}


def _row(of: list[SliceScore]) -> tuple[str, int, list[Entry]]:
    entries = [
        Entry(formatting.score(s.score), formatting.span(*s.interval) if s.interval else "", s.score) for s in of
    ]
    return of[0].value, of[0].rows, entries


def markdown(content: Content) -> list[str]:
    """Return the tables."""
    lines = []
    for found in content["tables"]:
        header = [escaped(found["column"]), "rows", *(escaped(cell.model) for cell in content["cells"])]
        rows = ([escaped(value), str(n), *(e.plain for e in entries)] for value, n, entries in found["rows"])
        lines += [f"{escaped(content['label'])} by {escaped(found['column'])}:", "", *table(header, rows)]
    return lines
