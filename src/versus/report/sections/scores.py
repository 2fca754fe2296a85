"""Scores that the table of all models leaves out."""

from __future__ import annotations

from typing import Any

from versus.metrics.table import shown
from versus.report.dataset_results import DatasetResults
from versus.report.entries import score_table

NAME, TITLE = "scores", "More scores"


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """A table of all models that have any of them."""
    table = score_table(dataset, dataset.evaluations, shown("scores"), f"All other scores, {dataset.name}")
    return {"table": table} if table.rows else None
