"""What a model of P(x, y) buys on one data set: answers with missing columns, and novel rows told apart."""

from __future__ import annotations

from typing import Any

from versus.metrics.table import shown
from versus.report.dataset_results import DatasetResults
from versus.report.entries import score_table
from versus.report.section import Content, escaped, table

NAME, TITLE = "ledger", "Missing columns and novel rows"


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return a table of all models that have any of these scores."""
    found = score_table(dataset, dataset.evaluations, shown("ledger"), f"Beyond complete rows, {dataset.name}")
    return {"table": found, "primary": dataset.primary} if found.rows else None


def markdown(content: Content) -> list[str]:
    """Return the table."""
    scores = content["table"]
    header = ["model", "family", *map(escaped, scores.headers)]
    rows = ([escaped(cell.model), cell.group_name, *(e.plain for e in entries)] for cell, entries in scores.rows)
    return table(header, rows)
