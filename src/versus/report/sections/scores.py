"""All scores of one data set, the deciding one first."""

from __future__ import annotations

from typing import Any

from versus.metrics.table import shown
from versus.report.dataset_results import DatasetResults
from versus.report.entries import score_table
from versus.report.section import Content, escaped, table

NAME, TITLE = "scores", "All scores"


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """Return a table of all models that have any of them."""
    names = dict.fromkeys((dataset.primary, *shown("headline"), *shown("scores")))
    found = score_table(dataset, dataset.evaluations, list(names), f"All scores, {dataset.name}, best first")
    return {"table": found} if found.rows else None


def markdown(content: Content) -> list[str]:
    """Return the table."""
    scores = content["table"]
    header = ["model", "family", *map(escaped, scores.headers)]
    rows = ([escaped(cell.model), cell.group_name, *(e.plain for e in entries)] for cell, entries in scores.rows)
    return table(header, rows)
