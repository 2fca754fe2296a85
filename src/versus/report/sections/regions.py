"""Two-dimensional data: where each model decides what."""

from __future__ import annotations

from typing import Any

from versus.report.dataset_results import DatasetResults
from versus.report.figures.regions import decision_regions

NAME, TITLE = "regions", "Decision regions"


def content(dataset: DatasetResults) -> dict[str, Any] | None:
    """A picture for each model that was asked on a grid, best first."""
    ordered = dataset.ordered(list(dataset.evaluations), dataset.primary)
    drawn = [(e.cell, figure) for e in ordered if (figure := decision_regions(dataset, e)) is not None]
    has_contours = any(figure.parts["contours"] for _, figure in drawn)
    return {"regions": drawn, "has_contours": has_contours} if drawn else None
