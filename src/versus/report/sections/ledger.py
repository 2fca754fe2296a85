"""What a model of P(x, y) buys on one data set: missing columns, novel rows, and test rows that have shifted."""

from __future__ import annotations

from typing import Any

from versus.metrics.table import shown
from versus.report.dataset_results import DatasetResults
from versus.report.entries import ScoreTable, score_table
from versus.report.section import Content, escaped, table

NAME, TITLE = "ledger", "Missing columns, novel rows and shifts"


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return a table of missing columns and novel rows, and one of shifts; None where no model has such scores."""
    beyond = score_table(dataset, dataset.evaluations, shown("ledger"), f"Beyond complete rows, {dataset.name}")
    shifted = score_table(dataset, dataset.evaluations, shown("shifts"), f"Test rows that have shifted, {dataset.name}")
    found = {"beyond": beyond, "shifted": shifted}
    return found | {"primary": dataset.primary} if beyond.rows or shifted.rows else None


def markdown(content: Content) -> list[str]:
    """Return the tables."""
    return [line for key in ("beyond", "shifted") if content[key].rows for line in _lines(content[key])]


def _lines(scores: ScoreTable) -> list[str]:
    header = ["model", "family", *map(escaped, scores.headers)]
    rows = ([escaped(cell.model), cell.group_name, *(e.plain for e in entries)] for cell, entries in scores.rows)
    return table(header, rows)
